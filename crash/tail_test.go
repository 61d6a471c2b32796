package crash

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// database is one in this process, on a file system in memory.
type database struct {
	*box.Box
	ctx *box.Ctx
}

const dataDir = "data"

func openDatabase(fs vfs.FS, force bool) (*database, error) {
	b, err := box.Open(box.Config{FS: fs, MemtxDir: dataDir, ForceRecovery: force})
	if err != nil {
		return nil, err
	}
	b.Cord.Lock()
	defer b.Cord.Unlock()
	return &database{b, b.NewCtx(b.NewSession(box.SessionBackground))}, nil
}

// do runs f under the lock and waits for what it commits.
func (d *database) do(f func() error) error {
	d.Cord.Lock()
	d.ctx.Ticket = box.Ticket{}
	err := f()
	ticket := d.ctx.Ticket
	d.Cord.Unlock()
	if err != nil {
		return err
	}
	return ticket.Wait()
}

// put stores a tuple {id, text}.
func (d *database) put(space uint32, id int, text string) error {
	t := msgpack.AppendArrayHeader(nil, 2)
	t = msgpack.AppendUint(t, uint64(id))
	t = msgpack.AppendString(t, text)
	_, err := d.Replace(d.ctx, space, t)
	return err
}

// create makes two spaces with a secondary index each.
func (d *database) create() error {
	return d.do(func() error {
		for _, name := range []string{"a", "b"} {
			s, err := d.CreateSpace(d.ctx, name, box.SpaceSpec{})
			if err != nil {
				return err
			}
			if _, err := d.CreateIndex(d.ctx, s.ID, "pk", box.IndexSpec{}); err != nil {
				return err
			}
			text := box.IndexSpec{Keys: []box.Part{{Field: 1, Type: "string"}}}
			if _, err := d.CreateIndex(d.ctx, s.ID, "by_text", text); err != nil {
				return err
			}
		}
		return nil
	})
}

// dump shows all tuples of both spaces, by all indexes.
func (d *database) dump() (string, error) {
	d.Cord.Lock()
	defer d.Cord.Unlock()
	var out strings.Builder
	for _, space := range []uint32{accountsID, ledgerID} {
		for x := range uint32(2) {
			list, err := d.Select(d.ctx, &box.SelectRequest{Space: space, Index: x, Iterator: index.ALL, Limit: 1 << 20}, nil)
			if err != nil {
				return "", err
			}
			for _, t := range list {
				out.WriteString(t.String())
			}
			out.WriteByte('\n')
		}
	}
	return out.String(), nil
}

// end gives the database up as a sudden end does: nothing is written any more.
func (d *database) end() { d.Cord.Stop() }

// copyDir copies the files of a directory to another file system; change may give some of them another content.
func copyDir(t *testing.T, from vfs.FS, change func(name string, content []byte) []byte) *vfs.Mem {
	t.Helper()
	to := vfs.NewMem()
	names, err := from.List(dataDir)
	if err == nil {
		err = to.Mkdir(dataDir)
	}
	for _, name := range names {
		if err == nil {
			err = copyFile(from, to, path.Join(dataDir, name), func(content []byte) []byte { return change(name, content) })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func copyFile(from, to vfs.FS, name string, change func([]byte) []byte) error {
	r, err := from.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	w, err := to.Create(name)
	if err != nil {
		return err
	}
	if _, err := w.Write(change(content)); err != nil {
		return err
	}
	return w.Close()
}

// lastBlock returns where the last block of the newest log begins, and the name of the log.
func lastBlock(t *testing.T, fs vfs.FS) (name string, offset int64) {
	t.Helper()
	logs := xlog.Dir{FS: fs, Path: dataDir, Kind: xlog.Log}
	files, err := logs.Scan()
	if err != nil || len(files) == 0 {
		t.Fatalf("%d logs, %v", len(files), err)
	}
	newest := files[len(files)-1].Path
	r, err := xlog.Open(fs, newest, xlog.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for {
		if _, err = r.Next(); err != nil {
			break
		}
		offset = r.Offset()
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	return filepath.Base(newest), offset
}

// TestTail cuts and damages the journal at every byte of its last block, which holds a transaction that writes to two
// spaces. Either the server starts with the data before or after that transaction, or it says where the damage is and
// starts with force_recovery.
func TestTail(t *testing.T) {
	disk := vfs.NewMem()
	if err := disk.Mkdir(dataDir); err != nil {
		t.Fatal(err)
	}
	d, err := openDatabase(disk, false)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.create())
	for i := range 5 {
		must(d.do(func() error { return d.put(accountsID, i, fmt.Sprint("before ", i)) }))
	}
	before, err := d.dump()
	must(err)
	must(d.do(func() error {
		if err := d.Begin(d.ctx, box.TxnOptions{}); err != nil {
			return err
		}
		for i := range 4 {
			if err := d.put(accountsID+uint32(i%2), i, fmt.Sprint("after ", i)); err != nil {
				return err
			}
		}
		return d.Commit(d.ctx)
	}))
	after, err := d.dump()
	must(err)
	d.end()
	name, offset := lastBlock(t, disk)
	var size int

	damages := []struct {
		name   string
		change func(content []byte, at int) []byte
	}{
		{"cut", func(content []byte, at int) []byte { return content[:at] }},
		{"flipped", func(content []byte, at int) []byte { content[at] ^= 1 << (at % 8); return content }},
		{"zeroed", func(content []byte, at int) []byte { clear(content[at:]); return content }},
		{"garbled", func(content []byte, at int) []byte {
			for i := at; i < len(content); i++ {
				content[i] = content[i]*31 + byte(i)
			}
			return content
		}},
		{"continued", func(content []byte, at int) []byte { return append(content, content[offset:at]...) }},
	}
	copyDir(t, disk, func(file string, content []byte) []byte {
		if file == name {
			size = len(content)
		}
		return content
	})
	if size-int(offset) < 60 {
		t.Fatalf("the last block of %s has %d bytes only", name, size-int(offset))
	}
	for _, damage := range damages {
		refused := 0
		for at := int(offset); at < size; at++ {
			damaged := copyDir(t, disk, func(file string, content []byte) []byte {
				if file == name {
					return damage.change(append([]byte(nil), content...), at)
				}
				return content
			})
			d, err := openDatabase(damaged, false)
			if err != nil {
				refused++
				if damage.name == "cut" || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "offset") {
					t.Errorf("%s at %d: %v", damage.name, at, err)
				}
				if d, err = openDatabase(damaged, true); err != nil {
					t.Errorf("%s at %d: with force_recovery: %v", damage.name, at, err)
					continue
				}
			}
			got, err := d.dump()
			if err != nil || got != before && got != after || damage.name == "cut" && got != before {
				t.Errorf("%s at %d: %v, holds %s", damage.name, at, err, got)
			}
			goOn(t, damaged, d)
		}
		t.Logf("%s at each of %d bytes: refused %d times", damage.name, size-int(offset), refused)
	}
}

// goOn writes to a database that was recovered, and recovers it again.
func goOn(t *testing.T, disk vfs.FS, d *database) {
	t.Helper()
	if err := d.do(func() error { return d.put(ledgerID, 99, "later") }); err != nil {
		t.Error(err)
	}
	want, err := d.dump()
	if err != nil {
		t.Error(err)
	}
	d.end()
	clone := copyDir(t, disk, func(_ string, content []byte) []byte { return content })
	again, err := openDatabase(clone, true)
	if err != nil {
		t.Error(err)
		return
	}
	defer again.end()
	if got, err := again.dump(); err != nil || got != want {
		t.Errorf("after another start: %v, holds %s, want %s", err, got, want)
	}
}
