package xlog

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// PrintFormat is how Print writes rows.
type PrintFormat int

// The formats.
const (
	// YAML is a document a row, with a line for each field of header and body.
	YAML PrintFormat = iota
	// JSON is a line a row.
	JSON
)

// PrintOptions say what Print shows. The zero value shows all rows but those of system spaces.
type PrintOptions struct {
	Format PrintFormat
	// Spaces, if not empty, shows the rows of these spaces only.
	Spaces []uint32
	// Replicas, if not empty, shows the rows of these instances only.
	Replicas []uint32
	// From and To show rows from lsn From on and below lsn To; 0 for To stands for no end.
	From, To int64
	// ShowSystem shows the rows of system spaces too.
	ShowSystem bool
}

// firstUserSpace is the id from which spaces are not those of the system.
const firstUserSpace = 512

// shows says whether the row is to be printed.
func (o *PrintOptions) shows(row *Row) bool {
	space, found := row.Space()
	switch {
	case row.LSN < o.From || o.To != 0 && row.LSN >= o.To:
		return false
	case len(o.Replicas) > 0 && !slices.Contains(o.Replicas, row.ReplicaID):
		return false
	case len(o.Spaces) > 0:
		return found && slices.Contains(o.Spaces, space)
	}
	return !found || space >= firstUserSpace || o.ShowSystem
}

// Space returns the id of the space that the row is about, and false if it is about none.
func (r *Row) Space() (id uint32, found bool) {
	n, b, ok := msgpack.ReadMapHeader(r.Body)
	for ; ok && n > 0; n-- {
		var key, v uint64
		if key, b, ok = msgpack.ReadUint(b); !ok {
			break
		}
		if iproto.Key(key) == iproto.KeySpaceID {
			v, _, ok = msgpack.ReadUint(b)
			return uint32(v), ok && v <= math.MaxUint32
		}
		b, ok = msgpack.Skip(b)
	}
	return 0, false
}

// Print writes the rows that r still has as text, in the style of the tools of the ecosystem. Strings that aren't UTF-8 and
// binary data are written in base64: with the tag !!binary in YAML, as they are in JSON.
func Print(w io.Writer, r *Reader, o PrintOptions) error {
	out := bufio.NewWriter(w)
	shown := false
	var line []byte
	for {
		row, err := r.Next()
		if err != nil {
			if shown && o.Format == YAML {
				_, _ = out.WriteString("...\n")
			}
			if ferr := out.Flush(); ferr != nil {
				return ferr
			}
			if err == io.EOF {
				return nil
			}
			return err
		}
		if !o.shows(row) {
			continue
		}
		shown = true
		if o.Format == JSON {
			line = appendRowJSON(line[:0], row)
		} else {
			line = appendRowYAML(line[:0], row)
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
}

// field is a part of a row's header or body with its name; value is MessagePack.
type field struct {
	name  string
	value []byte
}

// headerFields are the fields of a row's header in the order of printing.
func headerFields(row *Row) []field {
	number := func(name string, v uint64) field { return field{name, msgpack.AppendUint(nil, v)} }
	fields := []field{number("lsn", uint64(row.LSN))}
	if row.ReplicaID != 0 {
		fields = append(fields, number("replica_id", uint64(row.ReplicaID)))
	}
	if row.GroupID != 0 {
		fields = append(fields, number("group_id", uint64(row.GroupID)))
	}
	fields = append(fields, field{"type", msgpack.AppendString(nil, TypeName(row.Type))},
		field{"timestamp", msgpack.AppendFloat64(nil, row.Timestamp)})
	if !row.Alone() {
		fields = append(fields, number("tsn", uint64(row.TSN)))
		if row.Commit() {
			fields = append(fields, field{"commit", msgpack.AppendBool(nil, true)})
		}
	}
	if row.Flags&FlagWaitSync != 0 {
		fields = append(fields, field{"wait_sync", msgpack.AppendBool(nil, true)})
	}
	return fields
}

// bodyFields are the fields of a row's body in the order in which they stand there.
func bodyFields(row *Row) []field {
	names := bodyNames
	if row.Type == iproto.TypeRaft {
		names = raftNames
	}
	n, b, ok := msgpack.ReadMapHeader(row.Body)
	var fields []field
	for ; ok && n > 0; n-- {
		key, rest, isKey := msgpack.ReadUint(b)
		if !isKey {
			break
		}
		if b, ok = msgpack.Skip(rest); !ok {
			break
		}
		name, known := names[key]
		if !known {
			name = strconv.FormatUint(key, 10)
		}
		fields = append(fields, field{name, rest[:len(rest)-len(b)]})
	}
	return fields
}

// bodyNames are the keys of bodies as programs of the ecosystem know them.
var bodyNames = map[uint64]string{
	uint64(iproto.KeyReplicaID): "replica_id",
	uint64(iproto.KeyLSN):       "lsn",
	uint64(iproto.KeySpaceID):   "space_id",
	uint64(iproto.KeyIndexID):   "index_id",
	uint64(iproto.KeyIndexBase): "index_base",
	uint64(iproto.KeyKey):       "key",
	uint64(iproto.KeyTuple):     "tuple",
	uint64(iproto.KeyOps):       "operations",
	uint64(iproto.KeyVClock):    "vclock",
	uint64(iproto.KeyOldTuple):  "old_tuple",
	uint64(iproto.KeyNewTuple):  "new_tuple",
	uint64(iproto.KeyTerm):      "term",
}

// raftNames are the keys of the bodies of RAFT rows, which have numbers of their own.
var raftNames = map[uint64]string{0: "term", 1: "vote", 2: "leader_id", 3: "state", 4: "vclock", 5: "is_leader_seen"}

// TypeName is the name of a row's type, its number if it has none.
func TypeName(t iproto.Type) string {
	if name := t.Name(); name != "" {
		return name
	}
	return strconv.FormatUint(uint64(t), 10)
}

// AppendNamed appends a row as a MessagePack map: HEADER, and BODY if the row has one, each a map with the names that Print
// gives to the fields. Values stay as they are, but those that are arrays, such as tuples and keys, are appended by array.
func AppendNamed(b []byte, row *Row, array func(b, value []byte) []byte) []byte {
	part := func(name string, fields []field) {
		b = msgpack.AppendString(b, name)
		b = msgpack.AppendMapHeader(b, len(fields))
		for _, f := range fields {
			b = msgpack.AppendString(b, f.name)
			if msgpack.TypeOf(f.value[0]) == msgpack.Array {
				b = array(b, f.value)
			} else {
				b = append(b, f.value...)
			}
		}
	}
	if row.Body == nil {
		b = msgpack.AppendMapHeader(b, 1)
		part("HEADER", headerFields(row))
		return b
	}
	b = msgpack.AppendMapHeader(b, 2)
	part("HEADER", headerFields(row))
	part("BODY", bodyFields(row))
	return b
}

func appendRowJSON(b []byte, row *Row) []byte {
	p := printer{json: true}
	b = p.fields(append(b, `{"HEADER":{`...), headerFields(row))
	b = append(b, '}')
	if row.Body != nil {
		b = p.fields(append(b, `,"BODY":{`...), bodyFields(row))
		b = append(b, '}')
	}
	return append(b, "}\n"...)
}

// fields appends the fields of a JSON object without its braces.
func (p printer) fields(b []byte, fields []field) []byte {
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.string(b, []byte(f.name))
		b, _ = p.value(append(b, ':'), f.value, 0)
	}
	return b
}

func appendRowYAML(b []byte, row *Row) []byte {
	p := printer{}
	part := func(b []byte, name string, fields []field) []byte {
		b = append(b, name...)
		for _, f := range fields {
			b = append(b, "\n  "...)
			b = append(b, f.name...)
			b = append(b, ": "...)
			if f.name == "type" {
				b = append(b, TypeName(row.Type)...)
				continue
			}
			b, _ = p.value(b, f.value, 0)
		}
		return append(b, '\n')
	}
	b = part(append(b, "---\n"...), "HEADER:", headerFields(row))
	if row.Body != nil {
		b = part(b, "BODY:", bodyFields(row))
	}
	return b
}

// printer writes MessagePack values as JSON or as YAML in flow style.
type printer struct{ json bool }

// maxDepth is the nesting below which values are not printed.
const maxDepth = 500

// value appends the first value of raw and returns what follows it.
func (p printer) value(b, raw []byte, depth int) (out, rest []byte) {
	if len(raw) == 0 || depth > maxDepth {
		rest, _ = msgpack.Skip(raw)
		return append(b, "null"...), rest
	}
	switch t := msgpack.TypeOf(raw[0]); t {
	case msgpack.Nil:
		return append(b, "null"...), raw[1:]
	case msgpack.Bool:
		v, rest, _ := msgpack.ReadBool(raw)
		return strconv.AppendBool(b, v), rest
	case msgpack.Uint:
		v, rest, _ := msgpack.ReadUint(raw)
		return strconv.AppendUint(b, v, 10), rest
	case msgpack.Int:
		v, rest, _ := msgpack.ReadInt(raw)
		return strconv.AppendInt(b, v, 10), rest
	case msgpack.Float32, msgpack.Float64:
		v, rest, _ := msgpack.ReadFloat64(raw)
		return p.float(b, v, t == msgpack.Float32), rest
	case msgpack.String:
		v, rest, _ := msgpack.ReadString(raw)
		return p.string(b, v), rest
	case msgpack.Bin:
		v, rest, _ := msgpack.ReadBin(raw)
		return p.binary(b, v), rest
	case msgpack.Array:
		n, rest, _ := msgpack.ReadArrayHeader(raw)
		return p.list(b, rest, n, false, depth)
	case msgpack.Map:
		n, rest, _ := msgpack.ReadMapHeader(raw)
		return p.list(b, rest, n, true, depth)
	}
	rest, _ = msgpack.Skip(raw)
	return p.ext(b, raw[:len(raw)-len(rest)]), rest
}

// list appends the elements of an array or the pairs of a map.
func (p printer) list(b, raw []byte, n int, isMap bool, depth int) (out, rest []byte) {
	open, end, comma, colon := byte('['), byte(']'), ", ", ": "
	if isMap {
		open, end = '{', '}'
	}
	if p.json {
		comma, colon = ",", ":"
	}
	b = append(b, open)
	for i := 0; i < n && len(raw) > 0; i++ {
		if i > 0 {
			b = append(b, comma...)
		}
		if isMap {
			b, raw = p.key(b, raw, depth)
			b = append(b, colon...)
		}
		b, raw = p.value(b, raw, depth+1)
	}
	return append(b, end), raw
}

// key appends the key of a map. In JSON it has to be a string.
func (p printer) key(b, raw []byte, depth int) (out, rest []byte) {
	if !p.json || msgpack.TypeOf(raw[0]) == msgpack.String {
		return p.value(b, raw, depth+1)
	}
	text, rest := printer{}.value(nil, raw, depth+1)
	return p.string(b, text), rest
}

func (p printer) float(b []byte, v float64, short bool) []byte {
	switch {
	case math.IsNaN(v), math.IsInf(v, 0):
		text := strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
		if p.json {
			return p.string(b, []byte(text))
		}
		return append(b, text...)
	case short:
		return strconv.AppendFloat(b, v, 'g', -1, 32)
	case math.Abs(v) >= 1e-4 && math.Abs(v) < 1e15:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

func (p printer) binary(b, v []byte) []byte {
	if p.json {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v)
		return append(b, '"')
	}
	return base64.StdEncoding.AppendEncode(append(b, "!!binary "...), v)
}

// string appends a quoted string.
func (p printer) string(b, v []byte) []byte {
	if !utf8.Valid(v) {
		return p.binary(b, v)
	}
	plain := true
	for _, r := range string(v) {
		plain = plain && strconv.IsPrint(r)
	}
	if !p.json && plain {
		b = append(b, '\'')
		b = append(b, strings.ReplaceAll(string(v), "'", "''")...)
		return append(b, '\'')
	}
	b = append(b, '"')
	for _, r := range string(v) {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r < 0x20 || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// ext appends an extension value: the text of one whose type is known, otherwise its data.
func (p printer) ext(b, raw []byte) []byte {
	if v, _, err := msgpack.Decode(raw); err == nil {
		if s, ok := v.(fmt.Stringer); ok {
			text := s.String()
			if !p.json && !strings.ContainsAny(text, ",'\" ") {
				return append(b, text...)
			}
			return p.string(b, []byte(text))
		}
	}
	typ, data, _, _ := msgpack.ReadExt(raw)
	return p.string(b, fmt.Appendf(nil, "ext %d: %x", typ, data))
}
