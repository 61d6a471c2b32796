package wal

import (
	"io"

	"github.com/lycosadb/lycosa/xlog"
)

// portion is some rows of a file, with their bodies in memory of its own.
type portion struct {
	rows []xlog.Row
	ends []int // where transactions end: the index behind the last row of each
	room []byte
	err  error // why there are no more rows behind these, io.EOF at the end of the file
}

const (
	// portionSize is how many bytes of rows make a portion.
	portionSize = 256 << 10
	// portions is how many there are: one to be applied, one that is being read and one in between.
	portions = 3
)

// add appends what read appends to a list of rows, as a transaction. Bodies need be valid only until the next read.
func (b *portion) add(read func(rows []xlog.Row) ([]xlog.Row, error)) {
	from := len(b.rows)
	if b.rows, b.err = read(b.rows); b.err != nil {
		return
	}
	for i := from; i < len(b.rows); i++ {
		at := len(b.room)
		b.room = append(b.room, b.rows[i].Body...)
		b.rows[i].Body = b.room[at:len(b.room):len(b.room)]
	}
	b.ends = append(b.ends, len(b.rows))
}

// ahead reads a file on a goroutine of its own, while the rows that it has read are applied.
type ahead struct {
	full, free chan *portion
	stop       chan struct{}
	ended      chan struct{}
}

// readAhead begins to read. read appends the rows of the next transaction to a list, or returns an error at the end. Until
// close, the file belongs to the goroutine that calls it.
func readAhead(read func(rows []xlog.Row) ([]xlog.Row, error)) *ahead {
	a := &ahead{make(chan *portion, portions), make(chan *portion, portions), make(chan struct{}), make(chan struct{})}
	for range portions {
		a.free <- &portion{room: make([]byte, 0, portionSize+portionSize/4)}
	}
	go a.run(read)
	return a
}

func (a *ahead) run(read func(rows []xlog.Row) ([]xlog.Row, error)) {
	defer close(a.ended)
	for {
		var b *portion
		select {
		case <-a.stop:
			return
		case b = <-a.free:
		}
		b.rows, b.ends, b.room = b.rows[:0], b.ends[:0], b.room[:0]
		for b.err == nil && len(b.room) < portionSize {
			b.add(read)
		}
		a.full <- b // there is room for all
		if b.err != nil {
			return
		}
	}
}

// each gives each transaction to apply, whose error it returns. At the end of the file it returns nil.
func (a *ahead) each(apply func(rows []xlog.Row) error) error {
	for {
		b := <-a.full
		from := 0
		for _, end := range b.ends {
			if err := apply(b.rows[from:end]); err != nil {
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
func (a *ahead) close() {
	close(a.stop)
	<-a.ended
}
