package tuple

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// FieldDef is one field of a format.
type FieldDef struct {
	Name      string
	Type      FieldType
	Nullable  bool
	Default   bool       // the field has a default value or function, so that nil is let through
	Collation *Collation // nil when strings are ordered by bytes
}

// Format says which tuples a space takes and how their fields are called. A format without fields takes all tuples.
type Format struct {
	ID         uint32     // never 0 and never used again for another format
	Fields     []FieldDef // not to be changed
	FieldCount int        // how many fields a tuple must have; 0 is any number

	names   map[string]int
	nodes   []*formatNode // for each field that is checked
	checked int           // behind how many fields nothing is checked any more
	nested  bool          // there are nodes inside of fields
}

// formatNode is what a format knows of a field, or of a value inside of one that is a part of a key.
type formatNode struct {
	token    PathToken
	parent   *formatNode
	name     string // of a field
	id       int    // in the order in which missing values are reported
	typ      FieldType
	nullable bool // may be nil
	required bool // may not be missing
	declared bool // a field of the format's definition
	keyPart  bool // a part of a key
	kids     []*formatNode
	any      *formatNode // the kid behind [*]
}

// maxID stands for no node at all.
const maxID = math.MaxInt

// formats is the registry of formats: formats.list[id-1] has the id.
var formats struct {
	sync.Mutex                           // guards the registration of formats
	list       atomic.Pointer[[]*Format] // read without the lock
	known      map[string]*Format        // by description, so that equal formats are one
}

// FormatByID returns the format with an id, or nil. For one that Renamed has given way to another it is that one.
func FormatByID(id uint32) *Format {
	list := formats.list.Load()
	if list == nil || id == 0 || int(id) > len(*list) {
		return nil
	}
	return (*list)[id-1]
}

// NewFormatOf returns the format with the given fields, in which the parts of the given keys must have their types.
// exactFieldCount is how many fields a tuple must have, 0 for any number. The errors are
// FORMAT_MISMATCH_INDEX_PART, INDEX_PART_TYPE_MISMATCH, MULTIKEY_INDEX_MISMATCH and SPACE_FIELD_IS_DUPLICATE.
func NewFormatOf(fields []FieldDef, exactFieldCount int, keys []*KeyDef) (*Format, error) {
	return NewFormatIn("", fields, exactFieldCount, keys)
}

// NewFormatIn is NewFormatOf for formats that are shared only with others of the same owner, a space as a rule.
func NewFormatIn(owner string, fields []FieldDef, exactFieldCount int, keys []*KeyDef) (*Format, error) {
	f := &Format{Fields: append([]FieldDef(nil), fields...), FieldCount: exactFieldCount}
	if err := f.build(keys); err != nil {
		return nil, err
	}
	return register(f, owner+describe(f, keys)), nil
}

// Renamed makes tuples that were made with one format have the names of another: those of a space whose fields were
// renamed. From then on FormatByID returns the new format for the id of the old one. undo takes that back.
func Renamed(old, new *Format) (undo func()) {
	var ids []int
	set := func(to *Format) {
		list := append([]*Format(nil), *formats.list.Load()...) // readers keep the list that they have
		for _, i := range ids {
			list[i] = to
		}
		formats.list.Store(&list)
	}
	formats.Lock()
	defer formats.Unlock()
	for i, f := range *formats.list.Load() {
		if f == old {
			ids = append(ids, i)
		}
	}
	set(new)
	description := ""
	for d, f := range formats.known {
		if f == old {
			description = d // whoever asks for the old format again gets another id
			delete(formats.known, d)
		}
	}
	return func() {
		formats.Lock()
		defer formats.Unlock()
		set(old)
		if description != "" && formats.known[description] == nil {
			formats.known[description] = old
		}
	}
}

// describe returns a text that is equal for equal formats.
func describe(f *Format, keys []*KeyDef) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", f.FieldCount)
	for _, d := range f.Fields {
		fmt.Fprintf(&b, " %q %d %t %t %p", d.Name, d.Type, d.Nullable, d.Default, d.Collation)
	}
	for _, k := range keys {
		b.WriteString(" |")
		for _, p := range k.Parts {
			fmt.Fprintf(&b, " %d %d %t %q", p.Field, p.Type, p.Nullable, p.Path)
		}
	}
	return b.String()
}

// register gives f an id, unless there is the same format already.
func register(f *Format, description string) *Format {
	formats.Lock()
	defer formats.Unlock()
	if known := formats.known[description]; known != nil {
		return known
	}
	if formats.known == nil {
		formats.known = make(map[string]*Format)
	}
	var list []*Format
	if old := formats.list.Load(); old != nil {
		list = *old
	}
	// Readers of the old list see fewer items of what may be the same array: none that is there is ever changed.
	list = append(list, f)
	f.ID = uint32(len(list))
	formats.list.Store(&list)
	formats.known[description] = f
	return f
}

func (f *Format) build(keys []*KeyDef) error {
	f.names = make(map[string]int, len(f.Fields))
	for i, d := range f.Fields {
		if _, twice := f.names[d.Name]; twice {
			return boxerr.New(boxerr.SpaceFieldIsDuplicate, d.Name)
		}
		f.names[d.Name] = i
		f.nodes = append(f.nodes, &formatNode{
			token: PathToken{Kind: TokenIndex, Index: i}, name: d.Name, id: i, typ: d.Type,
			nullable: d.Nullable || d.Default, declared: true,
		})
	}
	for _, k := range keys {
		for i := range k.parts {
			for n := len(f.nodes); n <= k.parts[i].field; n++ {
				f.nodes = append(f.nodes, &formatNode{
					token: PathToken{Kind: TokenIndex, Index: n}, id: n, typ: Any, nullable: true,
				})
			}
		}
	}
	nextID := len(f.nodes)
	for _, k := range keys {
		for i := range k.parts {
			if err := f.addPart(&k.parts[i], &nextID); err != nil {
				return err
			}
		}
	}
	for i, n := range f.nodes {
		n.finish()
		f.nested = f.nested || n.hasKids()
		if n.typ != Any || !n.nullable || n.hasKids() {
			f.checked = i + 1
		}
	}
	return nil
}

func (n *formatNode) hasKids() bool { return n.any != nil || len(n.kids) > 0 }

// addPart puts a part of a key into the tree of nodes.
func (f *Format) addPart(p *part, nextID *int) error {
	n := f.nodes[p.field]
	for _, tok := range p.path {
		want := Array
		if tok.Kind == TokenKey {
			want = Map
		}
		if err := n.narrow(want, boxerr.IndexPartTypeMismatch); err != nil {
			return err
		}
		n.nullable = n.nullable && p.nullable
		if (tok.Kind == TokenAny) != (n.any != nil) && n.hasKids() {
			return boxerr.New(boxerr.MultikeyIndexMismatch, n.path())
		}
		n = n.kid(tok, nextID)
	}
	code := boxerr.IndexPartTypeMismatch
	if n.declared && !n.keyPart {
		code = boxerr.FormatMismatchIndexPart
	}
	if err := n.narrow(p.typ, code); err != nil {
		return err
	}
	n.keyPart = true
	n.nullable = n.nullable && p.nullable
	return nil
}

// narrow makes the type of a node the narrower one of its own and t, or returns an error if neither contains the
// other.
func (n *formatNode) narrow(t FieldType, code boxerr.Code) error {
	switch {
	case n.typ.Contains(t):
		n.typ = t
	case !t.Contains(n.typ):
		return boxerr.New(code, n.path(), n.typ.String(), t.String())
	}
	return nil
}

// kid returns the node that a step of a path leads to, and makes it if it isn't there.
func (n *formatNode) kid(tok PathToken, nextID *int) *formatNode {
	for _, k := range n.kids {
		if k.token == tok {
			return k
		}
	}
	if tok.Kind == TokenAny && n.any != nil {
		return n.any
	}
	k := &formatNode{token: tok, parent: n, id: *nextID, typ: Any, nullable: true}
	*nextID++
	if tok.Kind == TokenAny {
		n.any = k
	} else {
		n.kids = append(n.kids, k)
	}
	return k
}

// finish computes what may not be missing: what is not nullable and doesn't hold parts of keys, and a field of the
// format that is not nullable and holds only nullable ones.
func (n *formatNode) finish() {
	for _, k := range n.kids {
		k.finish()
	}
	if n.any != nil {
		n.any.finish()
	}
	switch {
	case !n.hasKids():
		n.required = !n.nullable
	case n.declared && !n.nullable:
		n.required = n.missing() == maxID
	}
}

// missing returns the least id of what is required of a value and those inside of it, when the value is not there.
func (n *formatNode) missing() int {
	id := maxID
	if n.required {
		id = n.id
	}
	for _, k := range n.kids {
		id = min(id, k.missing())
	}
	return id
}

// path returns how error messages call the node: `2 (name)`, or `[2]["addr"]["city"]` inside of a field.
func (n *formatNode) path() string {
	if n.parent == nil {
		text := strconv.Itoa(n.token.Index + 1)
		if n.name != "" {
			text += " (" + n.name + ")"
		}
		return text
	}
	return string(n.appendPath(nil))
}

func (n *formatNode) appendPath(b []byte) []byte {
	if n.parent != nil {
		b = n.parent.appendPath(b)
	}
	return appendToken(b, n.token)
}

// byID returns the node with an id.
func (n *formatNode) byID(id int) *formatNode {
	if n.id == id {
		return n
	}
	for _, k := range n.kids {
		if found := k.byID(id); found != nil {
			return found
		}
	}
	if n.any != nil {
		return n.any.byID(id)
	}
	return nil
}

// FieldByName returns the number of the field with a name, counted from 0.
func (f *Format) FieldByName(name string) (no int, ok bool) {
	if f == nil {
		return 0, false
	}
	no, ok = f.names[name]
	return no, ok
}

// fieldByName is FieldByName for bytes.
func (f *Format) fieldByName(name []byte) (no int, ok bool) {
	if f == nil {
		return 0, false
	}
	no, ok = f.names[string(name)]
	return no, ok
}

// Check returns an error unless a MessagePack array is a tuple of the format: TUPLE_NOT_ARRAY, EXACT_FIELD_COUNT,
// FIELD_TYPE or FIELD_MISSING, all but the first with the array as the field `tuple` of the error.
func (f *Format) Check(data []byte) error {
	n, rest, ok := msgpack.ReadArrayHeader(data)
	if !ok {
		return boxerr.New(boxerr.TupleNotArray)
	}
	if f == nil {
		return nil
	}
	if f.FieldCount > 0 && n != f.FieldCount {
		return withTuple(boxerr.New(boxerr.ExactFieldCount, n, f.FieldCount), data)
	}
	missing := maxID
	if !f.nested {
		// What is missing is told before what is wrong, unless there is something to miss inside of fields.
		for i := n; i < f.checked && missing == maxID; i++ {
			missing = f.nodes[i].missing()
		}
		if missing != maxID {
			return f.missing(missing, data)
		}
	}
	for i := range min(n, f.checked) {
		node := f.nodes[i]
		if bad := node.check(rest, &missing); bad != nil {
			return withTuple(bad, data)
		}
		rest, _ = msgpack.Skip(rest)
	}
	for i := n; i < f.checked; i++ {
		missing = min(missing, f.nodes[i].missing())
	}
	return f.missing(missing, data)
}

// CheckUpdated is Check for what Update has made of a tuple that has the format, with the set of fields that it returned.
func (f *Format) CheckUpdated(data []byte, changed uint64) error {
	if f != nil && f.FieldCount == 0 && f.checked < 63 && changed&(1<<f.checked-1) == 0 {
		return nil
	}
	return f.Check(data)
}

// missing is the error of a tuple without the node that has an id, nil for maxID.
func (f *Format) missing(id int, data []byte) error {
	if id == maxID {
		return nil
	}
	for _, node := range f.nodes {
		if absent := node.byID(id); absent != nil {
			return withTuple(boxerr.New(boxerr.FieldMissing, absent.path()), data)
		}
	}
	return nil
}

// check checks a value against a node. What is missing inside of it lowers *missing.
func (n *formatNode) check(v []byte, missing *int) *boxerr.Error {
	if takes[n.typ]>>kindOf(v)&1 == 0 {
		if isNil(v) && n.nullable {
			return nil
		}
		return boxerr.New(boxerr.FieldType, n.path(), n.typ.String(), KindName(v))
	}
	if n.any != nil {
		count, item, _ := msgpack.ReadArrayHeader(v)
		for ; count > 0; count-- {
			if bad := n.any.check(item, missing); bad != nil {
				return bad
			}
			item, _ = msgpack.Skip(item)
		}
	}
	for _, k := range n.kids {
		inner := child(v, k.token)
		if inner == nil {
			*missing = min(*missing, k.missing())
		} else if bad := k.check(inner, missing); bad != nil {
			return bad
		}
	}
	return nil
}

// withTuple adds the tuple that an error is about.
func withTuple(e *boxerr.Error, data []byte) *boxerr.Error {
	return e.With("tuple", msgpack.Raw(append([]byte(nil), data...)))
}

// KindName returns what error messages call the actual type of a MessagePack value, such as "unsigned" or "blob".
func KindName(v []byte) string { return kindNames[kindOf(v)] }

// AppendFields appends the definition of the fields as MessagePack: an array of maps with the keys name, type (left
// out for any) and is_nullable (left out when false).
func (f *Format) AppendFields(b []byte) []byte {
	b = msgpack.AppendArrayHeader(b, len(f.Fields))
	for i := range f.Fields {
		d := &f.Fields[i]
		n := 1
		if d.Type != Any {
			n++
		}
		if d.Nullable {
			n++
		}
		b = msgpack.AppendMapHeader(b, n)
		b = msgpack.AppendString(b, "name")
		b = msgpack.AppendString(b, d.Name)
		if d.Type != Any {
			b = msgpack.AppendString(b, "type")
			b = msgpack.AppendString(b, d.Type.String())
		}
		if d.Nullable {
			b = msgpack.AppendString(b, "is_nullable")
			b = msgpack.AppendBool(b, true)
		}
	}
	return b
}
