package wal

import (
	"io"
	"runtime"
	"sync"

	"github.com/lycosadb/lycosa/xlog"
)

// portion is some rows of a file, with their bodies in memory of its own.
type portion[R any] struct {
	rows []xlog.Row
	made []R   // of the rows, in their order
	ends []int // where transactions end: the index behind the last row of each
	room []byte
	err  error // why there are no more rows behind these, io.EOF at the end of the file
	// prepared gets a value when made is there.
	prepared chan struct{}
}

const (
	// portionSize is how many bytes of rows make a portion.
	portionSize = 256 << 10
	// portionRoom is the memory for them: the last block of a portion goes over its end, and decompression is faster with
	// some room behind what it writes.
	portionRoom = portionSize + 3*xlog.BlockSize
	// portionsRead is how many there are besides those that are prepared: one to be applied, one that is being read and one
	// in between.
	portionsRead = 6
)

// fill reads whole blocks of transactions, which read appends to a list of rows.
func (b *portion[R]) fill(in *xlog.Reader, read func(rows []xlog.Row) ([]xlog.Row, error)) {
	b.rows, b.ends = b.rows[:0], b.ends[:0]
	in.Keep(b.room[:0])
	for b.err == nil && (in.Within() || len(in.Kept()) < portionSize) {
		if b.rows, b.err = read(b.rows); b.err == nil {
			b.ends = append(b.ends, len(b.rows))
		}
	}
	b.room = in.Kept()
}

// prepare has something made of the rows.
func (b *portion[R]) prepare(f func(rows []xlog.Row, made []R)) {
	if short := len(b.rows) - len(b.made); short > 0 {
		b.made = append(b.made, make([]R, short)...)
	}
	if f != nil {
		f(b.rows, b.made[:len(b.rows)])
	}
}

// ahead reads a file on a goroutine of its own and has something made of its rows on others, while the rows before them are
// applied.
type ahead[R any] struct {
	full, free chan *portion[R]
	// raw portions are to be prepared. They are in full already.
	raw     chan *portion[R]
	stop    chan struct{}
	running sync.WaitGroup
}

// readAhead begins to read. read appends the rows of the next transaction in a file to a list, or returns an error at the end.
// Until close, the file belongs to the goroutine that calls it. prepare makes something of rows, see Recovery.Prepare.
func readAhead[R any](in *xlog.Reader, read func(rows []xlog.Row) ([]xlog.Row, error),
	prepare func(rows []xlog.Row, made []R)) *ahead[R] {
	workers := runtime.GOMAXPROCS(0)
	portions := portionsRead + workers
	a := &ahead[R]{full: make(chan *portion[R], portions), free: make(chan *portion[R], portions),
		raw: make(chan *portion[R], portions), stop: make(chan struct{})}
	for range portions {
		a.free <- &portion[R]{room: make([]byte, 0, portionRoom), prepared: make(chan struct{}, 1)}
	}
	a.running.Go(func() { a.run(in, read) })
	for range workers {
		a.running.Go(func() {
			for b := range a.raw {
				b.prepare(prepare)
				b.prepared <- struct{}{}
			}
		})
	}
	return a
}

func (a *ahead[R]) run(in *xlog.Reader, read func(rows []xlog.Row) ([]xlog.Row, error)) {
	defer close(a.raw)
	for {
		var b *portion[R]
		select {
		case <-a.stop:
			return
		case b = <-a.free:
		}
		b.fill(in, read)
		a.full <- b // there is room for all
		a.raw <- b
		if b.err != nil {
			return
		}
	}
}

// each gives each transaction to apply, whose error it returns. At the end of the file it returns nil.
func (a *ahead[R]) each(apply func(rows []xlog.Row, made []R) error) error {
	for {
		b := <-a.full
		<-b.prepared
		from := 0
		for _, end := range b.ends {
			if err := apply(b.rows[from:end], b.made[from:end]); err != nil {
				return err
			}
			from = end
		}
		if b.err != nil {
			if b.err == io.EOF {
				return nil
			}
			return b.err
		}
		a.free <- b
	}
}

// close ends reading.
func (a *ahead[R]) close() {
	close(a.stop)
	a.running.Wait()
}
