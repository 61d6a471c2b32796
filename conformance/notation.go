package conformance

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/msgpack"
)

// The notation of .wire cases is one text a MessagePack value:
//
//	123  -5  1.5  1.5f  true  false  nil  "text"  h'00ff'
//	[1, 2]  {0x00: 64, "k": 1}  ext(2, h'0001')

// ParseValues encodes the values that a text holds, one after another.
func ParseValues(text string) (out []byte, err error) {
	p := &parser{text: text}
	for p.peek() != 0 {
		if out, err = p.value(out); err != nil {
			return nil, fmt.Errorf("at column %d: %w", p.at+1, err)
		}
	}
	return out, nil
}

type parser struct {
	text string
	at   int
}

// peek is the next character that is no space, 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) expect(c byte) error {
	if p.peek() != c {
		return fmt.Errorf("%q is missing", c)
	}
	p.at++
	return nil
}

// value appends the encoding of the next value.
func (p *parser) value(out []byte) ([]byte, error) {
	switch p.peek() {
	case '{':
		return p.list(out, '}', true)
	case '[':
		return p.list(out, ']', false)
	case '"':
		quoted, err := strconv.QuotedPrefix(p.text[p.at:])
		if err != nil {
			return nil, err
		}
		p.at += len(quoted)
		s, err := strconv.Unquote(quoted)
		return msgpack.AppendString(out, s), err
	case 'h':
		b, err := p.hex()
		return msgpack.AppendBin(out, b), err
	}
	return p.word(out)
}

// list appends an array or a map, whose first character is the next one.
func (p *parser) list(out []byte, end byte, pairs bool) (_ []byte, err error) {
	p.at++
	var items []byte
	n := 0
	for ; p.peek() != end; n++ {
		if n > 0 {
			if err := p.expect(','); err != nil {
				return nil, err
			}
		}
		if items, err = p.value(items); err != nil {
			return nil, err
		}
		if !pairs {
			continue
		}
		if err := p.expect(':'); err != nil {
			return nil, err
		}
		if items, err = p.value(items); err != nil {
			return nil, err
		}
	}
	p.at++
	if pairs {
		return append(msgpack.AppendMapHeader(out, n), items...), nil
	}
	return append(msgpack.AppendArrayHeader(out, n), items...), nil
}

// hex reads h'...'.
func (p *parser) hex() ([]byte, error) {
	rest, ok := strings.CutPrefix(p.text[p.at:], "h'")
	digits, _, closed := strings.Cut(rest, "'")
	if !ok || !closed {
		return nil, errors.New("h'...' is not whole")
	}
	p.at += len(digits) + len("h''")
	return hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
}

// word appends a number, a constant or an extension.
func (p *parser) word(out []byte) ([]byte, error) {
	end := strings.IndexAny(p.text[p.at:], " ,:]}()\t")
	if end < 0 {
		end = len(p.text) - p.at
	}
	word := p.text[p.at : p.at+end]
	p.at += end
	switch word {
	case "true", "false":
		return msgpack.AppendBool(out, word == "true"), nil
	case "nil":
		return msgpack.AppendNil(out), nil
	case "ext":
		return p.extension(out)
	}
	if u, err := strconv.ParseUint(word, 0, 64); err == nil {
		return msgpack.AppendUint(out, u), nil
	}
	if i, err := strconv.ParseInt(word, 0, 64); err == nil {
		return msgpack.AppendInt(out, i), nil
	}
	if single, ok := strings.CutSuffix(word, "f"); ok {
		if f, err := strconv.ParseFloat(single, 32); err == nil {
			return msgpack.AppendFloat32(out, float32(f)), nil
		}
	}
	f, err := strconv.ParseFloat(word, 64)
	return msgpack.AppendFloat64(out, f), err
}

// extension appends what stands behind "ext": (type, h'data').
func (p *parser) extension(out []byte) ([]byte, error) {
	rest := p.text[p.at:]
	number, _, ok := strings.Cut(strings.TrimPrefix(rest, "("), ",")
	if !ok || !strings.HasPrefix(rest, "(") {
		return nil, errors.New("ext(type, h'data') is not whole")
	}
	typ, err := strconv.ParseInt(strings.TrimSpace(number), 10, 8)
	if err != nil {
		return nil, err
	}
	p.at += len(number) + len("(,")
	p.peek()
	data, err := p.hex()
	if err != nil {
		return nil, err
	}
	return appendExtension(out, int8(typ), data), p.expect(')')
}

// appendExtension takes the shortest form; the codec under test is not asked.
func appendExtension(out []byte, typ int8, data []byte) []byte {
	switch n := len(data); {
	case n > 0 && n <= 16 && n&(n-1) == 0:
		out = append(out, 0xd4+byte(bits.TrailingZeros(uint(n))), byte(typ))
	case n < 1<<8:
		out = append(out, 0xc7, byte(n), byte(typ))
	case n < 1<<16:
		out = append(binary.BigEndian.AppendUint16(append(out, 0xc8), uint16(n)), byte(typ))
	default:
		out = append(binary.BigEndian.AppendUint32(append(out, 0xc9), uint32(n)), byte(typ))
	}
	return append(out, data...)
}
