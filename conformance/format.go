package conformance

import (
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// scope is the part of an answer that is printed. What differs from run to run is printed as * there.
type scope int

const (
	scopePlain  scope = iota
	scopePacket       // a header or a body
	scopeError        // the value of ERROR, or an error extension
)

// Keys of an error whose values tell where in the server's sources it was made.
const (
	errorFile = "1"
	errorLine = "2"
)

// errorExtension is the extension type of errors.
const errorExtension = 3

// FormatPacket prints a packet without its length: its header and its body, in the notation, with map keys sorted.
func FormatPacket(payload []byte) string {
	var parts []string
	for rest := payload; len(rest) > 0; {
		text, tail, ok := format(rest, scopePacket)
		if !ok {
			return "malformed truncated MessagePack h'" + hex.EncodeToString(payload) + "'"
		}
		parts = append(parts, text)
		rest = tail
	}
	return strings.Join(parts, " ")
}

// format prints the value that b begins with.
func format(b []byte, in scope) (text string, rest []byte, ok bool) {
	if len(b) == 0 {
		return "", nil, false
	}
	switch msgpack.TypeOf(b[0]) {
	case msgpack.Nil:
		return "nil", b[1:], true
	case msgpack.Bool:
		v, rest, ok := msgpack.ReadBool(b)
		return strconv.FormatBool(v), rest, ok
	case msgpack.Uint:
		v, rest, ok := msgpack.ReadUint(b)
		return strconv.FormatUint(v, 10), rest, ok
	case msgpack.Int:
		v, rest, ok := msgpack.ReadInt(b)
		return strconv.FormatInt(v, 10), rest, ok
	case msgpack.Float32:
		v, rest, ok := msgpack.ReadFloat64(b)
		return floatText(v) + "f", rest, ok
	case msgpack.Float64:
		v, rest, ok := msgpack.ReadFloat64(b)
		return floatText(v), rest, ok
	case msgpack.String:
		v, rest, ok := msgpack.ReadString(b)
		return strconv.Quote(string(v)), rest, ok
	case msgpack.Bin:
		v, rest, ok := msgpack.ReadBin(b)
		return "h'" + hex.EncodeToString(v) + "'", rest, ok
	case msgpack.Array:
		return formatArray(b, in)
	case msgpack.Map:
		return formatMap(b, in)
	case msgpack.Ext:
		typ, data, rest, ok := msgpack.ReadExt(b)
		if ok && typ == errorExtension {
			inner, _, _ := format(data, scopeError)
			return "ext(3, " + inner + ")", rest, true
		}
		return fmt.Sprintf("ext(%d, h'%s')", typ, hex.EncodeToString(data)), rest, ok
	}
	return "", nil, false
}

func floatText(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".eIN") {
		s += ".0"
	}
	return s
}

func formatArray(b []byte, in scope) (string, []byte, bool) {
	if in == scopePacket {
		in = scopePlain
	}
	n, rest, ok := msgpack.ReadArrayHeader(b)
	var items []string
	for i := 0; i < n && ok; i++ {
		var text string
		text, rest, ok = format(rest, in)
		items = append(items, text)
	}
	return "[" + strings.Join(items, ", ") + "]", rest, ok
}

type pair struct {
	key, value string
	number     int64
	isNumber   bool
}

func formatMap(b []byte, in scope) (string, []byte, bool) {
	n, rest, ok := msgpack.ReadMapHeader(b)
	var pairs []pair
	for i := 0; i < n && ok; i++ {
		var p pair
		if p.key, rest, ok = format(rest, scopePlain); !ok {
			break
		}
		inner := in
		if in == scopePacket {
			inner = scopePlain
			if p.key == strconv.Itoa(int(iproto.KeyError)) {
				inner = scopeError
			}
		}
		if p.value, rest, ok = format(rest, inner); !ok {
			break
		}
		number, err := strconv.ParseInt(p.key, 10, 64)
		p.number, p.isNumber = number, err == nil
		p.mask(in)
		pairs = append(pairs, p)
	}
	sort.SliceStable(pairs, func(i, j int) bool {
		a, b := pairs[i], pairs[j]
		switch {
		case a.isNumber && b.isNumber:
			return a.number < b.number
		case a.isNumber != b.isNumber:
			return a.isNumber
		}
		return a.key < b.key
	})
	items := make([]string, len(pairs))
	for i, p := range pairs {
		items[i] = p.key + ": " + p.value
	}
	return "{" + strings.Join(items, ", ") + "}", rest, ok
}

// mask hides what differs from run to run.
func (p *pair) mask(in scope) {
	switch {
	case in == scopePacket && p.isNumber:
		if p.number == int64(iproto.KeySchemaVersion) {
			p.value = "*"
		}
		p.key = fmt.Sprintf("0x%02x", p.number)
		p.isNumber = p.number >= 0 // a negative one stands among the texts
	case in == scopeError && p.key == errorFile && strings.HasPrefix(p.value, `"`):
		p.value = "*"
	case in == scopeError && p.key == errorLine && !strings.HasPrefix(p.value, `"`):
		p.value = "*"
	}
}
