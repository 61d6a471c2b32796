package tuple

import (
	"sync"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// An update is a MessagePack array of operations. Each of them is an array of an operator, a field and arguments:
//
//	= field value               sets a field; behind the last one it appends, and fills a gap with nil
//	! field value               inserts before a field, or appends
//	# field count               deletes fields
//	+ - field number            adds and subtracts
//	& | ^ field unsigned        and, or, exclusive or
//	: field offset cut string   cuts bytes out of a string and puts others in their place
//
// The field is a number, counted from the index base or negative from the end, or the name of a field, or a JSON path.
// Operations run in their order and see what the ones before them did.
//
// Errors found in the operations themselves come before any of them runs. Errors from running one carry the tuple in
// the field `tuple` of the error.

// maxOps is how many operations an update can have.
const maxOps = 4000

// maxGap is how many fields an operation can fill with nil.
const maxGap = 1 << 20

// Update returns what operations make of a tuple's array, and the set of fields that they may have changed: bit i stands for
// field i, bit 63 for all from 63 on. Field numbers in the operations count from indexBase. The format, which may be
// nil, gives the names of fields.
func Update(data, ops []byte, indexBase int, f *Format) (result []byte, changed uint64, err error) {
	return AppendUpdate(nil, data, ops, indexBase, f)
}

// AppendUpdate is Update with the result appended to dst.
func AppendUpdate(dst, data, ops []byte, indexBase int, f *Format) (result []byte, changed uint64, err error) {
	return update(dst, data, ops, indexBase, f, false)
}

// Upsert is Update for an upsert: operations that can't be done are skipped. Malformed ones are errors all the same.
func Upsert(data, ops []byte, indexBase int, f *Format) (result []byte, changed uint64, err error) {
	return update(nil, data, ops, indexBase, f, true)
}

// CheckOps returns the error that Update returns before it runs an operation, whatever the tuple is.
func CheckOps(ops []byte, indexBase int, f *Format) error {
	u := updaters.Get().(*updater)
	defer u.release()
	return u.parse(ops, indexBase, f)
}

func update(dst, data, ops []byte, indexBase int, f *Format, skip bool) ([]byte, uint64, error) {
	u := updaters.Get().(*updater)
	defer u.release()
	if err := u.parse(ops, indexBase, f); err != nil {
		return nil, 0, err
	}
	var ok bool
	if u.behind, u.tail, ok = msgpack.ReadArrayHeader(data); !ok || u.behind > len(u.tail) {
		return nil, 0, boxerr.New(boxerr.TupleNotArray)
	}
	if u.inPlace() {
		return u.patch(dst, data, len(ops), skip)
	}
	for i := range u.ops {
		if err := u.run(&u.ops[i]); err != nil && !skip {
			return nil, 0, withTuple(err, data)
		}
	}
	return u.append(dst), u.changed, nil
}

// updater holds a tuple while operations change it. It is reused.
type updater struct {
	ops []operation
	// fields are the first fields, each the bytes of its value. What stands behind them has not been taken apart yet:
	// tail, which holds behind values.
	fields  [][]byte
	tail    []byte
	behind  int
	changed uint64 // see Update
	made    []byte // where new values are written
}

var updaters = sync.Pool{New: func() any { return new(updater) }}

// release makes the updater ready to be used again. It forgets whatever it points to, and large buffers.
func (u *updater) release() {
	clear(u.ops)
	clear(u.fields)
	u.ops, u.fields, u.made = u.ops[:0], u.fields[:0], u.made[:0]
	u.tail, u.behind, u.changed = nil, 0, 0
	if cap(u.fields) > 1<<12 {
		u.fields = nil
	}
	if cap(u.made) > 1<<16 {
		u.made = nil
	}
	updaters.Put(u)
}

// append writes the tuple.
func (u *updater) append(dst []byte) []byte {
	size := 5 + len(u.tail)
	for _, f := range u.fields {
		size += len(f)
	}
	if dst == nil {
		dst = make([]byte, 0, size)
	}
	dst = msgpack.AppendArrayHeader(dst, u.count())
	for _, f := range u.fields {
		dst = append(dst, f...)
	}
	return append(dst, u.tail...)
}

// count returns how many fields there are.
func (u *updater) count() int { return len(u.fields) + u.behind }

// split makes sure that the first n fields, or all if there are fewer, are in u.fields.
func (u *updater) split(n int) {
	for len(u.fields) < n && u.behind > 0 {
		v := value(u.tail)
		u.fields = append(u.fields, v)
		u.tail = u.tail[len(v):]
		u.behind--
	}
}

// mark notes that field i changes, and with all set every field behind it.
func (u *updater) mark(i int, all bool) {
	bit := uint64(1) << min(i, 63)
	if all {
		bit = ^(bit - 1)
	}
	u.changed |= bit
}

// run performs an operation. When it returns an error, nothing has changed.
func (u *updater) run(op *operation) *boxerr.Error {
	if !op.terminal() {
		return u.runInside(op)
	}
	switch op.code {
	case '=':
		return u.set(op)
	case '!':
		return u.insert(op)
	case '#':
		return u.delete(op)
	}
	return u.change(op)
}

// find turns the field number of op, which may count from the end of n fields, into one that counts from the
// beginning. The result may lie behind the end.
func (op *operation) find(n int) *boxerr.Error {
	if op.field < 0 {
		if op.field+n < 0 {
			return op.noSuchField()
		}
		op.field += n
	}
	return nil
}

var encodedNil = []byte{0xc0}

// pad appends nils until there are n fields.
func (u *updater) pad(op *operation, n int) *boxerr.Error {
	count := u.count()
	if n-count > maxGap {
		return op.noSuchField()
	}
	u.split(count)
	for ; count < n; count++ {
		u.fields = append(u.fields, encodedNil)
		u.mark(count, false)
	}
	return nil
}

func (u *updater) set(op *operation) *boxerr.Error {
	if err := op.find(u.count()); err != nil {
		return err
	}
	i := op.field
	if i >= u.count() {
		if err := u.pad(op, i); err != nil {
			return err
		}
		u.fields = append(u.fields, op.arg)
	} else {
		u.split(i + 1)
		u.fields[i] = op.arg
	}
	u.mark(i, false)
	return nil
}

func (u *updater) insert(op *operation) *boxerr.Error {
	if err := op.find(u.count() + 1); err != nil {
		return err
	}
	i := op.field
	if i > u.count() {
		if err := u.pad(op, i); err != nil {
			return err
		}
	}
	u.split(i)
	u.fields = append(u.fields, nil)
	copy(u.fields[i+1:], u.fields[i:])
	u.fields[i] = op.arg
	u.mark(i, true)
	return nil
}

func (u *updater) delete(op *operation) *boxerr.Error {
	n := u.count()
	if err := op.find(n); err != nil {
		return err
	}
	i := op.field
	if i >= n {
		return nil
	}
	end := i + int(min(int64(op.count), int64(n-i)))
	u.split(end)
	left := i + copy(u.fields[i:], u.fields[end:])
	clear(u.fields[left:])
	u.fields = u.fields[:left]
	u.mark(i, true)
	return nil
}

// change performs an operation that computes the new value of a field from the old.
func (u *updater) change(op *operation) *boxerr.Error {
	n := u.count()
	if err := op.find(n); err != nil {
		return err
	}
	if op.field >= n {
		return op.noSuchField()
	}
	u.split(op.field + 1)
	old := u.fields[op.field]
	u.room(len(old) + len(op.paste))
	made, err := op.compute(u.made, old)
	return u.replace(op, made, err)
}

// room makes sure that a value about as long as size can be appended to u.made. Where it can't, what was made before
// stays where it is, as long as fields need it.
func (u *updater) room(size int) {
	size += 64
	if cap(u.made)-len(u.made) < size {
		u.made = make([]byte, 0, max(2*size, 1024))
	}
}

// replace puts what was appended to u.made in the place of op's field, unless there was an error.
func (u *updater) replace(op *operation, made []byte, err *boxerr.Error) *boxerr.Error {
	if err != nil {
		return err
	}
	u.fields[op.field] = made[len(u.made):len(made):len(made)]
	u.made = made
	u.mark(op.field, false)
	return nil
}

// runInside performs an operation on a value inside of a field.
func (u *updater) runInside(op *operation) *boxerr.Error {
	n := u.count()
	if err := op.find(n); err != nil {
		return err
	}
	if op.field >= n {
		return op.noSuchField()
	}
	u.split(op.field + 1)
	old := u.fields[op.field]
	u.room(len(old) + len(op.arg) + len(op.paste) + len(op.path.src))
	made, err := op.edit(u.made, old)
	return u.replace(op, made, err)
}
