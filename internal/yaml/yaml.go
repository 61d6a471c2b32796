// Package yaml reads YAML 1.1 (https://yaml.org/spec/1.1/) into trees of nodes.
//
// A Decoder reads one document after another. It leaves the meaning of scalars to its caller: a Node holds a scalar's
// text, its style and its tag. Errors are worded and located as libyaml does it, because programs show them to people
// who know those.
//
// The scanner makes tokens of characters, and inserts the tokens that indentation stands for; the parser makes nodes of
// tokens. Nesting is bounded by MaxDepth.
package yaml

import (
	"fmt"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of collections.
const MaxDepth = 1000

// Kind is what a node is.
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	Sequence
	Mapping
	Alias
)

// Node is a part of a document.
type Node struct {
	Kind   Kind
	Plain  bool   // a scalar without quotes and without block indicators
	Value  string // the text of a scalar
	Tag    string // in full, empty when there is none
	Anchor string // the name that aliases refer to it by, empty when there is none
	// Items are a sequence's elements, or a mapping's keys and values by turns.
	Items []*Node
	// Target is what an alias stands for.
	Target *Node
}

// TagDirective is a %TAG line.
type TagDirective struct {
	Handle, Prefix string
}

// Document is a root node with the directives before it.
type Document struct {
	Tags []TagDirective
	Root *Node
}

// Mark is a position in the text; lines and columns count from 0.
type Mark struct {
	Index, Line, Column int
}

// Error says what is wrong with a text, and where.
type Error struct {
	Problem     string
	ProblemMark Mark
	Context     string // what was being read, empty when that says nothing
	ContextMark Mark
	Document    int  // how many documents had begun
	Bare        bool // the error has no place
}

func (e *Error) Error() string {
	if e.Bare {
		return e.Problem
	}
	text := fmt.Sprintf("%s at document: %d", e.Problem, e.Document)
	if m := e.ProblemMark; m.Line != 0 || m.Column != 0 {
		text += fmt.Sprintf(", line: %d, column: %d", m.Line+1, m.Column+1)
	}
	text += "\n"
	if e.Context != "" {
		text += fmt.Sprintf("%s at line: %d, column: %d\n", e.Context, e.ContextMark.Line+1, e.ContextMark.Column+1)
	}
	return text
}

// Decoder reads the documents of a text.
type Decoder struct {
	scanner
	documents int
	anchors   map[string]*Node
	tags      []TagDirective
	depth     int
	explicit  bool // the current document began with its mark
	opened    bool // something of the current document's root was read
}

// NewDecoder returns a decoder of text.
func NewDecoder(text []byte) *Decoder {
	d := &Decoder{}
	d.scanner.reset(text)
	return d
}

// checkText says what is wrong with the characters of a text.
func checkText(text []byte) *Error {
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			return &Error{Problem: "control characters are not allowed"}
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return &Error{Problem: describeInvalid(text[i:])}
		}
		if r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff || r == 0xfeff && i > 0 {
			return &Error{Problem: "control characters are not allowed"}
		}
		i += size
	}
	return nil
}

// describeInvalid says why b does not start with a character.
func describeInvalid(b []byte) string {
	width := 0
	switch c := b[0]; {
	case c&0xe0 == 0xc0:
		width = 2
	case c&0xf0 == 0xe0:
		width = 3
	case c&0xf8 == 0xf0:
		width = 4
	default:
		return "invalid leading UTF-8 octet"
	}
	if len(b) < width {
		return "incomplete UTF-8 octet sequence"
	}
	for _, c := range b[1:width] {
		if c&0xc0 != 0x80 {
			return "invalid trailing UTF-8 octet"
		}
	}
	if width == 4 {
		return "invalid Unicode character"
	}
	return "invalid length of a UTF-8 sequence"
}
