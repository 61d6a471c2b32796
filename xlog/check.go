package xlog

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
)

// Report is what CheckDir found.
type Report struct {
	// Files are the snapshots and the logs of the directory, by kind and signature.
	Files []FileReport
	// Problems are those that no single file has, such as logs that are missing.
	Problems []string
}

// FileReport describes a file.
type FileReport struct {
	Name string
	Meta Meta
	// Size in bytes.
	Size int64
	// Blocks, Txns and Rows that could be read.
	Blocks, Txns, Rows int64
	// Closed files have an end marker, torn ones end in the middle of a block.
	Closed, Torn bool
	// Problems are what keeps a server from starting without force_recovery, or loses data with it.
	Problems []string
	// Notes are what is worth knowing, but in order.
	Notes []string

	after vclock.VClock // behind the last row
}

// OK says whether there is no problem at all.
func (r *Report) OK() bool {
	for i := range r.Files {
		if len(r.Files[i].Problems) > 0 {
			return false
		}
	}
	return len(r.Problems) == 0
}

// CheckDir reads all snapshots and logs of a directory and reports what is in them and what is wrong with them. It changes
// nothing. The error is that of the directory itself; files that can't be read are problems.
func CheckDir(fsys vfs.FS, dir string) (*Report, error) {
	report := &Report{}
	var snaps, logs []*FileReport
	for _, kind := range []Kind{Snap, Log} {
		d := Dir{FS: fsys, Path: dir, Kind: kind, Warn: func(err error) { report.Problems = append(report.Problems, err.Error()) }}
		signatures, err := d.Signatures()
		if err != nil {
			return nil, err
		}
		first := len(report.Files)
		for i, s := range signatures {
			report.Files = append(report.Files, checkFile(&d, s, kind == Log && i == len(signatures)-1))
		}
		for i := first; i < len(report.Files); i++ {
			if f := &report.Files[i]; f.Meta.Kind == kind {
				if kind == Snap {
					snaps = append(snaps, f)
				} else {
					logs = append(logs, f)
				}
			}
		}
	}
	report.checkChain(snaps, logs)
	return report, nil
}

// checkFile reads one file. A log that is the newest may end anywhere.
func checkFile(d *Dir, signature int64, newest bool) (f FileReport) {
	f.Name = FileName(d.Kind, signature)
	path := filepath.Join(d.Path, f.Name)
	problem := func(format string, args ...any) { f.Problems = append(f.Problems, fmt.Sprintf(format, args...)) }
	if info, err := d.FS.Stat(path); err == nil {
		f.Size = info.Size
	}
	file := File{Path: path, Signature: signature}
	if torn, err := d.readMeta(&file); err != nil {
		if torn && newest {
			f.Notes = append(f.Notes, "ends within its header: a crash left it, and it is ignored")
		} else {
			problem("%v", err)
		}
		return f
	}
	r, err := Open(d.FS, path, ReaderOptions{Force: true, Warn: func(err error) { problem("%v", err) }})
	if err != nil {
		problem("%v", err)
		return f
	}
	defer r.Close()
	f.Meta, f.after = r.Meta, r.Meta.VClock
	var rows []Row
	system := false
	for {
		rows, err = r.NextTxn(rows[:0])
		if err != nil {
			break
		}
		f.Txns++
		f.Rows += int64(len(rows))
		for i := range rows {
			if d.Kind == Log {
				f.follow(&rows[i])
			}
			space, found := rows[i].Space()
			system = system || found && space < firstUserSpace
		}
	}
	if err != io.EOF {
		problem("%v", err)
	}
	f.Blocks, f.Closed, f.Torn = r.Blocks(), r.Closed(), r.Torn()
	switch {
	case d.Kind == Snap && !f.Closed:
		problem("there is no end marker: the snapshot is not whole")
	case d.Kind == Snap && !system && len(f.Problems) == 0:
		problem("there are no rows of system spaces")
	case f.Torn:
		f.Notes = append(f.Notes, fmt.Sprintf("%d bytes at the end are part of a block: a crash left them, and they are ignored", f.Size-r.Good()))
	case !f.Closed && !newest:
		f.Notes = append(f.Notes, "there is no end marker: the server did not end cleanly")
	}
	return f
}

// follow checks the number of a row of a log.
func (f *FileReport) follow(row *Row) {
	id := row.Component()
	switch last := f.after.Get(id); {
	case row.LSN <= last:
		f.Problems = append(f.Problems, fmt.Sprintf("the row with lsn %d of component %d comes after one with %d", row.LSN, id, last))
	case row.LSN > last+1:
		f.Notes = append(f.Notes, fmt.Sprintf("lsn %d of component %d follows %d", row.LSN, id, last))
	}
	f.after.Follow(id, row.LSN)
}

// checkChain looks whether the files belong together and the logs follow the newest snapshot and each other.
func (r *Report) checkChain(snaps, logs []*FileReport) {
	problem := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	all := append(append([]*FileReport{}, snaps...), logs...)
	for _, f := range all {
		if f.Meta.Instance != all[0].Meta.Instance {
			f.Problems = append(f.Problems, fmt.Sprintf("invalid instance UUID: %s, but %s has %s", f.Meta.Instance, all[0].Name, all[0].Meta.Instance))
		}
	}
	for i := 1; i < len(logs); i++ {
		before, log := logs[i-1], logs[i]
		switch {
		case !log.Meta.Follows(&before.Meta):
			problem("%v: %s does not follow %s", GapError(&before.after, &log.Meta.VClock), log.Name, before.Name)
		case log.Meta.VClock.Compare(&before.after) == vclock.After:
			problem("%v: rows at the end of %s are lost", GapError(&before.after, &log.Meta.VClock), before.Name)
		}
	}
	if len(snaps) == 0 {
		if len(logs) > 0 {
			problem("there are logs, but no snapshot")
		}
		return
	}
	files := make([]File, len(logs))
	for i, log := range logs {
		files[i] = File{Path: log.Name, Signature: log.Meta.VClock.Signature(), Meta: log.Meta}
	}
	if _, err := Since(files, &snaps[len(snaps)-1].Meta.VClock); err != nil {
		problem("%v", err)
	}
}

// Print writes the report as text, a line for each file, problem and note.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Files {
		state := "open"
		switch {
		case len(f.Problems) > 0:
			state = "damaged"
		case f.Torn:
			state = "torn"
		case f.Closed:
			state = "closed"
		}
		fmt.Fprintf(&b, "%s  %v  %d bytes, %d blocks, %d transactions, %d rows, %s\n", f.Name, f.Meta.VClock, f.Size, f.Blocks, f.Txns, f.Rows, state)
		for _, p := range f.Problems {
			fmt.Fprintf(&b, "  problem: %s\n", p)
		}
		for _, n := range f.Notes {
			fmt.Fprintf(&b, "  note: %s\n", n)
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "problem: %s\n", p)
	}
	if r.OK() {
		fmt.Fprintf(&b, "%d files, no problems\n", len(r.Files))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
