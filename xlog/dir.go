package xlog

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
)

// FileName is the name of the file of a kind with a signature.
func FileName(kind Kind, signature int64) string {
	return fmt.Sprintf("%020d%s", signature, kind.Ext())
}

// ParseName returns the signature in a file's name, and false for names that aren't those of files of the kind.
func ParseName(kind Kind, name string) (signature int64, ok bool) {
	digits, found := strings.CutSuffix(name, kind.Ext())
	if !found || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	signature, err := strconv.ParseInt(digits, 10, 64)
	return signature, err == nil
}

// Dir finds the files of one kind in a directory.
type Dir struct {
	FS   vfs.FS
	Path string
	Kind Kind
	// Instance is the UUID that files must have; "" takes the files of any instance.
	Instance string
	// Force leaves out files that are wrong instead of giving up.
	Force bool
	// Warn is told which files were left out. May be nil.
	Warn func(err error)
}

// File is a file that Dir found.
type File struct {
	// Path of the file.
	Path string
	// Signature from the name, which is that of Meta.VClock.
	Signature int64
	Meta      Meta
}

// Signatures returns the signatures of all files by their names alone, ascending.
func (d *Dir) Signatures() ([]int64, error) {
	names, err := d.FS.List(d.Path)
	if err != nil {
		return nil, SystemError("open", d.Path, err)
	}
	var found []int64
	for _, name := range names {
		if s, ok := ParseName(d.Kind, name); ok {
			found = append(found, s)
		} else if strings.HasSuffix(name, d.Kind.Ext()) {
			d.warn(contentError(filepath.Join(d.Path, name), 0, "skipping '%s': not a name of a %s file", name, d.Kind))
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// FilePath returns the path of the file with a signature.
func (d *Dir) FilePath(signature int64) string {
	return filepath.Join(d.Path, FileName(d.Kind, signature))
}

// Scan reads the headers of all files and returns them by ascending signature. A file with a wrong header is an error
// unless Force is set. The newest log may end within its header: a crash leaves that, and it can't hold rows.
func (d *Dir) Scan() ([]File, error) {
	signatures, err := d.Signatures()
	if err != nil {
		return nil, err
	}
	var files []File
	for i, signature := range signatures {
		f := File{Path: d.FilePath(signature), Signature: signature}
		torn, err := d.readMeta(&f)
		switch {
		case err == nil:
			files = append(files, f)
		case d.Force || torn && d.Kind == Log && i == len(signatures)-1:
			d.warn(err)
		default:
			return nil, err
		}
	}
	return files, nil
}

func (d *Dir) readMeta(file *File) (torn bool, err error) {
	f, err := d.FS.Open(file.Path)
	if err != nil {
		return false, SystemError("open", file.Path, err)
	}
	defer f.Close()
	r, torn, err := newReader(f, file.Path, ReaderOptions{})
	if err != nil {
		return torn, err
	}
	file.Meta = r.Meta
	switch {
	case r.Meta.Kind != d.Kind:
		return false, boxerr.New(boxerr.InvalidXlogType, string(d.Kind), string(r.Meta.Kind))
	case d.Instance != "" && !strings.EqualFold(r.Meta.Instance, d.Instance):
		return false, contentError(file.Path, 0, "invalid instance UUID in '%s': %s, expected %s", file.Path, r.Meta.Instance, d.Instance)
	case r.Meta.VClock.Signature() != file.Signature:
		return false, contentError(file.Path, 0, "signature check failed: '%s' holds %v", file.Path, r.Meta.VClock)
	}
	return false, nil
}

func (d *Dir) warn(err error) {
	if d.Warn != nil {
		d.Warn(err)
	}
}

// RemoveInprogress removes what interrupted writers of the kind left behind.
func (d *Dir) RemoveInprogress() error {
	names, err := d.FS.List(d.Path)
	if err != nil {
		return SystemError("open", d.Path, err)
	}
	for _, name := range names {
		whole, found := strings.CutSuffix(name, Inprogress)
		if !found {
			continue
		}
		if _, ok := ParseName(d.Kind, whole); !ok {
			continue
		}
		if err := d.FS.Remove(filepath.Join(d.Path, name)); err != nil {
			return SystemError("remove", filepath.Join(d.Path, name), err)
		}
	}
	return nil
}

// Since returns those of logs that have to be read to go on from the state at: the newest one that isn't after it, and
// all that follow. If even the oldest is after it, logs are missing, which is a GapError.
func Since(logs []File, at *vclock.VClock) ([]File, error) {
	from := -1
	for i := range logs {
		if logs[i].Meta.VClock.Compare(at) != vclock.After {
			from = i
		}
	}
	if from < 0 {
		if len(logs) > 0 {
			return logs, GapError(at, &logs[0].Meta.VClock)
		}
		return nil, nil
	}
	return logs[from:], nil
}

// Follows says whether a log follows another one without a gap, as far as its header tells.
func (m *Meta) Follows(before *Meta) bool { return m.Prev == nil || *m.Prev == before.VClock }

// GapError says that the logs between two states are missing.
func GapError(from, to *vclock.VClock) error {
	e := boxerr.New(boxerr.XlogGap, fmt.Sprintf("Missing .xlog file between LSN %d %v and %d %v",
		from.Signature(), from, to.Signature(), to))
	e.Type = "XlogGapError"
	return e
}
