package tuple

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/lycosadb/lycosa/msgpack"
)

// A JSON path leads from a value to one inside of it: `.name` or `["name"]` goes into a map, `[N]` with N counted
// from 1 into an array, and `[*]` to all values of an array. A name may be given without quotes if it is made of
// letters, digits and underscores and doesn't begin with a digit. At the beginning the dot may be left out.

// TokenKind tells the steps of a path apart.
type TokenKind uint8

// The kinds of token.
const (
	TokenEnd   TokenKind = iota // behind the last step
	TokenKey                    // into a map
	TokenIndex                  // into an array
	TokenAny                    // [*], to every value of an array
)

// PathToken is one step of a path.
type PathToken struct {
	Kind  TokenKind
	Key   string // of a TokenKey
	Index int    // of a TokenIndex, counted from 0
}

// ParsePath splits a path into its steps. If the path is malformed, bad is the position of the first wrong
// character, counted in characters from 1, and otherwise 0.
func ParsePath(path string) (tokens []PathToken, bad int) {
	lex := pathLexer{src: path}
	for {
		tok, bad := lex.next()
		if bad != 0 {
			return nil, bad
		}
		if tok.Kind == TokenEnd {
			return tokens, 0
		}
		tokens = append(tokens, tok)
	}
}

// appendToken writes a step in the form of error messages, with quotes and brackets.
func appendToken(b []byte, tok PathToken) []byte {
	switch tok.Kind {
	case TokenKey:
		b = append(b, `["`...)
		b = append(b, tok.Key...)
		b = append(b, `"]`...)
	case TokenIndex:
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(tok.Index)+1, 10)
		b = append(b, ']')
	case TokenAny:
		b = append(b, "[*]"...)
	}
	return b
}

// pathLexer reads the steps of a path one by one.
type pathLexer struct {
	src     string
	offset  int // in bytes
	symbols int // how many characters stand before offset
}

const endOfPath = -1

// read returns the next character and moves behind it, or endOfPath.
func (l *pathLexer) read() rune {
	if l.offset == len(l.src) {
		return endOfPath
	}
	r, size := utf8.DecodeRuneInString(l.src[l.offset:])
	l.offset += size
	l.symbols++
	return r
}

// unread moves back over the character just read, which begins at from.
func (l *pathLexer) unread(from int) {
	l.offset = from
	l.symbols--
}

// next returns the next step. bad is 0, or the position of the first wrong character counted from 1.
func (l *pathLexer) next() (tok PathToken, bad int) {
	from := l.offset
	switch r := l.read(); r {
	case endOfPath:
		return PathToken{}, 0
	case '[':
		return l.bracket()
	case '.':
		if l.offset == len(l.src) {
			return PathToken{}, l.symbols + 1
		}
	default:
		if from != 0 {
			return PathToken{}, l.symbols
		}
		l.unread(from)
	}
	return l.identifier()
}

// bracket reads what follows an opening bracket.
func (l *pathLexer) bracket() (tok PathToken, bad int) {
	if l.offset == len(l.src) {
		return tok, l.symbols
	}
	switch c := l.src[l.offset]; {
	case c == '"' || c == '\'':
		tok, bad = l.quoted()
	case c >= '0' && c <= '9':
		tok, bad = l.number()
	case c == '*':
		l.read()
		tok = PathToken{Kind: TokenAny}
	default:
		l.read()
		return tok, l.symbols
	}
	if bad != 0 {
		return tok, bad
	}
	if r := l.read(); r == endOfPath {
		return tok, l.symbols + 1
	} else if r != ']' {
		return tok, l.symbols
	}
	return tok, 0
}

// quoted reads a name in quotes.
func (l *pathLexer) quoted() (tok PathToken, bad int) {
	quote := l.read()
	from := l.offset
	for {
		at := l.offset
		switch r := l.read(); {
		case r == endOfPath:
			return tok, l.symbols + 1
		case r == utf8.RuneError && l.offset == at+1:
			return tok, l.symbols
		case r == quote:
			if at == from {
				return tok, l.symbols
			}
			return PathToken{Kind: TokenKey, Key: l.src[from:at]}, 0
		}
	}
}

// number reads an index, which counts from 1.
func (l *pathLexer) number() (tok PathToken, bad int) {
	first := l.symbols + 1
	from := l.offset
	for l.offset < len(l.src) && l.src[l.offset] >= '0' && l.src[l.offset] <= '9' {
		l.read()
	}
	n, err := strconv.ParseInt(l.src[from:l.offset], 10, 32)
	if err != nil || n == 0 {
		return tok, first
	}
	return PathToken{Kind: TokenIndex, Index: int(n - 1)}, 0
}

// identifier reads a name without quotes.
func (l *pathLexer) identifier() (tok PathToken, bad int) {
	from := l.offset
	for {
		at := l.offset
		r := l.read()
		if r == endOfPath {
			break
		}
		if r == '_' || unicode.IsLetter(r) || at > from && unicode.IsDigit(r) {
			continue
		}
		if at == from || r == utf8.RuneError && l.offset == at+1 {
			return tok, l.symbols
		}
		l.unread(at)
		break
	}
	return PathToken{Kind: TokenKey, Key: l.src[from:l.offset]}, 0
}

// Lookup returns the value that a path leads to from v, or nil if there is none or the path is malformed.
func Lookup(v []byte, path string) []byte {
	lex := pathLexer{src: path}
	for v != nil {
		tok, bad := lex.next()
		if bad != 0 {
			return nil
		}
		if tok.Kind == TokenEnd {
			return value(v)
		}
		v = child(v, tok)
	}
	return nil
}

// value cuts off what follows the value at the beginning of v.
func value(v []byte) []byte {
	rest, ok := msgpack.Skip(v)
	if !ok {
		return nil
	}
	n := len(v) - len(rest)
	return v[:n:n]
}

// child returns the bytes from that value on which a step leads to from a map or array, or nil. A number also leads
// to the value of a map that has it as a key. A step to every value leads nowhere.
func child(v []byte, tok PathToken) []byte {
	switch typeOf(v) {
	case msgpack.Array:
		if tok.Kind == TokenIndex {
			return seek(v, tok.Index)
		}
	case msgpack.Map:
		value, _ := mapValue(v, tok)
		return value
	}
	return nil
}

// mapValue returns the bytes from the value on that a map has under a key, or nil; and the bytes from the key on.
func mapValue(v []byte, tok PathToken) (value, key []byte) {
	n, rest, _ := msgpack.ReadMapHeader(v)
	for ; n > 0 && len(rest) > 0; n-- {
		key = rest
		found := false
		switch tok.Kind {
		case TokenKey:
			s, _, ok := msgpack.ReadString(key)
			found = ok && string(s) == tok.Key
		case TokenIndex:
			i, _, ok := msgpack.ReadInt(key)
			found = ok && i == int64(tok.Index)+1
		}
		value, _ = msgpack.Skip(key)
		if found {
			return value, key
		}
		rest, _ = msgpack.Skip(value)
	}
	return nil, nil
}
