package xlog

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
)

const header = "XLOG\n0.13\nVersion: x\nInstance: 11111111-2222-4333-8444-555555555555\nVClock: {1: 5, 3: 2}\n\n"

// block returns a block with a transaction of n rows from lsn on, each with a text.
func block(lsn int64, n int, text string) []byte {
	b := make([]byte, BlockHeaderSize)
	for i := range int64(n) {
		body := msgpack.AppendString([]byte{0x82, 0x10, 0xcd, 0x02, 0x00, 0x21, 0x92, 0x01}, text)
		r := Row{Type: iproto.TypeInsert, ReplicaID: 1, LSN: lsn + i, TSN: lsn, Timestamp: 1.5, Body: body}
		if i == int64(n)-1 {
			r.Flags = FlagCommit
		}
		b = AppendRow(b, &r)
	}
	SealBlock(b)
	return b
}

func compressed(lsn int64, n int, text string) []byte {
	return AppendBlock(nil, block(lsn, n, text)[BlockHeaderSize:])
}

func file(parts ...any) []byte {
	b := []byte(header)
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

// read returns what a reader gives: the lsns of the rows, transactions in brackets, how it ends and what it skipped.
func read(data []byte, force bool) (rows, end string, warnings []string) {
	return readFrom(bytes.NewReader(data), force)
}

func readFrom(source io.Reader, force bool) (rows, end string, warnings []string) {
	r, err := NewReader(source, "f", ReaderOptions{Force: force, Warn: func(err error) { warnings = append(warnings, err.Error()) }})
	if err != nil {
		return "", err.Error(), nil
	}
	var txn []Row
	var out []string
	for {
		txn, err = r.NextTxn(txn[:0])
		if err != nil {
			break
		}
		var lsns []string
		for _, row := range txn {
			lsns = append(lsns, fmt.Sprint(row.LSN))
		}
		out = append(out, "["+strings.Join(lsns, " ")+"]")
	}
	switch {
	case err != io.EOF:
		end = err.Error()
	case r.Torn() && r.Closed():
		end = "torn and closed"
	case r.Torn():
		end = "torn"
	case r.Closed():
		end = "closed"
	}
	return strings.Join(out, ""), end, warnings
}

var marker = string(AppendEnd(nil))

func TestDamage(t *testing.T) {
	one, two, three := block(6, 1, "one"), block(7, 2, "two"), block(9, 1, "three")
	at := func(parts ...any) int { return len(file(parts...)) }
	flip := func(b []byte, i int) []byte {
		b = slices.Clone(b)
		b[(i+len(b))%len(b)] ^= 0x20
		return b
	}
	long := slices.Clone(two)
	long[4] = 0x7f // more than there is, but the next block is whole
	huge := slices.Clone(two)
	copy(huge[4:], "\xce\xff\xff\xff\xff\x00\xce\x00\x00\x00\x00\xa3\x00\x00\x00")
	noLength := slices.Clone(two)
	noLength[4] = 0xc0
	inner := block(6, 1, string(block(50, 1, "a block in a text")))
	badRow := append(make([]byte, BlockHeaderSize), 0x81, 0x00, 0x02, 0xc1)
	SealBlock(badRow)
	notZstd := slices.Clone(two)
	putBlockHeader(notZstd, compressedMarker, notZstd[BlockHeaderSize:])

	for _, c := range []struct {
		name     string
		data     []byte
		rows     string
		end      string
		forced   string // rows with Force, "" if the same
		forceEnd string // "" if the same
		warning  string // with Force
	}{
		{name: "nothing but a header", data: file()},
		{name: "closed", data: file(one, two, marker), rows: "[6][7 8]", end: "closed"},
		{name: "open", data: file(one, two), rows: "[6][7 8]"},
		{name: "compressed", data: file(one, compressed(7, 2, strings.Repeat("two", 1000)), three, marker), rows: "[6][7 8][9]", end: "closed"},
		{name: "part of a marker", data: file(one, "\xd5\xba"), rows: "[6]", end: "torn"},
		{name: "part of a block header", data: file(one, two[:18]), rows: "[6]", end: "torn"},
		{name: "part of a block", data: file(one, two[:40]), rows: "[6]", end: "torn"},
		{name: "zeros", data: file(one, strings.Repeat("\x00", 40000)), rows: "[6]", end: "torn"},
		{name: "zeros and more", data: file(one, strings.Repeat("\x00", 10), three), rows: "[6]",
			end: fmt.Sprintf("invalid magic: 0x0 in 'f' at offset %d", at(one)), forced: "[6][9]", forceEnd: "open", warning: "invalid magic: 0x0"},
		{name: "no marker", data: file(one, "rubbish", three, marker), rows: "[6]",
			end: fmt.Sprintf("invalid magic: 0x72756262 in 'f' at offset %d", at(one)), forced: "[6][9]", forceEnd: "closed", warning: "invalid magic"},
		{name: "checksum", data: file(one, flip(two, -3), three, marker), rows: "[6]", end: "tx checksum mismatch",
			forced: "[6][9]", forceEnd: "closed", warning: "tx checksum mismatch"},
		{name: "checksum of the last block", data: file(one, flip(two, -3)), rows: "[6]", end: "tx checksum mismatch",
			forceEnd: "open", warning: "tx checksum mismatch"},
		{name: "a block within a damaged one", data: file(flip(inner, -3), two), end: "tx checksum mismatch",
			forced: "[7 8]", forceEnd: "open", warning: "tx checksum mismatch"},
		{name: "length", data: file(one, long, three, marker), rows: "[6]",
			end:    fmt.Sprintf("the length of the block is wrong: whole blocks follow it in 'f' at offset %d", at(one)),
			forced: "[6][9]", forceEnd: "closed", warning: "the length of the block is wrong"},
		{name: "huge length", data: file(one, huge, three), rows: "[6]", end: "the length of the block is wrong",
			forced: "[6][9]", forceEnd: "open", warning: "the length of the block is wrong"},
		{name: "huge length at the end", data: file(one, huge), rows: "[6]", end: "torn"},
		{name: "fixheader", data: file(one, noLength, three), rows: "[6]", end: "broken fixheader",
			forced: "[6][9]", forceEnd: "open", warning: "broken fixheader"},
		{name: "after the end", data: file(one, marker, two, marker), rows: "[6]",
			end: fmt.Sprintf("there is data after the end marker in 'f' at offset %d", at(one, marker)), forced: "[6][7 8]", forceEnd: "closed",
			warning: "there is data after the end marker"},
		{name: "row", data: file(one, badRow, three), rows: "[6]", end: fmt.Sprintf("broken row in the block in 'f' at offset %d", at(one)),
			forced: "[6][9]", forceEnd: "open", warning: "broken row"},
		{name: "compression", data: file(one, notZstd, three), rows: "[6]", end: "can't decompress the block",
			forced: "[6][9]", forceEnd: "open", warning: "can't decompress"},
		{name: "a transaction without an end", data: file(one, cutTxn(), marker), rows: "[6]", end: "closed"},
		{name: "a transaction over two blocks", data: file(one, cutTxn(), restTxn(), three), rows: "[6][7 8][9]"},
	} {
		rows, end, _ := read(c.data, false)
		if rows != c.rows || !strings.HasPrefix(end, c.end) || c.end == "" && end != "" {
			t.Errorf("%s: %s, %q; want %s, %q", c.name, rows, end, c.rows, c.end)
		}
		forced, forceEnd := orElse(c.forced, c.rows), orElse(c.forceEnd, c.end)
		if forceEnd == "open" {
			forceEnd = ""
		}
		rows, end, warnings := read(c.data, true)
		if rows != forced || end != forceEnd || (c.warning == "") != (len(warnings) == 0) {
			t.Errorf("%s with force: %s, %q, %q; want %s, %q", c.name, rows, end, warnings, forced, forceEnd)
		}
		if c.warning != "" && (len(warnings) != 1 || !strings.Contains(warnings[0], c.warning)) {
			t.Errorf("%s with force: %q, want %q", c.name, warnings, c.warning)
		}
		// A source that gives a byte at a time and doesn't know its size makes no difference.
		rows, end, _ = readFrom(iotest.OneByteReader(bytes.NewReader(c.data)), true)
		if rows != forced || end != forceEnd {
			t.Errorf("%s byte by byte: %s, %q", c.name, rows, end)
		}
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// cutTxn is a block with the first row of a transaction, restTxn one with the second.
func cutTxn() []byte {
	b := AppendRow(make([]byte, BlockHeaderSize), &Row{Type: iproto.TypeNOP, ReplicaID: 1, LSN: 7, TSN: 7, Timestamp: 1})
	SealBlock(b)
	return b
}

func restTxn() []byte {
	b := AppendRow(make([]byte, BlockHeaderSize), &Row{Type: iproto.TypeNOP, ReplicaID: 1, LSN: 8, TSN: 7, Timestamp: 1, Flags: FlagCommit})
	SealBlock(b)
	return b
}

// A log may be cut anywhere: what is left are the whole blocks before, without an error.
func TestCutAnywhere(t *testing.T) {
	one, two := block(6, 1, "one"), compressed(7, 2, strings.Repeat("two", 1000))
	data := file(one, two, marker)
	for n := len(header); n < len(data); n++ {
		want, torn := "", "torn"
		switch at := n - len(header); {
		case at >= len(one)+len(two):
			want = "[6][7 8]"
			if at == len(one)+len(two) {
				torn = ""
			}
		case at >= len(one):
			want = "[6]"
			if at == len(one) {
				torn = ""
			}
		case at == 0:
			torn = ""
		}
		for _, force := range []bool{false, true} {
			if rows, end, warnings := read(data[:n], force); rows != want || end != torn || warnings != nil {
				t.Fatalf("cut at %d: %s, %q, %q; want %s, %q", n, rows, end, warnings, want, torn)
			}
		}
	}
}

// Any byte of a block may be damaged in any way: no other rows come out than those that were written, the damage is
// noticed or looks like a torn end, and with force all other blocks are there.
func TestDamageAnywhere(t *testing.T) {
	for name, middle := range map[string][]byte{"plain": block(7, 2, "two"), "compressed": compressed(7, 2, strings.Repeat("two", 40))} {
		for _, last := range []bool{true, false} {
			tail := []byte(marker)
			if !last {
				tail = append(block(9, 1, "three"), marker...)
			}
			data := file(block(6, 1, "one"), middle, tail)
			from := len(file(block(6, 1, "one")))
			for at := from; at < from+len(middle); at++ {
				for _, change := range []byte{0x01, 0x02, 0x10, 0x80, 0xff} {
					damaged := slices.Clone(data)
					damaged[at] ^= change
					rows, end, _ := read(damaged, false)
					switch {
					case rows == "[6]" && end != "closed" && end != "" && (last || end != "torn"):
					case rows == "[6][7 8]" && at < from+BlockHeaderSize && last && end == "closed":
					case rows == "[6][7 8][9]" && at < from+BlockHeaderSize && end == "closed": // the unused parts of the header
					default:
						t.Errorf("%s, byte %d ^ %x: %s, %q", name, at-from, change, rows, end)
					}
					rows, end, _ = read(damaged, true)
					if !last && rows != "[6][9]" && rows != "[6][7 8][9]" || !strings.HasPrefix(rows, "[6]") || end != "closed" {
						t.Errorf("%s, byte %d ^ %x with force: %s, %q", name, at-from, change, rows, end)
					}
				}
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "Unexpected end of file, run with 'force_recovery = true'"},
		{"XLOG\n0.13\nVersion: 1\n", "Unexpected end of file, run with 'force_recovery = true'"},
		{"hello\nworld\n\n", "unsupported file format version world"},
		{"XLOG\n0.10\nVersion: x\n\n", "unsupported file format version 0.10"},
		{"0123456789\n0.13\n\n", "failed to parse xlog type string"},
		{"\n0.13\n\n", "failed to parse xlog type string"},
		{"XLOG\n0.13\nInstance: 1\n\n", "can't parse instance UUID '1'"},
		{"XLOG\n0.13\nVClock: {1\n\n", "invalid vclock: error at position 3 in VClock"},
		{"XLOG\n0.13\nPrevVClock: \n\n", "invalid vclock: error at position 1 in PrevVClock"},
		{"XLOG\n0.13\nnothing\n\n", "can't extract meta value of 'nothing'"},
		{strings.Repeat("x", 40000), "failed to parse xlog meta: no end of it in the first 32768 bytes"},
	} {
		_, err := NewReader(strings.NewReader(c.text), "f", ReaderOptions{})
		if err == nil || err.Error() != c.want || boxerr.From(err).Type != boxerr.TypeXlog {
			t.Errorf("%.40q: %v, want %s", c.text, err, c.want)
		}
	}
	_, err := Open(vfs.OS, "nothing.xlog", ReaderOptions{})
	if e := boxerr.From(err); e.Message != "failed to open 'nothing.xlog' file: No such file or directory" || e.Type != boxerr.TypeSystem {
		t.Errorf("%+v", e)
	}

	r, err := NewReader(strings.NewReader("SNAP\n0.12\nServer: 11111111-2222-4333-8444-55555555555A\nFuture: yes: no\nVClock: {}\nPrevVClock: {}\n\n"), "f", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := Meta{Kind: Snap, Instance: "11111111-2222-4333-8444-55555555555a", Prev: &vclock.VClock{}}
	if !reflect.DeepEqual(r.Meta, want) {
		t.Errorf("%+v", r.Meta)
	}
}

func TestRowKeys(t *testing.T) {
	// Keys in another order, unknown ones, wide integers, a missing timestamp.
	b := []byte{0x87, 0x09, 0x06, 0x55, 0x92, 0x01, 0x02, 0x03, 0xcf, 0, 0, 0, 0, 0, 0, 0, 9, 0x00, 0xcd, 0, 2, 0xcd, 0x77, 0x77, 0xa1, 'x',
		0x08, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07, 0x01, 0x80, 0xc0}
	var r Row
	rest, ok := decodeRow(&r, b)
	want := Row{Type: iproto.TypeInsert, GroupID: 1, LSN: 9, TSN: 10, Flags: 6, Body: []byte{0x80}}
	if !ok || len(rest) != 1 || !reflect.DeepEqual(r, want) || r.Component() != 0 {
		t.Errorf("%+v, %v", r, ok)
	}
	for _, bad := range []string{"", "\x90", "\x81", "\x81\xa1x\x01", "\x81\x00\xff", "\x81\x02\x20", "\x81\x03\xcf\x80\x00\x00\x00\x00\x00\x00\x00",
		"\x81\x04\x01", "\x81\x09\xcd\x01\x00", "\x80\xc1", "\x80\x92\x01"} {
		if _, ok := decodeRow(&r, []byte(bad)); ok {
			t.Errorf("%q is accepted: %+v", bad, r)
		}
	}
}

// TestKeep keeps all bodies of a file, whatever room there is at first, and reads transactions that go over blocks.
func TestKeep(t *testing.T) {
	text := strings.Repeat("two", 1000)
	data := file(block(6, 1, "one"), cutTxn(), restTxn(), compressed(9, 3, text), block(12, 2, "three"), marker)
	for _, room := range []int{0, 10, 5000, 1 << 20} {
		r, err := NewReader(bytes.NewReader(data), "f", ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r.Keep(make([]byte, 3, 3+room))
		var rows []Row
		within := ""
		for err == nil {
			if rows, err = r.NextTxn(rows); err == nil {
				within += fmt.Sprintf("%d %t, ", rows[len(rows)-1].LSN, r.Within())
			}
		}
		if err != io.EOF || !r.Closed() {
			t.Fatal(err)
		}
		if want := "6 false, 8 false, 11 false, 13 false, "; within != want {
			t.Errorf("%q instead of %q", within, want)
		}
		got := ""
		for i := range rows {
			_, at, _ := bytes.Cut(rows[i].Body, []byte{0x21, 0x92, 0x01})
			s, _, _ := msgpack.ReadString(at)
			got += fmt.Sprintf("%d %.3s %d, ", rows[i].LSN, s, len(s))
		}
		if want := "6 one 3, 7  0, 8  0, 9 two 3000, 10 two 3000, 11 two 3000, 12 thr 5, 13 thr 5, "; got != want {
			t.Errorf("with room for %d: %q instead of %q", room, got, want)
		}
		if kept := r.Kept(); len(kept) < 9000 || string(kept[:3]) != "\x00\x00\x00" {
			t.Errorf("%d bytes were kept", len(kept))
		}
	}
}

func TestReaderMemory(t *testing.T) {
	// A block that claims 4 GB in a file of known size is refused before any memory is taken for it.
	huge := block(7, 1, "x")
	copy(huge[4:], "\xce\xff\xff\xff\xff\x00\xce\x00\x00\x00\x00\xa3\x00\x00\x00")
	m := vfs.NewMem()
	f, _ := m.Create("/f")
	f.Write(file(huge, strings.Repeat("y", 200000)))
	r, err := Open(m, "/f", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != io.EOF || !r.Torn() || len(r.buf) > 64<<10 {
		t.Errorf("%v, torn %v, %d bytes", err, r.Torn(), len(r.buf))
	}
}

// A reader of a log that is being written ends before the block that isn't whole yet.
func TestGrowingFile(t *testing.T) {
	m := vfs.NewMem()
	f, _ := m.Create("/f")
	next := block(7, 2, strings.Repeat("x", 100000))
	f.Write(file(block(6, 1, "one"), next[:50000]))
	r, err := Open(growing{m, func() { f.Write(append(next[50000:], block(9, 1, "three")...)) }}, "/f", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var txn []Row
	for range 2 {
		txn, err = r.NextTxn(txn[:0])
	}
	if err != io.EOF || !r.Torn() {
		t.Errorf("%v, torn %v", err, r.Torn())
	}
}

// growing is a file system whose files grow right after somebody has asked for their size.
type growing struct {
	vfs.FS
	grow func()
}

func (g growing) Open(name string) (vfs.File, error) {
	f, err := g.FS.Open(name)
	return growingFile{f, g.grow}, err
}

type growingFile struct {
	vfs.File
	grow func()
}

func (f growingFile) Size() (int64, error) {
	n, err := f.File.Size()
	f.grow()
	return n, err
}

func TestReadError(t *testing.T) {
	m := vfs.NewMem()
	f, _ := m.Create("/f")
	f.Write(file(block(6, 1, strings.Repeat("x", 100000)), block(7, 1, strings.Repeat("x", 100000))))
	faulty := vfs.NewFaulty(m)
	for n := 1; n < 6; n++ {
		faulty.Heal()
		faulty.FailNth(vfs.OpRead, n, os.ErrDeadlineExceeded)
		r, err := Open(faulty, "/f", ReaderOptions{Force: true})
		for err == nil {
			_, err = r.Next()
		}
		if err == io.EOF || boxerr.From(err).Type != boxerr.TypeSystem {
			t.Errorf("read %d: %v", n, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, path := range []string{"logs-only/00000000000000000022.xlog", "sync-and-nop/00000000000000000008.xlog", "torn-tail/00000000000000000000.xlog",
		"compressed/00000000000000000451.xlog"} {
		data, err := os.ReadFile("testdata/tarantool-3.2.1/" + path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(file(block(6, 1, "one"), "\x00\x00\x00\x00\x00", block(7, 1, "two"), marker))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, force := range []bool{false, true} {
			r, err := NewReader(bytes.NewReader(data), "f", ReaderOptions{Force: force})
			if err != nil {
				continue
			}
			last := int64(0)
			for err == nil {
				_, err = r.Next()
				if r.Offset() < last || r.Good() > int64(len(data)) {
					t.Fatalf("at %d after %d, good up to %d", r.Offset(), last, r.Good())
				}
				last = r.Offset()
			}
			if err != io.EOF && boxerr.From(err).Type != boxerr.TypeXlog || force && err != io.EOF {
				t.Fatal(err)
			}
			if r.buf != nil && len(r.buf) > 4*len(data)+64<<10 {
				t.Fatalf("%d bytes of memory for a file of %d", len(r.buf), len(data))
			}
		}
	})
}

// FuzzBlock has data in a block whose header and checksum are right.
func FuzzBlock(f *testing.F) {
	f.Add(block(6, 2, "one")[BlockHeaderSize:], false)
	f.Add(compressed(6, 2, strings.Repeat("one", 100))[BlockHeaderSize:], true)
	f.Fuzz(func(t *testing.T, data []byte, compressed bool) {
		if len(data) > 1000 {
			return // what can be made of more takes too much memory for a fuzz test
		}
		b := append(make([]byte, BlockHeaderSize), data...)
		marker := plainMarker
		if compressed {
			marker = compressedMarker
		}
		putBlockHeader(b, marker, data)
		rows, end, _ := read(file(block(6, 1, "one"), b, block(7, 1, "two")), true)
		if !strings.HasPrefix(rows, "[6]") || !strings.Contains(rows, "[7]") && !strings.HasSuffix(rows, "7]") || end != "" {
			t.Errorf("%s, %q", rows, end)
		}
	})
}

func FuzzRow(f *testing.F) {
	f.Add([]byte{0x84, 0, 2, 2, 1, 3, 23, 4, 0xcb, 1, 2, 3, 4, 5, 6, 7, 8, 0x82, 0x10, 0xcd, 2, 0, 0x21, 0x92, 5, 0xa1, 0x61})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again Row
		if _, ok := decodeRow(&r, b); !ok || r.Type > 127 || r.Flags > 127 {
			return
		}
		if r.TSN == 0 {
			return // the writer takes it for a row that is alone
		}
		out := AppendRow(nil, &r)
		rest, ok := decodeRow(&again, out)
		same := reflect.DeepEqual(r, again) || r.Timestamp != r.Timestamp
		if !ok || len(rest) != 0 || !same {
			t.Errorf("%+v\n%+v", r, again)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	var data []byte
	for lsn := range int64(200) {
		rows := make([]byte, BlockHeaderSize)
		for range 1000 {
			rows = AppendRow(rows, &Row{Type: iproto.TypeInsert, LSN: lsn, TSN: lsn, Flags: FlagCommit, Timestamp: 1.5,
				Body: msgpack.AppendString([]byte{0x82, 0x10, 0xcd, 2, 0, 0x21, 0x92, 0xce, 1, 2, 3, 4}, "a text of some length, say 40 characters")})
		}
		data = AppendBlock(data, rows[BlockHeaderSize:])
	}
	data = append([]byte(header), data...)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(data), "f", ReaderOptions{})
		for err == nil {
			if _, err = r.Next(); err == nil {
				rows++
			}
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
