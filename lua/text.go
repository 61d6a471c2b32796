//go:build cgo

package lua

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/language"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/tuple"
)

func init() { modules = append(modules, registerText) }

// registerText registers what builtin/utf8.lua and builtin/iconv.lua stand on.
func registerText(s *State) {
	upper, lower := cases.Upper(language.Und), cases.Lower(language.Und)
	s.Func("utf8.upper", func(c *luajit.Call) error {
		c.PushBytes(upper.Bytes(c.Bytes()))
		return nil
	})
	s.Func("utf8.lower", func(c *luajit.Call) error {
		c.PushBytes(lower.Bytes(c.Bytes()))
		return nil
	})
	for name, is := range map[string]func(rune) bool{
		"isalpha": unicode.IsLetter, "isdigit": unicode.IsDigit, "islower": unicode.IsLower, "isupper": unicode.IsUpper,
	} {
		s.Func("utf8."+name, func(c *luajit.Call) error {
			c.PushBool(is(rune(c.Int())))
			return nil
		})
	}
	for name, options := range map[string]tuple.CollationOptions{
		"cmp": {}, "casecmp": {Strength: "secondary"},
	} {
		collation, err := tuple.NewCollation(0, name, "ICU", "", options)
		s.Func("utf8."+name, func(c *luajit.Call) error {
			if err != nil {
				return err
			}
			a, b := c.Bytes(), c.Bytes()
			c.PushInt(int64(cmp.Compare(collation.Compare(a, b), 0)))
			return nil
		})
	}
	s.Func("iconv.known", func(c *luajit.Call) error {
		_, ok := encodingOf(c.Str())
		c.PushBool(ok)
		return nil
	})
	// iconv.convert(to, from, text) returns the text, or nil when it can't be converted.
	s.Func("iconv.convert", func(c *luajit.Call) error {
		to, _ := encodingOf(c.Str())
		from, _ := encodingOf(c.Str())
		out, ok := convert(c.Bytes(), to, from)
		if !ok {
			c.PushNil()
			return nil
		}
		c.PushBytes(out)
		return nil
	})
}

// utf32Encodings are those that the registries of names leave out.
var utf32Encodings = map[string]encoding.Encoding{
	"UTF-32":   utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"UTF-32BE": utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM),
	"UTF-32LE": utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM),
}

// encodingOf finds an encoding by its name; UTF-8 is nil.
func encodingOf(name string) (e encoding.Encoding, ok bool) {
	name = strings.ToUpper(name)
	switch name {
	case "UTF-8", "UTF8":
		return nil, true
	}
	if e, ok := utf32Encodings[name]; ok {
		return e, true
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, true
	}
	if e, err := htmlindex.Get(name); err == nil {
		return e, true
	}
	return nil, false
}

// convert goes by way of UTF-8.
func convert(text []byte, to, from encoding.Encoding) (out []byte, ok bool) {
	if from != nil {
		decoded, err := from.NewDecoder().Bytes(text)
		if err != nil || strings.ContainsRune(string(decoded), utf8.RuneError) {
			return nil, false
		}
		text = decoded
	} else if !utf8.Valid(text) {
		return nil, false
	}
	if to == nil {
		return text, true
	}
	out, err := to.NewEncoder().Bytes(text)
	return out, err == nil
}
