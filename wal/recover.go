package wal

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// Recovery reads a data directory back: first Snapshot, then Logs, then Clean. M is what Prepare makes of a row.
type Recovery[M any] struct {
	FS vfs.FS
	// SnapDir and LogDir hold the checkpoints and the logs.
	SnapDir, LogDir string
	// Force skips what can't be read or applied, as far as that makes sense.
	Force bool
	// Warn is told what Force skipped, and what is odd. May be nil. Calls come one at a time, from several goroutines.
	Warn func(err error)
	// Reading is called before each file is read, Progress after it with the number of its rows. May be nil.
	Reading  func(file string)
	Progress func(file string, rows int64)

	// Prepare is called with rows before it is their turn to be applied, by several goroutines at a time, to make something
	// of them that needs nothing of the rows before: made[i] of rows[i]. It finds there what it made of an earlier row, which
	// nobody uses any more. May be nil.
	Prepare func(rows []xlog.Row, made []M)

	// Instance is the UUID of the instance whose files these are, set by Snapshot.
	Instance string
	// VClock is the state that was reached.
	VClock vclock.VClock

	warning sync.Mutex // keeps calls of Warn apart
}

// firstUserSpace is the id from which spaces are not those of the system.
const firstUserSpace = 512

// Snapshot reads the newest snapshot and gives its rows to apply, whose error ends it. It returns false if there is none:
// the directory is a fresh one. With Force, rows of user spaces that are damaged or can't be applied are left out.
func (r *Recovery[M]) Snapshot(apply func(row *xlog.Row, made *M) error) (found bool, err error) {
	for _, dir := range []string{r.SnapDir, r.LogDir} {
		if err := checkDir(r.FS, dir); err != nil {
			return false, err
		}
	}
	snaps := xlog.Dir{FS: r.FS, Path: r.SnapDir, Kind: xlog.Snap, Force: r.Force, Warn: r.Warn}
	files, err := snaps.Scan()
	if err != nil {
		return false, err
	}
	if len(files) == 0 {
		logs := xlog.Dir{FS: r.FS, Path: r.LogDir, Kind: xlog.Log}
		if left, err := logs.Signatures(); err != nil || len(left) == 0 {
			return false, err
		}
		// A fresh database here would take the place of one whose snapshots were lost.
		return false, boxerr.New(boxerr.MissingSnapshot)
	}
	newest := &files[len(files)-1]
	r.Instance, r.VClock = newest.Meta.Instance, newest.Meta.VClock
	return true, r.readSnapshot(newest.Path, apply)
}

func (r *Recovery[M]) readSnapshot(path string, apply func(row *xlog.Row, made *M) error) error {
	s, err := xlog.Open(r.FS, path, xlog.ReaderOptions{Warn: r.warn})
	if err != nil {
		return err
	}
	defer s.Close()
	if r.Reading != nil {
		r.Reading(path)
	}
	// All of the system's rows must be there: behind them, a loss is one of data only.
	lenient := func(row *xlog.Row) bool {
		space, _ := row.Space()
		return space >= firstUserSpace
	}
	in := readAhead(s, func(rows []xlog.Row) ([]xlog.Row, error) {
		rows, err := s.Append(rows)
		if err == nil && r.Force && lenient(&rows[len(rows)-1]) {
			s.SetForce(true)
		}
		return rows, err
	}, r.Prepare)
	var rows int64
	force := false
	err = in.each(func(row []xlog.Row, made []M) error {
		force = force || r.Force && lenient(&row[0])
		rows++
		err := apply(&row[0], &made[0])
		if err != nil && force {
			r.warn(err)
			err = nil
		}
		return err
	})
	in.close()
	if err != nil {
		return err
	}
	if !s.Closed() {
		err := boxerr.OfType(boxerr.TypeXlog, "snapshot '%s' has no EOF marker", path)
		if !s.Force() {
			return err
		}
		r.warn(err)
	}
	if r.Progress != nil {
		r.Progress(path, rows)
	}
	return nil
}

// Logs reads the logs since the snapshot and gives each transaction to apply, without the rows that were in the snapshot.
// A torn end of a log is the end of its data. An error of apply ends it, unless Force is set.
func (r *Recovery[M]) Logs(apply func(rows []xlog.Row, made []M) error) error {
	dir := xlog.Dir{FS: r.FS, Path: r.LogDir, Kind: xlog.Log, Instance: r.Instance, Force: r.Force, Warn: r.Warn}
	files, err := dir.Scan()
	if err != nil {
		return err
	}
	files, err = xlog.Since(files, &r.VClock)
	if err != nil {
		if !r.Force {
			return err
		}
		r.warn(err)
	}
	for i := range files {
		meta := &files[i].Meta
		if i > 0 && !meta.Follows(&files[i-1].Meta) {
			err := xlog.GapError(&r.VClock, &meta.VClock)
			if !r.Force {
				return err
			}
			r.warn(err)
		}
		// Rows that are missing were skipped on purpose: nothing may get their numbers again.
		if r.VClock.Compare(&meta.VClock) == vclock.Before {
			r.VClock = meta.VClock
		}
		if err := r.readLog(files[i].Path, apply); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recovery[M]) readLog(path string, apply func(rows []xlog.Row, made []M) error) error {
	l, err := xlog.Open(r.FS, path, xlog.ReaderOptions{Force: r.Force, Warn: r.warn})
	if err != nil {
		return err
	}
	defer l.Close()
	if r.Reading != nil {
		r.Reading(path)
	}
	var count int64
	in := readAhead(l, l.NextTxn, r.Prepare)
	err = in.each(func(rows []xlog.Row, made []M) error {
		count += int64(len(rows))
		fresh := 0
		for i := range rows {
			if id := rows[i].Component(); rows[i].LSN > r.VClock.Get(id) {
				r.VClock.Follow(id, rows[i].LSN)
				if fresh < i {
					rows[fresh] = rows[i]
					made[fresh], made[i] = made[i], made[fresh]
				}
				fresh++
			}
		}
		if fresh == 0 {
			return nil
		}
		err := apply(rows[:fresh], made[:fresh])
		if err != nil && r.Force {
			r.warn(err)
			err = nil
		}
		return err
	})
	in.close()
	if err != nil {
		return err
	}
	if l.Torn() {
		r.warn(boxerr.OfType(boxerr.TypeXlog, "'%s' ends in the middle of a block: nothing behind offset %d is used", path, l.Good()))
	}
	if r.Progress != nil {
		r.Progress(path, count)
	}
	return nil
}

// Clean removes what interrupted writers left in the directories.
func (r *Recovery[M]) Clean() error {
	snaps := xlog.Dir{FS: r.FS, Path: r.SnapDir, Kind: xlog.Snap}
	if err := snaps.RemoveInprogress(); err != nil {
		return err
	}
	logs := xlog.Dir{FS: r.FS, Path: r.LogDir, Kind: xlog.Log}
	return logs.RemoveInprogress()
}

func (r *Recovery[M]) warn(err error) {
	if r.Warn != nil {
		r.warning.Lock()
		defer r.warning.Unlock()
		r.Warn(err)
	}
}

// checkDir fails if there is no such directory.
func checkDir(fsys vfs.FS, dir string) error {
	if _, err := fsys.List(dir); err != nil {
		return xlog.SystemError("open", dir, err)
	}
	return nil
}

// Lock takes a directory of logs for this process. The error is ALREADY_RUNNING if another one has it.
func Lock(fsys vfs.FS, dir string) (io.Closer, error) {
	lock, err := fsys.Lock(dir)
	switch {
	case errors.Is(err, vfs.ErrLocked):
		return nil, boxerr.New(boxerr.AlreadyRunning, filepath.Clean(dir))
	case errors.Is(err, fs.ErrNotExist):
		return nil, xlog.SystemError("open", dir, err)
	case err != nil:
		return nil, xlog.SystemError("lock", dir, err)
	}
	return lock, nil
}
