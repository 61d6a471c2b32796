package xlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/lycosadb/lycosa/vfs"
)

// ReaderOptions say how a file is read.
type ReaderOptions struct {
	// Force has the reader go on behind damage: the next row comes from the next whole block.
	Force bool
	// Warn is told what Force skipped. May be nil.
	Warn func(err error)
}

// Reader reads the rows of one file, one after the other.
//
// The file may still be written to: the reader then ends before the block that is not whole yet.
type Reader struct {
	// Meta is the header of the file.
	Meta Meta

	name   string
	source io.Reader
	closer io.Closer // nil if the source isn't the reader's to close
	opts   ReaderOptions

	buf        []byte
	start, end int   // the part of buf that was read and not used yet
	base       int64 // offset in the file of buf[0]
	atEnd      bool  // the source has no more
	limit      int64 // offset behind which nothing is read, -1 for none

	rows  []byte // of the block, not returned yet
	plain []byte // memory for decompressed rows, and when keep is set for all that were read since Keep
	keep  bool
	row   Row
	txn   []byte // memory for rows of a transaction that goes over the end of its block

	block  int64 // offset of the block that rows is from
	good   int64 // offset behind the last whole block
	blocks int64
	closed bool
	torn   bool
	err    error // the end: io.EOF or what went wrong
}

// Open opens a file and reads its header.
func Open(fsys vfs.FS, name string, opts ReaderOptions) (*Reader, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, SystemError("open", name, err)
	}
	r, _, err := newReader(f, name, opts)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closer = f
	return r, nil
}

// NewReader reads a file from source; name is for errors.
func NewReader(source io.Reader, name string, opts ReaderOptions) (*Reader, error) {
	r, _, err := newReader(source, name, opts)
	return r, err
}

// newReader is NewReader that tells a file that ends within its header from other errors.
func newReader(source io.Reader, name string, opts ReaderOptions) (r *Reader, torn bool, err error) {
	r = &Reader{name: name, source: source, opts: opts, buf: make([]byte, 32<<10), limit: -1}
	for want := 256; ; want *= 2 {
		whole := r.fill(want)
		if r.err != nil {
			return nil, false, r.err
		}
		meta, size, err := parseMeta(r.buf[r.start:r.end], name)
		if err != nil {
			return nil, false, err
		}
		if size > 0 {
			r.Meta = meta
			r.start += size
			r.good = r.offset()
			return r, false, nil
		}
		if !whole {
			return nil, true, contentError(name, r.offset(), "Unexpected end of file, run with 'force_recovery = true'")
		}
		if want > maxMeta {
			return nil, false, contentError(name, 0, "failed to parse xlog meta: no end of it in the first %d bytes", want)
		}
	}
}

// Close closes the file, if the reader opened it.
func (r *Reader) Close() error {
	r.rows, r.err = nil, io.EOF
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

// Next returns the next row, and io.EOF at the end. The row and its body are valid until the next call.
func (r *Reader) Next() (*Row, error) {
	if err := r.next(&r.row); err != nil {
		return nil, err
	}
	return &r.row, nil
}

// Append is Next that appends the row to rows.
func (r *Reader) Append(rows []Row) ([]Row, error) {
	rows = oneMore(rows)
	last := len(rows) - 1
	if err := r.next(&rows[last]); err != nil {
		return rows[:last], err
	}
	return rows, nil
}

// oneMore makes a list longer by a row of any content.
func oneMore(rows []Row) []Row {
	if n := len(rows); n < cap(rows) {
		return rows[:n+1]
	}
	return append(rows, Row{})
}

// Keep has the bodies of all rows from the next block on be in room, behind what it holds, so that they stay valid as long as
// nobody else uses it. If it gets too small, memory that is larger takes its place.
func (r *Reader) Keep(room []byte) {
	r.plain, r.keep = room, true
}

// Kept returns the room of Keep with what it holds by now.
func (r *Reader) Kept() []byte { return r.plain }

// Within says whether the block of the last row has more rows.
func (r *Reader) Within() bool { return len(r.rows) > 0 }

// NextTxn appends the rows of the next transaction to rows, and returns io.EOF when there is no whole one any more. The
// bodies are valid until the next call.
func (r *Reader) NextTxn(rows []Row) ([]Row, error) {
	from, copied := len(rows), len(rows)
	r.txn = r.txn[:0]
	for {
		// The writer doesn't divide transactions. If another one did, its earlier rows must outlive their block.
		if len(r.rows) == 0 && !r.keep {
			for ; copied < len(rows); copied++ {
				at := len(r.txn)
				r.txn = append(r.txn, rows[copied].Body...)
				rows[copied].Body = r.txn[at:len(r.txn):len(r.txn)]
			}
		}
		rows = oneMore(rows)
		if err := r.next(&rows[len(rows)-1]); err != nil {
			return rows[:from], err
		}
		if rows[len(rows)-1].Commit() {
			return rows, nil
		}
	}
}

// SetForce changes ReaderOptions.Force for what follows.
func (r *Reader) SetForce(force bool) { r.opts.Force = force }

// Force is ReaderOptions.Force.
func (r *Reader) Force() bool { return r.opts.Force }

// Offset is where the block of the last row begins in the file.
func (r *Reader) Offset() int64 { return r.block }

// Good is where the last whole block read so far ends, or the header: what is appended to a log belongs there.
func (r *Reader) Good() int64 { return r.good }

// Blocks is the number of blocks read so far.
func (r *Reader) Blocks() int64 { return r.blocks }

// Closed says whether the end marker was read.
func (r *Reader) Closed() bool { return r.closed }

// Torn says whether the file ends in the middle of a block.
func (r *Reader) Torn() bool { return r.torn }

func (r *Reader) next(row *Row) error {
	for {
		for len(r.rows) == 0 {
			if r.err == nil {
				r.nextBlock()
			}
			if r.err != nil {
				return r.err
			}
		}
		rest, ok := decodeRow(row, r.rows)
		if ok {
			r.rows = rest
			return nil
		}
		r.rows = nil
		r.damage(damageError(r.name, r.block, "broken row in the block"))
	}
}

// nextBlock reads the next block, or sets r.err.
func (r *Reader) nextBlock() {
	if !r.fill(markerSize) {
		r.torn = r.err == nil && r.start < r.end
		r.finish()
		return
	}
	switch binary.BigEndian.Uint32(r.buf[r.start:]) {
	case plainMarker, compressedMarker:
		r.readBlock()
	case endMarker:
		r.start += markerSize
		r.closed = true
		if !r.fill(1) {
			r.finish()
			return
		}
		if r.damage(damageError(r.name, r.offset(), "there is data after the end marker")) {
			r.closed = false
			r.search()
		}
	case 0:
		r.zeros()
	default:
		err := damageError(r.name, r.offset(), "invalid magic: 0x%x", binary.BigEndian.Uint32(r.buf[r.start:]))
		if r.damage(err) {
			r.search()
		}
	}
}

// readBlock reads a block whose marker is at r.start.
func (r *Reader) readBlock() {
	if !r.fill(BlockHeaderSize) {
		r.tail()
		return
	}
	h, wrong := parseBlockHeader(r.buf[r.start:])
	if wrong != "" {
		if r.damage(damageError(r.name, r.offset(), "%s", wrong)) {
			r.start++
			r.search()
		}
		return
	}
	if !r.fillBlock(h) {
		r.tail()
		return
	}
	size := BlockHeaderSize + int(h.size)
	payload := r.buf[r.start+BlockHeaderSize : r.start+size]
	if sum := checksum(payload); sum != h.checksum {
		err := damageError(r.name, r.offset(), "tx checksum mismatch: 0x%x, expected 0x%x,", sum, h.checksum)
		if r.damage(err) {
			r.skip(size)
		}
		return
	}
	rows := payload
	room := r.plain
	if !r.keep {
		room = room[:0]
	}
	switch at := len(room); {
	case h.compressed:
		var err error
		room, err = decoder().DecodeAll(payload, room)
		if err != nil {
			if r.damage(damageError(r.name, r.offset(), "can't decompress the block (%v)", err)) {
				r.skip(size)
			}
			return
		}
		r.plain, rows = room, room[at:]
	case r.keep:
		r.plain = append(room, payload...)
		rows = r.plain[at:]
	}
	r.block = r.offset()
	r.rows = rows
	r.start += size
	r.good = r.offset()
	r.blocks++
}

// tail deals with a block that says it has more bytes than the file: the end of the data, as a crash leaves it. When
// whole blocks follow, its length is damaged instead, and ending here would lose them without a word.
func (r *Reader) tail() {
	if r.err != nil {
		return
	}
	at := r.offset()
	r.start++
	r.search()
	if r.err == io.EOF {
		r.torn = true
		return
	}
	if r.err == nil {
		r.damage(damageError(r.name, at, "the length of the block is wrong: whole blocks follow it"))
	}
}

// zeros deals with a marker of zeros. Nothing but zeros up to the end is a tail that was never written: some file systems
// leave that after a power cut.
func (r *Reader) zeros() {
	at := r.offset()
	for r.err == nil && r.fill(1) {
		rest := bytes.TrimLeft(r.buf[r.start:r.end], "\x00")
		r.start = r.end - len(rest)
		if len(rest) > 0 {
			if r.damage(damageError(r.name, at, "invalid magic: 0x0")) {
				r.search()
			}
			return
		}
	}
	r.torn = r.err == nil
	r.finish()
}

// skip goes on behind a block of size bytes, header and all, whose content is damaged. Its length is taken as right if
// something that may follow a block stands there, so that what looks like a block inside of it is not taken for one.
func (r *Reader) skip(size int) {
	switch {
	case r.fill(size + markerSize):
		switch binary.BigEndian.Uint32(r.buf[r.start+size:]) {
		case plainMarker, compressedMarker, endMarker:
			r.start += size
			return
		}
	case r.end-r.start == size:
		r.start += size
	}
	r.start = min(r.start+1, r.end)
	r.search()
}

// search goes on at the next block that is whole, or at the end marker, or ends the file.
func (r *Reader) search() {
	for r.fill(markerSize) {
		at := bytes.IndexByte(r.buf[r.start:r.end-markerSize+1], markerStart)
		if at < 0 {
			r.start = r.end - markerSize + 1
			continue
		}
		r.start += at
		if r.atBlock() {
			return
		}
		r.start++
	}
	r.finish()
}

// atBlock says whether a whole block or the end marker stands at r.start.
func (r *Reader) atBlock() bool {
	switch binary.BigEndian.Uint32(r.buf[r.start:]) {
	case endMarker:
		return !r.fill(markerSize + 1)
	case plainMarker, compressedMarker:
		if !r.fill(BlockHeaderSize) {
			return false
		}
		h, wrong := parseBlockHeader(r.buf[r.start:])
		if wrong != "" || !r.fillBlock(h) {
			return false
		}
		payload := r.buf[r.start+BlockHeaderSize:][:h.size]
		return checksum(payload) == h.checksum
	}
	return false
}

// damage reports whether to go on after err.
func (r *Reader) damage(err error) bool {
	if r.err != nil {
		return false
	}
	if !r.opts.Force {
		r.err = err
		return false
	}
	if r.opts.Warn != nil {
		r.opts.Warn(err)
	}
	return true
}

func (r *Reader) finish() {
	if r.err == nil {
		r.err = io.EOF
	}
}

// offset is where r.start is in the file.
func (r *Reader) offset() int64 { return r.base + int64(r.start) }

// sizer is a source that knows how many bytes it has.
type sizer interface{ Size() (int64, error) }

// fillBlock reads the block at r.start as a whole and reports false if the file has less.
func (r *Reader) fillBlock(h blockHeader) bool {
	if h.size > math.MaxInt-BlockHeaderSize {
		return false
	}
	n := BlockHeaderSize + int(h.size)
	if n > r.end-r.start {
		// A length that can't be right shall not make us read all of the file into memory.
		// If it grows meanwhile, what comes is not looked at either.
		if s, ok := r.source.(sizer); ok && r.limit < 0 {
			if size, err := s.Size(); err == nil && r.offset()+int64(n) > size {
				r.limit = size
			}
		}
		if r.limit >= 0 && r.offset()+int64(n) > r.limit {
			return false
		}
	}
	return r.fill(n)
}

// fill reads on until n bytes are there from r.start on, and reports false if the file has less, or with r.err set. The
// bytes before r.start are given up. Memory grows with what was read, not with n.
func (r *Reader) fill(n int) bool {
	for r.end-r.start < n && !r.atEnd {
		if r.start > 0 && (r.start == r.end || r.end == len(r.buf)) {
			r.base += int64(r.start)
			r.end = copy(r.buf, r.buf[r.start:r.end])
			r.start = 0
		}
		if r.end == len(r.buf) {
			grown := make([]byte, 2*len(r.buf))
			copy(grown, r.buf)
			r.buf = grown
		}
		room := r.buf[r.end:]
		if left := r.limit - r.base - int64(r.end); r.limit >= 0 && int64(len(room)) >= left {
			room, r.atEnd = room[:max(left, 0)], left <= 0
			if r.atEnd {
				break
			}
		}
		got, err := r.source.Read(room)
		r.end += got
		switch {
		case errors.Is(err, io.EOF):
			r.atEnd = true
		case err != nil:
			if r.err == nil {
				r.err = SystemError("read", r.name, err)
			}
			return false
		}
	}
	return r.end-r.start >= n
}
