package wal

import (
	"sync"
	"testing"

	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// BenchmarkSubmit is what a transaction costs under the cord's lock.
func BenchmarkSubmit(b *testing.B) {
	j, err := Open(Options{FS: vfs.OS, Dir: b.TempDir(), Mode: Write, Instance: instance, ReplicaID: 1})
	if err != nil {
		b.Fatal(err)
	}
	e := Entry{Rows: []xlog.Row{insert(1000)}, Timestamp: 1.5}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ticket := j.Submit(&e)
		if i%70 == 69 {
			b.StopTimer()
			ticket.Wait()
			b.StartTimer()
		}
	}
	j.Close()
}

// benchmarkBatches has each of n goroutines submit 70 transactions of one small row under a lock and wait for the last
// one, as connections do. It reports rows per second.
func benchmarkBatches(b *testing.B, n int, mode Mode, change func(o *Options)) {
	o := Options{FS: vfs.OS, Dir: b.TempDir(), Mode: mode, Instance: instance, ReplicaID: 1}
	if change != nil {
		change(&o)
	}
	j, err := Open(o)
	if err != nil {
		b.Fatal(err)
	}
	const batch = 70
	var cord sync.Mutex
	var wait sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for g := range n {
		wait.Go(func() {
			e := Entry{Rows: []xlog.Row{insert(1000)}}
			for range (b.N + g) / n {
				var ticket Ticket
				cord.Lock()
				for range batch {
					ticket = j.Submit(&e)
				}
				cord.Unlock()
				if err := ticket.Wait(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
	b.StopTimer()
	b.ReportMetric(float64(j.Known())/b.Elapsed().Seconds(), "rows/s")
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}

func BenchmarkBatches(b *testing.B) {
	b.Run("write/1", func(b *testing.B) { benchmarkBatches(b, 1, Write, nil) })
	b.Run("write/4", func(b *testing.B) { benchmarkBatches(b, 4, Write, nil) })
	b.Run("write/64", func(b *testing.B) { benchmarkBatches(b, 64, Write, nil) })
	b.Run("write-compressed/4", func(b *testing.B) {
		benchmarkBatches(b, 4, Write, func(o *Options) { o.CompressFrom = xlog.CompressFrom })
	})
	b.Run("none/4", func(b *testing.B) { benchmarkBatches(b, 4, None, nil) })
	b.Run("fsync/64", func(b *testing.B) { benchmarkBatches(b, 64, Fsync, nil) })
}

// BenchmarkCommit is the round trip of one transaction.
func BenchmarkCommit(b *testing.B) {
	for _, mode := range []Mode{Write, Fsync} {
		b.Run(mode.String(), func(b *testing.B) {
			j, err := Open(Options{FS: vfs.OS, Dir: b.TempDir(), Mode: mode, Instance: instance, ReplicaID: 1})
			if err != nil {
				b.Fatal(err)
			}
			e := Entry{Rows: []xlog.Row{insert(1000)}}
			b.ReportAllocs()
			for b.Loop() {
				if err := j.Submit(&e).Wait(); err != nil {
					b.Fatal(err)
				}
			}
			j.Close()
		})
	}
}

func BenchmarkCheckpoint(b *testing.B) {
	tuple := append([]byte{0x93, 0xce, 0, 1, 2, 3, 0xd9, 60}, make([]byte, 60)...)
	for i := range 60 {
		tuple[8+i] = byte('a' + i*i%23)
	}
	tuple = append(tuple, 0xcd, 1, 2)
	c, err := CreateCheckpoint(CheckpointOptions{FS: vfs.OS, Dir: b.TempDir(), Instance: instance})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(tuple)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tuple[4], tuple[10], tuple[30] = byte(i), byte(i*7), byte(i>>8)
		if err := c.Tuple(512, false, tuple); err != nil {
			b.Fatal(err)
		}
	}
	c.Abort()
}
