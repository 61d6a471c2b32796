package vfs

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Mem is a file system in memory that remembers what was synced. The directories "/" and "." exist from the start.
//
// The model of a power cut: writes to a file reach the disk in their order, so a prefix of those since the last Sync
// survives, the last of them maybe in part or as zeros only (the size was written, the data was not). Changes of names
// reach the disk in their order as well, as they do on file systems with a journal. Content and names are independent of
// each other: a file may be renamed and yet be torn.
type Mem struct {
	mu     sync.Mutex // guards everything below, and the nodes
	dirs   map[string]*memDir
	locked map[string]bool
}

type memDir struct {
	names   map[string]*memNode // as programs see it
	durable map[string]*memNode // as of the last SyncDir
	pending []memName           // changes since then, oldest first
}

// memName is a change of names, done as a whole or not at all: node is nil where name was removed, and from is the name
// that the node had before in the same directory, "" for none.
type memName struct {
	name string
	node *memNode
	from string
}

func (c memName) apply(names map[string]*memNode) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.node == nil {
		delete(names, c.name)
	} else {
		names[c.name] = c.node
	}
}

// memNode is the content of a file.
type memNode struct {
	data     []byte
	durable  []byte // as of the last Sync
	pending  []memWrite
	modified time.Time
}

// memWrite is a change of content: data written at the end, or, when data is nil, a cut to size.
type memWrite struct {
	data []byte
	size int64
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	return &Mem{dirs: map[string]*memDir{"/": newMemDir(), ".": newMemDir()}, locked: map[string]bool{}}
}

func newMemDir() *memDir {
	return &memDir{names: map[string]*memNode{}, durable: map[string]*memNode{}}
}

func (d *memDir) change(c memName) {
	c.apply(d.names)
	d.pending = append(d.pending, c)
}

func pathError(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// lookup returns the directory and base of a name; the directory is nil where there is none.
func (m *Mem) lookup(name string) (dir *memDir, base string) {
	name = path.Clean(name)
	return m.dirs[path.Dir(name)], path.Base(name)
}

func (m *Mem) find(op, name string) (*memNode, error) {
	dir, base := m.lookup(name)
	if dir == nil || dir.names[base] == nil {
		if m.dirs[path.Clean(name)] != nil {
			return nil, pathError(op, name, syscall.EISDIR)
		}
		return nil, pathError(op, name, syscall.ENOENT)
	}
	return dir.names[base], nil
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.find("open", name)
	if err != nil {
		return nil, err
	}
	return &memFile{fs: m, node: node, name: name}, nil
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base := m.lookup(name)
	if dir == nil {
		return nil, pathError("open", name, syscall.ENOENT)
	}
	if dir.names[base] != nil || m.dirs[path.Clean(name)] != nil {
		return nil, pathError("open", name, syscall.EEXIST)
	}
	node := &memNode{modified: time.Now()}
	dir.change(memName{name: base, node: node})
	return &memFile{fs: m, node: node, name: name, write: true}, nil
}

// OpenAppend implements FS.
func (m *Mem) OpenAppend(name string) (File, error) {
	f, err := m.Open(name)
	if err != nil {
		return nil, err
	}
	f.(*memFile).write = true
	return f, nil
}

// Rename implements FS.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.find("rename", from)
	if err != nil {
		return err
	}
	src, srcBase := m.lookup(from)
	dst, dstBase := m.lookup(to)
	if dst == nil {
		return pathError("rename", to, syscall.ENOENT)
	}
	switch {
	case src != dst:
		dst.change(memName{name: dstBase, node: node})
		src.change(memName{name: srcBase})
	case srcBase != dstBase:
		dst.change(memName{name: dstBase, node: node, from: srcBase})
	}
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.find("remove", name); err != nil {
		return err
	}
	dir, base := m.lookup(name)
	dir.change(memName{name: base})
	return nil
}

// List implements FS.
func (m *Mem) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = path.Clean(dir)
	d := m.dirs[dir]
	if d == nil {
		return nil, pathError("open", dir, syscall.ENOENT)
	}
	names := slices.Collect(maps.Keys(d.names))
	for other := range m.dirs {
		if other != dir && path.Dir(other) == dir {
			names = append(names, path.Base(other))
		}
	}
	slices.Sort(names)
	return names, nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dirs[path.Clean(name)] != nil {
		return Info{Dir: true}, nil
	}
	node, err := m.find("stat", name)
	if err != nil {
		return Info{}, err
	}
	return Info{Size: int64(len(node.data)), Modified: node.modified}, nil
}

// Mkdir implements FS. A new directory is durable at once.
func (m *Mem) Mkdir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for dir = path.Clean(dir); m.dirs[dir] == nil; dir = path.Dir(dir) {
		m.dirs[dir] = newMemDir()
	}
	return nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dirs[path.Clean(dir)]
	if d == nil {
		return pathError("open", dir, syscall.ENOENT)
	}
	d.durable = maps.Clone(d.names)
	d.pending = nil
	return nil
}

// Lock implements FS.
func (m *Mem) Lock(dir string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = path.Clean(dir)
	if m.dirs[dir] == nil {
		return nil, pathError("open", dir, syscall.ENOENT)
	}
	if m.locked[dir] {
		return nil, ErrLocked
	}
	m.locked[dir] = true
	return &memLock{m, dir}, nil
}

type memLock struct {
	fs  *Mem
	dir string
}

func (l *memLock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locked, l.dir)
	return nil
}

// CrashClone returns the file system that a power cut at this moment leaves. What happens to changes that were not
// synced depends on seed only.
func (m *Mem) CrashClone(seed uint64) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	rnd := rand.New(rand.NewPCG(seed, 0))
	left := NewMem()
	nodes := map[*memNode]*memNode{}
	for _, name := range slices.Sorted(maps.Keys(m.dirs)) {
		d := m.dirs[name]
		names := maps.Clone(d.durable)
		for _, change := range d.pending[:rnd.IntN(len(d.pending)+1)] {
			change.apply(names)
		}
		to := newMemDir()
		for _, name := range slices.Sorted(maps.Keys(names)) {
			node := names[name]
			if nodes[node] == nil {
				nodes[node] = node.crash(rnd)
			}
			to.names[name] = nodes[node]
		}
		to.durable = maps.Clone(to.names)
		left.dirs[name] = to
	}
	return left
}

// crash returns what is left of a file.
func (n *memNode) crash(rnd *rand.Rand) *memNode {
	data := slices.Clone(n.durable)
	whole := rnd.IntN(len(n.pending) + 1)
	for _, w := range n.pending[:whole] {
		data = w.apply(data)
	}
	if whole < len(n.pending) {
		if w := n.pending[whole]; w.data != nil {
			part := w.data[:rnd.IntN(len(w.data)+1)]
			if rnd.IntN(4) == 0 {
				part = make([]byte, len(part))
			}
			data = append(data, part...)
		}
	}
	return &memNode{data: data, durable: slices.Clone(data), modified: n.modified}
}

func (w memWrite) apply(data []byte) []byte {
	if w.data != nil {
		return append(data, w.data...)
	}
	return resize(data, w.size)
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

// memFile is an open file. Writes always go to the end, which is all that the users of this package do.
type memFile struct {
	fs     *Mem
	node   *memNode
	name   string
	at     int64 // guarded by fs.mu, as is closed
	write  bool
	closed bool
}

func (f *memFile) begin(op string) error {
	f.fs.mu.Lock()
	if f.closed {
		f.fs.mu.Unlock()
		return pathError(op, f.name, fs.ErrClosed)
	}
	return nil
}

func (f *memFile) Read(b []byte) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.fs.mu.Unlock()
	n, err := f.readAt(b, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.fs.mu.Unlock()
	return f.readAt(b, at)
}

func (f *memFile) readAt(b []byte, at int64) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if at < 0 || at >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.node.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(b []byte) (int, error) {
	if err := f.begin("write"); err != nil {
		return 0, err
	}
	defer f.fs.mu.Unlock()
	if !f.write {
		return 0, pathError("write", f.name, syscall.EBADF)
	}
	f.node.data = append(f.node.data, b...)
	f.node.pending = append(f.node.pending, memWrite{data: append([]byte{}, b...)})
	f.node.modified = time.Now()
	return len(b), nil
}

func (f *memFile) Truncate(size int64) error {
	if err := f.begin("truncate"); err != nil {
		return err
	}
	defer f.fs.mu.Unlock()
	if !f.write || size < 0 {
		return pathError("truncate", f.name, syscall.EINVAL)
	}
	f.node.data = resize(f.node.data, size)
	f.node.pending = append(f.node.pending, memWrite{size: size})
	f.node.modified = time.Now()
	return nil
}

func (f *memFile) Sync() error {
	if err := f.begin("sync"); err != nil {
		return err
	}
	defer f.fs.mu.Unlock()
	f.node.durable = slices.Clone(f.node.data)
	f.node.pending = nil
	return nil
}

func (f *memFile) Size() (int64, error) {
	if err := f.begin("stat"); err != nil {
		return 0, err
	}
	defer f.fs.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *memFile) Close() error {
	if err := f.begin("close"); err != nil {
		return err
	}
	defer f.fs.mu.Unlock()
	f.closed = true
	return nil
}
