package xlog

import (
	"testing"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// benchRow is a row of 64 bytes of text and two numbers.
func benchRow() Row {
	text := "sixty-four bytes of text, which is what the rows of others have."
	body := msgpack.AppendUint([]byte{0x82, byte(iproto.KeySpaceID), 0xcd, 2, 0, byte(iproto.KeyTuple), 0x93}, 70000)
	body = msgpack.AppendUint(msgpack.AppendString(body, text), 7)
	return Row{Type: iproto.TypeReplace, ReplicaID: 1, Timestamp: 1.7e9, Flags: FlagCommit, Body: body}
}

// BenchmarkAppendRow encodes rows: those that are transactions of their own, and those of larger ones.
func BenchmarkAppendRow(b *testing.B) {
	for _, test := range []struct {
		name string
		size int64 // of a transaction in rows
	}{{"alone", 1}, {"of ten", 10}} {
		b.Run(test.name, func(b *testing.B) {
			r := benchRow()
			out := make([]byte, 0, BlockSize)
			b.SetBytes(int64(len(AppendRow(nil, &r))))
			b.ReportAllocs()
			for b.Loop() {
				if len(out) > BlockSize-1<<10 {
					out = out[:0]
				}
				r.LSN++
				r.TSN = r.LSN - r.LSN%test.size
				r.Flags = 0
				if (r.LSN+1)%test.size == 0 {
					r.Flags = FlagCommit
				}
				out = AppendRow(out, &r)
			}
		})
	}
}

// BenchmarkBlock ends blocks of rows: as they are, and compressed.
func BenchmarkBlock(b *testing.B) {
	rows := make([]byte, BlockHeaderSize, BlockSize+1<<10)
	for r := benchRow(); len(rows) < BlockSize; r.LSN++ {
		rows = AppendRow(rows, &r)
	}
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(int64(len(rows)))
		b.ReportAllocs()
		for b.Loop() {
			SealBlock(rows)
		}
	})
	b.Run("compressed", func(b *testing.B) {
		b.SetBytes(int64(len(rows)))
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			out = AppendBlock(out[:0], rows[BlockHeaderSize:])
		}
	})
}
