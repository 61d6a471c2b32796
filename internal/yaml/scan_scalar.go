package yaml

import (
	"strings"
	"unicode/utf8"
)

// folding gathers line breaks between the lines of a scalar: one break becomes a space, more become one break less.
type folding struct {
	blanks  []byte // on the current line, behind its last other character
	leading []byte // the first break
	more    []byte // the breaks that follow it
	broken  bool   // at least one break was seen
}

// flush appends what the blanks and breaks become.
func (f *folding) flush(b []byte) []byte {
	if !f.broken {
		b = append(b, f.blanks...)
	} else if len(f.leading) > 0 && f.leading[0] == '\n' {
		if len(f.more) == 0 {
			b = append(b, ' ')
		} else {
			b = append(b, f.more...)
		}
	} else {
		b = append(append(b, f.leading...), f.more...)
	}
	*f = folding{blanks: f.blanks[:0], leading: f.leading[:0], more: f.more[:0]}
	return b
}

// line takes one line break.
func (s *scanner) foldLine(f *folding) {
	if f.broken {
		f.more = s.takeLine(f.more)
		return
	}
	f.blanks = f.blanks[:0]
	f.leading = s.takeLine(f.leading)
	f.broken = true
}

func (s *scanner) fetchPlain() *Error {
	if err := s.saveKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	const context = "while scanning a plain scalar"
	start, end := s.mark, s.mark
	indent := s.indent + 1
	var b []byte
	var f folding
	for {
		if s.mark.Column == 0 && (s.isDocumentMark("---") || s.isDocumentMark("...")) || s.at(0) == '#' {
			break
		}
		for !s.isSpaceOrEnd(0) {
			c := s.at(0)
			if s.flow > 0 && c == ':' && !s.isEnd(1) && strings.IndexByte(",?[]{}", s.at(1)) >= 0 {
				return s.fail(context, start, "found unexpected ':'")
			}
			if c == ':' && s.isSpaceOrEnd(1) ||
				s.flow > 0 && (strings.IndexByte(",[]{}", c) >= 0 || c == '?' && s.isSpaceOrEnd(1)) {
				break
			}
			if f.broken || len(f.blanks) > 0 {
				b = f.flush(b)
			}
			b = s.take(b)
			end = s.mark
		}
		if !isBlank(s.at(0)) && !s.isBreak(0) {
			break
		}
		for isBlank(s.at(0)) || s.isBreak(0) {
			if !isBlank(s.at(0)) {
				s.foldLine(&f)
				continue
			}
			if f.broken && s.mark.Column < indent && s.at(0) == '\t' {
				return s.fail(context, start, "found a tab character that violates indentation")
			}
			if f.broken {
				s.step()
			} else {
				f.blanks = s.take(f.blanks)
			}
		}
		if s.flow == 0 && s.mark.Column < indent {
			break
		}
	}
	s.tokens = append(s.tokens, token{kind: scalarText, start: start, end: end, text: string(b), plain: true})
	if f.broken {
		s.keyAllowed = true
	}
	return nil
}

// escapes are what stands for itself or one character behind a backslash.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ", '"': "\"", '/': "/", '\\': "\\", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

func (s *scanner) fetchQuoted(single bool) *Error {
	if err := s.saveKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	const context = "while scanning a quoted scalar"
	start := s.mark
	quote := s.at(0)
	s.step()
	var b []byte
	var f folding
	for {
		if s.mark.Column == 0 && (s.isDocumentMark("---") || s.isDocumentMark("...")) {
			return s.fail(context, start, "found unexpected document indicator")
		}
		if s.isEnd(0) {
			return s.fail(context, start, "found unexpected end of stream")
		}
		joined := false // the line ends in a backslash
		for !s.isSpaceOrEnd(0) {
			c := s.at(0)
			if single && c == '\'' && s.at(1) == '\'' {
				b = append(b, '\'')
				s.steps(2)
				continue
			}
			if c == quote {
				break
			}
			if single || c != '\\' {
				b = s.take(b)
				continue
			}
			if s.isBreak(1) {
				s.step()
				s.stepLine()
				joined = true
				break
			}
			var err *Error
			if b, err = s.escape(b, start); err != nil {
				return err
			}
		}
		if s.at(0) == quote && !s.isEnd(0) && !joined {
			break
		}
		if joined {
			f = folding{broken: true, leading: f.leading[:0], more: f.more[:0]}
		}
		for isBlank(s.at(0)) || s.isBreak(0) {
			if !isBlank(s.at(0)) {
				s.foldLine(&f)
			} else if f.broken {
				s.step()
			} else {
				f.blanks = s.take(f.blanks)
			}
		}
		b = f.flush(b)
	}
	s.step()
	s.tokens = append(s.tokens, token{kind: scalarText, start: start, end: s.mark, text: string(b)})
	return nil
}

// escape moves over an escape sequence and appends what it stands for.
func (s *scanner) escape(b []byte, start Mark) ([]byte, *Error) {
	const context = "while parsing a quoted scalar"
	c := s.at(1)
	width := 0
	switch c {
	case 'x':
		width = 2
	case 'u':
		width = 4
	case 'U':
		width = 8
	default:
		text, ok := escapes[c]
		if !ok {
			return nil, s.fail(context, start, "found unknown escape character")
		}
		s.steps(2)
		return append(b, text...), nil
	}
	s.steps(2)
	v, ok := s.hex(0, width)
	if !ok {
		return nil, s.fail(context, start, "did not find expected hexdecimal number")
	}
	if v >= 0xd800 && v <= 0xdfff || v > 0x10ffff {
		return nil, s.fail(context, start, "found invalid Unicode character escape code")
	}
	s.steps(width)
	return utf8.AppendRune(b, rune(v)), nil
}

// fetchBlockScalar reads a literal ('|') or folded ('>') scalar.
func (s *scanner) fetchBlockScalar(literal bool) *Error {
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = true
	const context = "while scanning a block scalar"
	start := s.mark
	s.step()
	chomp, hint, err := s.blockHeader(start)
	if err != nil {
		return err
	}
	if err := s.endLine(context, start); err != nil {
		return err
	}
	indent := 0
	if hint > 0 {
		indent = max(s.indent, 0) + hint
	}
	end := s.mark
	var b, leading, trailing []byte
	if trailing, err = s.blockBreaks(&indent, trailing, start, &end); err != nil {
		return err
	}
	lastBlank := false
	for s.mark.Column == indent && !s.isEnd(0) {
		blank := isBlank(s.at(0))
		if !literal && len(leading) > 0 && leading[0] == '\n' && !lastBlank && !blank {
			if len(trailing) == 0 {
				b = append(b, ' ')
			}
		} else {
			b = append(b, leading...)
		}
		b = append(b, trailing...)
		leading, trailing = leading[:0], trailing[:0]
		lastBlank = blank
		for !s.isBreakOrEnd(0) {
			b = s.take(b)
		}
		if s.isBreak(0) {
			leading = s.takeLine(leading)
		}
		if trailing, err = s.blockBreaks(&indent, trailing, start, &end); err != nil {
			return err
		}
	}
	if chomp != '-' {
		b = append(b, leading...)
	}
	if chomp == '+' {
		b = append(b, trailing...)
	}
	s.tokens = append(s.tokens, token{kind: scalarText, start: start, end: end, text: string(b)})
	return nil
}

// blockHeader reads the indicators behind '|' or '>', in any order.
func (s *scanner) blockHeader(start Mark) (chomp byte, hint int, err *Error) {
	for {
		switch c := s.at(0); {
		case chomp == 0 && (c == '+' || c == '-'):
			chomp = c
		case hint == 0 && c >= '0' && c <= '9':
			if c == '0' {
				return 0, 0, s.fail("while scanning a block scalar", start, "found an indentation indicator equal to 0")
			}
			hint = int(c - '0')
		default:
			return chomp, hint, nil
		}
		s.step()
	}
}

// blockBreaks moves over indentation and empty lines; it finds the indentation if that isn't known yet.
func (s *scanner) blockBreaks(indent *int, breaks []byte, start Mark, end *Mark) ([]byte, *Error) {
	*end = s.mark
	deepest := 0
	for {
		for (*indent == 0 || s.mark.Column < *indent) && s.at(0) == ' ' {
			s.step()
		}
		deepest = max(deepest, s.mark.Column)
		if (*indent == 0 || s.mark.Column < *indent) && s.at(0) == '\t' {
			return nil, s.fail("while scanning a block scalar", start,
				"found a tab character where an indentation space is expected")
		}
		if !s.isBreak(0) {
			break
		}
		breaks = s.takeLine(breaks)
		*end = s.mark
	}
	if *indent == 0 {
		*indent = max(deepest, s.indent+1, 1)
	}
	return breaks, nil
}
