package tuple

import (
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// KeyPart is one part of a key: the field that it is taken from and how its values are ordered.
type KeyPart struct {
	Field       int // counted from 0
	Type        FieldType
	Nullable    bool       // nil and missing values are allowed; they come first and equal each other
	ExcludeNull bool       // tuples in which the part is nil are not in the index; implies Nullable
	Desc        bool       // the greatest value comes first
	Collation   *Collation // how strings are ordered; nil is by bytes
	// Path leads from the field to the value inside of it; empty is the field itself. With a step [*] a tuple has
	// as many keys as the array there has values.
	Path string
}

// KeyDef says what the key of a tuple is, and orders tuples and keys by it.
//
// A key that isn't a tuple is given as the MessagePack values of its first n parts, one behind the other without an
// array header; n may be smaller than the number of parts and then says nothing about the rest.
type KeyDef struct {
	Parts []KeyPart // not to be changed
	// UniqueParts is how many of the first parts make a tuple unique, if none of them is nil: two tuples are equal
	// when those are. The parts behind them only order tuples that have a nil among them.
	UniqueParts int
	// Nullable is set if one of the parts may be nil.
	Nullable bool
	// Excluding is set if one of the parts keeps tuples in which it is nil out of the index.
	Excluding bool
	// Multikey is set if one of the paths has a step [*].
	Multikey bool

	parts    []part
	anyPath  []PathToken // what leads from the field of the multikey parts to the array with the keys
	anyField int
	shape    shape
}

// part is a KeyPart made ready for use.
type part struct {
	field    int
	typ      FieldType
	nullable bool
	desc     bool
	coll     *Collation // nil when it is by bytes
	path     []PathToken
}

// shape tells key definitions apart that have their own way to compare.
type shape uint8

const (
	shapeAny         shape = iota // everything else
	shapePlain                    // no paths and no multikey: fields are found by one walk along the tuple
	shapeOneUnsigned              // one ascending part of type unsigned, not nullable, without a path
	shapeOneString                // one ascending part of type string by bytes, not nullable, without a path
)

// NewKeyDef makes a key definition of at least one part. The only error is WRONG_INDEX_PARTS, for a path that is
// malformed or doesn't go with those of the other parts.
func NewKeyDef(parts []KeyPart) (*KeyDef, error) {
	k := &KeyDef{Parts: append([]KeyPart(nil), parts...)}
	for i := range k.Parts {
		p := &k.Parts[i]
		p.Nullable = p.Nullable || p.ExcludeNull
		compiled := part{field: p.Field, typ: p.Type, nullable: p.Nullable, desc: p.Desc}
		if p.Collation != nil && !p.Collation.bytewise() {
			compiled.coll = p.Collation
		}
		if reason := k.addPath(&compiled, p.Path); reason != "" {
			return nil, boxerr.New(boxerr.WrongIndexParts, i+1, reason)
		}
		k.parts = append(k.parts, compiled)
	}
	k.finish()
	return k, nil
}

// addPath parses the path of a part, and returns what is wrong with it.
func (k *KeyDef) addPath(p *part, path string) (reason string) {
	tokens, bad := ParsePath(path)
	if bad != 0 {
		return "invalid path"
	}
	p.path = tokens
	at := -1
	for i, tok := range tokens {
		if tok.Kind != TokenAny {
			continue
		}
		if at >= 0 {
			return "no more than one array index placeholder [*] is allowed in JSON path"
		}
		at = i
	}
	if at < 0 {
		return ""
	}
	if k.Multikey && (k.anyField != p.field || !equalPaths(k.anyPath, tokens[:at])) {
		return "incompatible multikey index path"
	}
	k.Multikey, k.anyField, k.anyPath = true, p.field, tokens[:at]
	return ""
}

// finish computes what follows from the parts.
func (k *KeyDef) finish() {
	k.UniqueParts = len(k.Parts)
	k.Nullable, k.Excluding = false, false
	plain := true
	for i := range k.Parts {
		p := &k.Parts[i]
		k.Nullable = k.Nullable || p.Nullable
		k.Excluding = k.Excluding || p.ExcludeNull
		plain = plain && len(k.parts[i].path) == 0
	}
	k.shape = shapeAny
	if !plain {
		return
	}
	k.shape = shapePlain
	if len(k.parts) == 1 && !k.Nullable && !k.parts[0].desc && k.parts[0].coll == nil {
		switch k.parts[0].typ {
		case Unsigned:
			k.shape = shapeOneUnsigned
		case String:
			k.shape = shapeOneString
		}
	}
}

func equalPaths(a, b []PathToken) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// SamePart reports whether two parts take the same value of a tuple and order it by the same collation.
func SamePart(a, b KeyPart) bool {
	if a.Field != b.Field || a.Collation.id() != b.Collation.id() {
		return false
	}
	if a.Path == b.Path {
		return true
	}
	pa, badA := ParsePath(a.Path)
	pb, badB := ParsePath(b.Path)
	return badA == 0 && badB == 0 && equalPaths(pa, pb)
}

// Merge returns the definition that has those parts of primary behind its own that it lacks: with it, all tuples of
// a space differ. All parts count as making a tuple unique.
func (k *KeyDef) Merge(primary *KeyDef) *KeyDef {
	m := *k
	m.Parts = append([]KeyPart(nil), k.Parts...)
	m.parts = append([]part(nil), k.parts...)
next:
	for i, p := range primary.Parts {
		for _, own := range k.Parts {
			if SamePart(own, p) {
				continue next
			}
		}
		m.Parts = append(m.Parts, p)
		m.parts = append(m.parts, primary.parts[i])
	}
	if !m.Multikey {
		m.Multikey, m.anyField, m.anyPath = primary.Multikey, primary.anyField, primary.anyPath
	}
	m.finish()
	return &m
}

// MergeUnique is Merge for a unique index: the own parts make a tuple unique unless one of them is nil.
func (k *KeyDef) MergeUnique(primary *KeyDef) *KeyDef {
	m := k.Merge(primary)
	m.UniqueParts = len(k.Parts)
	return m
}

// PathString returns the path of a part in error messages, such as `[2]["addr"]["city"]`.
func (p KeyPart) PathString() string {
	b := appendToken(nil, PathToken{Kind: TokenIndex, Index: p.Field})
	tokens, _ := ParsePath(p.Path)
	for _, tok := range tokens {
		b = appendToken(b, tok)
	}
	return string(b)
}

// HasPaths reports whether a part is taken from inside of a field.
func (k *KeyDef) HasPaths() bool { return k.shape == shapeAny }

// Reads reports whether the key is made of any of the fields in a set such as Update returns.
func (k *KeyDef) Reads(fields uint64) bool {
	for i := range k.parts {
		if fields>>min(k.parts[i].field, 63)&1 != 0 {
			return true
		}
	}
	return false
}

// value returns the bytes from the value of a part on in a tuple's array, nil if it isn't there. multi is the index of the
// key among those that a multikey definition finds in the tuple.
func (p *part) value(array []byte, multi int) []byte {
	v := seek(array, p.field)
	for i := 0; i < len(p.path) && v != nil; i++ {
		tok := p.path[i]
		if tok.Kind == TokenAny {
			tok = PathToken{Kind: TokenIndex, Index: multi}
		}
		v = child(v, tok)
	}
	return v
}

// isNil reports whether the bytes from a value on stand for nil or for no value.
func isNil(v []byte) bool { return len(v) == 0 || v[0] == 0xc0 }

// appendPart appends the value at the beginning of v, or nil if there is none.
func appendPart(b, v []byte) []byte {
	if len(v) == 0 {
		return msgpack.AppendNil(b)
	}
	rest, _ := msgpack.Skip(v)
	return append(b, v[:len(v)-len(rest)]...)
}

// KeyIn returns the key of a tuple's array where it stands there, if it has one part and the array has that.
func (k *KeyDef) KeyIn(array []byte) (key []byte, ok bool) {
	if k.shape != shapeOneUnsigned && k.shape != shapeOneString {
		return nil, false
	}
	v := seek(array, k.parts[0].field)
	if v == nil {
		return nil, false
	}
	return value(v), true
}

// ExtractKey appends the key of t as a MessagePack array with its header, and returns the longer slice. Missing
// parts are nil.
func (k *KeyDef) ExtractKey(b []byte, t *Tuple) []byte { return k.ExtractKeyMulti(b, t, 0) }

// ExtractKeyMulti is ExtractKey for the key with index multi, counted from 0, of a multikey definition.
func (k *KeyDef) ExtractKeyMulti(b []byte, t *Tuple, multi int) []byte {
	return k.AppendKey(msgpack.AppendArrayHeader(b, len(k.parts)), t.Data(), multi)
}

// AppendKey appends the parts of the key of a tuple's array, without an array header.
func (k *KeyDef) AppendKey(b []byte, array []byte, multi int) []byte {
	if k.shape == shapeAny {
		for i := range k.parts {
			b = appendPart(b, k.parts[i].value(array, multi))
		}
		return b
	}
	w := newWalk(array)
	for i := range k.parts {
		b = appendPart(b, w.field(k.parts[i].field))
	}
	return b
}

// MultikeyCount returns how many keys t has: 1 unless the definition is a multikey one.
func (k *KeyDef) MultikeyCount(t *Tuple) int {
	if !k.Multikey {
		return 1
	}
	v := seek(t.Data(), k.anyField)
	for i := 0; i < len(k.anyPath) && v != nil; i++ {
		v = child(v, k.anyPath[i])
	}
	if v == nil {
		return 0
	}
	n, _, _ := msgpack.ReadArrayHeader(v)
	return n
}

// Excludes reports whether the key of t with index multi stays out of the index because one of its parts with
// ExcludeNull is nil.
func (k *KeyDef) Excludes(t *Tuple, multi int) bool {
	if !k.Excluding {
		return false
	}
	for i := range k.parts {
		if k.Parts[i].ExcludeNull && isNil(k.parts[i].value(t.Data(), multi)) {
			return true
		}
	}
	return false
}

// HasNil reports whether one of the first n parts of t's key with index multi is nil.
func (k *KeyDef) HasNil(t *Tuple, multi, n int) bool {
	if !k.Nullable {
		return false
	}
	for i := range k.parts[:n] {
		if isNil(k.parts[i].value(t.Data(), multi)) {
			return true
		}
	}
	return false
}

// KeyHasNil reports whether one of the first n parts of a key is nil.
func (k *KeyDef) KeyHasNil(key []byte, n int) bool {
	if !k.Nullable {
		return false
	}
	for ; n > 0; n-- {
		if isNil(key) {
			return true
		}
		key, _ = msgpack.Skip(key)
	}
	return false
}

// ValidateKey checks the n values of a key. A partial key may have fewer parts than the definition and nil where
// that is nullable; an exact one must have all of them, and no nil. The errors are KEY_PART_COUNT, EXACT_MATCH and
// KEY_PART_TYPE.
func (k *KeyDef) ValidateKey(key []byte, n int, partial bool) error {
	if partial && n > len(k.parts) {
		return boxerr.New(boxerr.KeyPartCount, len(k.parts), n)
	}
	if !partial && n != len(k.parts) {
		return boxerr.New(boxerr.ExactMatch, len(k.parts), n)
	}
	return k.validateParts(key, n, partial)
}

// ValidatePosition checks a key that says where to go on in an index: it must have all parts, and may have nil where the
// definition is nullable.
func (k *KeyDef) ValidatePosition(key []byte, n int) error {
	if n != len(k.parts) {
		return boxerr.New(boxerr.ExactMatch, len(k.parts), n)
	}
	return k.validateParts(key, n, true)
}

func (k *KeyDef) validateParts(key []byte, n int, nullable bool) error {
	for i := range k.parts[:n] {
		p := &k.parts[i]
		if !p.typ.Takes(key) && !(nullable && p.nullable && isNil(key)) {
			return boxerr.New(boxerr.KeyPartType, i, p.typ.String())
		}
		var ok bool
		if key, ok = msgpack.Skip(key); !ok {
			return boxerr.New(boxerr.InvalidMsgpack, "truncated key")
		}
	}
	return nil
}

// ValidateTuple checks that a tuple's array has the parts of the key with the right types. The errors are
// FIELD_MISSING and KEY_PART_TYPE.
func (k *KeyDef) ValidateTuple(array []byte) error {
	for i := range k.parts {
		p := &k.parts[i]
		v := p.value(array, 0)
		if v == nil {
			if p.nullable {
				continue
			}
			return boxerr.New(boxerr.FieldMissing, k.Parts[i].PathString())
		}
		if !p.typ.Takes(v) && !(p.nullable && isNil(v)) {
			return boxerr.New(boxerr.KeyPartType, i, p.typ.String())
		}
	}
	return nil
}

// String returns the parts in short, such as `1 string, [2]["a"] unsigned`.
func (k *KeyDef) String() string {
	var b strings.Builder
	for i, p := range k.Parts {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.PathString())
		b.WriteByte(' ')
		b.WriteString(p.Type.String())
	}
	return b.String()
}
