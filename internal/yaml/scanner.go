package yaml

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxSimpleKey is how far behind the start of a key its ':' may stand.
const maxSimpleKey = 1024

// scanner makes tokens of a text.
type scanner struct {
	text []byte
	mark Mark // the place of the next character

	tokens []token // found, not taken yet
	taken  int     // how many were taken

	flow       int // nesting of flow collections
	indent     int // column of the current block collection, -1 outside of any
	indents    []int
	keyAllowed bool        // a simple key may start here
	keys       []simpleKey // one for every flow level
	bad        *Error      // the text's first invalid character
}

func (s *scanner) reset(text []byte) {
	bad := checkText(text)
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	*s = scanner{text: text, indent: -1, keyAllowed: true, keys: make([]simpleKey, 1), bad: bad}
}

// at is the byte n places on; 0 behind the end.
func (s *scanner) at(n int) byte {
	if i := s.mark.Index + n; i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// breakWidth is how many bytes of b are a line break: 0 when it doesn't start with one.
func breakWidth(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '\n':
		return 1
	case '\r':
		if len(b) > 1 && b[1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if len(b) > 1 && b[1] == 0x85 {
			return 2
		}
	case 0xe2:
		if len(b) > 2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9) {
			return 3
		}
	}
	return 0
}

func (s *scanner) isEnd(n int) bool { return s.mark.Index+n >= len(s.text) }

func (s *scanner) isBreak(n int) bool {
	return !s.isEnd(n) && breakWidth(s.text[s.mark.Index+n:]) > 0
}

func (s *scanner) isBreakOrEnd(n int) bool { return s.isEnd(n) || s.isBreak(n) }

// isSpaceOrEnd says whether a blank, a line break or the end stands n bytes on.
func (s *scanner) isSpaceOrEnd(n int) bool { return s.isEnd(n) || isBlank(s.at(n)) || s.isBreak(n) }

// step moves over one character.
func (s *scanner) step() {
	_, size := utf8.DecodeRune(s.text[s.mark.Index:])
	s.mark.Index += size
	s.mark.Column++
}

func (s *scanner) steps(n int) {
	for range n {
		s.step()
	}
}

// take moves over one character and appends it to b.
func (s *scanner) take(b []byte) []byte {
	from := s.mark.Index
	s.step()
	return append(b, s.text[from:s.mark.Index]...)
}

// stepLine moves over a line break.
func (s *scanner) stepLine() {
	if n := breakWidth(s.text[s.mark.Index:]); n > 0 {
		s.mark.Index += n
		s.mark.Column = 0
		s.mark.Line++
	}
}

// takeLine moves over a line break and appends it to b: line separators as they are, all others as a line feed.
func (s *scanner) takeLine(b []byte) []byte {
	from := s.mark.Index
	s.stepLine()
	if s.mark.Index-from == 3 {
		return append(b, s.text[from:s.mark.Index]...)
	}
	return append(b, '\n')
}

func (s *scanner) fail(context string, at Mark, problem string) *Error {
	return &Error{Problem: problem, ProblemMark: s.mark, Context: context, ContextMark: at}
}

// peek returns the next token and leaves it.
func (s *scanner) peek() (*token, *Error) {
	for {
		if len(s.tokens) > 0 {
			if err := s.dropStaleKeys(); err != nil {
				return nil, err
			}
			if !s.headMayBeKey() {
				return &s.tokens[0], nil
			}
		}
		if err := s.fetch(); err != nil {
			return nil, err
		}
	}
}

// headMayBeKey says whether it is still open if a key starts with the first token.
func (s *scanner) headMayBeKey() bool {
	for i := range s.keys {
		if s.keys[i].possible && s.keys[i].number == s.taken {
			return true
		}
	}
	return false
}

// skip takes the token that peek returned.
func (s *scanner) skip() {
	s.tokens = s.tokens[1:]
	s.taken++
}

// fetch scans one more token, and those that its place stands for.
func (s *scanner) fetch() *Error {
	if s.bad != nil {
		return s.bad
	}
	if err := s.skipToToken(); err != nil {
		return err
	}
	if err := s.dropStaleKeys(); err != nil {
		return err
	}
	s.closeBlocks(s.mark.Column)
	if s.isEnd(0) {
		return s.fetchEnd()
	}
	c := s.at(0)
	if s.mark.Column == 0 {
		if c == '%' {
			return s.fetchDirective()
		}
		if s.isDocumentMark("---") {
			return s.fetchDocumentMark(documentStart)
		}
		if s.isDocumentMark("...") {
			return s.fetchDocumentMark(documentEnd)
		}
	}
	spaced := s.isSpaceOrEnd(1)
	switch {
	case c == '[':
		return s.fetchFlowStart(flowSequenceStart)
	case c == '{':
		return s.fetchFlowStart(flowMappingStart)
	case c == ']':
		return s.fetchFlowEnd(flowSequenceEnd)
	case c == '}':
		return s.fetchFlowEnd(flowMappingEnd)
	case c == ',':
		return s.fetchFlowEntry()
	case c == '-' && spaced:
		return s.fetchBlockEntry()
	case c == '?' && (s.flow > 0 || spaced):
		return s.fetchKey()
	case c == ':' && (s.flow > 0 || spaced):
		return s.fetchValue()
	case c == '*':
		return s.fetchAnchor(aliasName)
	case c == '&':
		return s.fetchAnchor(anchorName)
	case c == '!':
		return s.fetchTag()
	case (c == '|' || c == '>') && s.flow == 0:
		return s.fetchBlockScalar(c == '|')
	case c == '\'' || c == '"':
		return s.fetchQuoted(c == '\'')
	case s.startsPlain(c, spaced):
		return s.fetchPlain()
	}
	return s.fail("while scanning for the next token", s.mark, "found character that cannot start any token")
}

// startsPlain says whether a plain scalar may start with c.
func (s *scanner) startsPlain(c byte, spaced bool) bool {
	if strings.IndexByte("-?:,[]{}#&*!|>'\"%@`", c) < 0 && !isBlank(c) {
		return true
	}
	return !spaced && (c == '-' || s.flow == 0 && (c == '?' || c == ':'))
}

func (s *scanner) isDocumentMark(text string) bool {
	return bytes.HasPrefix(s.text[s.mark.Index:], []byte(text)) && s.isSpaceOrEnd(3)
}

// skipToToken moves over blanks, comments and line breaks.
func (s *scanner) skipToToken() *Error {
	for {
		for s.at(0) == ' ' || s.at(0) == '\t' && (s.flow > 0 || !s.keyAllowed) {
			s.step()
		}
		if s.at(0) == '#' {
			for !s.isBreakOrEnd(0) {
				s.step()
			}
		}
		if !s.isBreak(0) {
			return nil
		}
		s.stepLine()
		if s.flow == 0 {
			s.keyAllowed = true
		}
	}
}

// dropStaleKeys gives up keys whose ':' did not come in time.
func (s *scanner) dropStaleKeys() *Error {
	for i := range s.keys {
		k := &s.keys[i]
		if !k.possible || k.mark.Line == s.mark.Line && s.mark.Index-k.mark.Index <= maxSimpleKey {
			continue
		}
		if k.required {
			return s.fail("while scanning a simple key", k.mark, "could not find expected ':'")
		}
		k.possible = false
	}
	return nil
}

// saveKey notes that a key may start here.
func (s *scanner) saveKey() *Error {
	if !s.keyAllowed {
		return nil
	}
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keys[len(s.keys)-1] = simpleKey{
		possible: true,
		required: s.flow == 0 && s.indent == s.mark.Column,
		number:   s.taken + len(s.tokens),
		mark:     s.mark,
	}
	return nil
}

// removeKey gives up the possible key of the current flow level.
func (s *scanner) removeKey() *Error {
	k := &s.keys[len(s.keys)-1]
	if k.possible && k.required {
		return s.fail("while scanning a simple key", k.mark, "could not find expected ':'")
	}
	k.possible = false
	return nil
}

// openBlock starts a block collection if the column is further in than the current one's. The token goes before the one
// of that number; a negative number stands for the end.
func (s *scanner) openBlock(column, number int, kind tokenKind, at Mark) {
	if s.flow > 0 || s.indent >= column {
		return
	}
	s.indents = append(s.indents, s.indent)
	s.indent = column
	t := token{kind: kind, start: at, end: at}
	if number < 0 {
		s.tokens = append(s.tokens, t)
		return
	}
	s.insert(number-s.taken, t)
}

func (s *scanner) insert(i int, t token) {
	s.tokens = append(s.tokens, token{})
	copy(s.tokens[i+1:], s.tokens[i:])
	s.tokens[i] = t
}

// closeBlocks ends the block collections that are further in than column.
func (s *scanner) closeBlocks(column int) {
	if s.flow > 0 {
		return
	}
	for s.indent > column {
		s.tokens = append(s.tokens, token{kind: blockEnd, start: s.mark, end: s.mark})
		s.indent = s.indents[len(s.indents)-1]
		s.indents = s.indents[:len(s.indents)-1]
	}
}

// add appends a token of the next n characters.
func (s *scanner) add(kind tokenKind, n int) {
	start := s.mark
	s.steps(n)
	s.tokens = append(s.tokens, token{kind: kind, start: start, end: s.mark})
}

func (s *scanner) fetchEnd() *Error {
	if s.mark.Column != 0 { // the end stands on a line of its own
		s.mark.Column = 0
		s.mark.Line++
	}
	s.closeBlocks(-1)
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	s.add(streamEnd, 0)
	return nil
}

func (s *scanner) fetchDocumentMark(kind tokenKind) *Error {
	s.closeBlocks(-1)
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	s.add(kind, 3)
	return nil
}

func (s *scanner) fetchFlowStart(kind tokenKind) *Error {
	if err := s.saveKey(); err != nil {
		return err
	}
	s.keys = append(s.keys, simpleKey{})
	s.flow++
	s.keyAllowed = true
	s.add(kind, 1)
	return nil
}

func (s *scanner) fetchFlowEnd(kind tokenKind) *Error {
	if err := s.removeKey(); err != nil {
		return err
	}
	if s.flow > 0 {
		s.flow--
		s.keys = s.keys[:len(s.keys)-1]
	}
	s.keyAllowed = false
	s.add(kind, 1)
	return nil
}

func (s *scanner) fetchFlowEntry() *Error {
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = true
	s.add(flowEntry, 1)
	return nil
}

func (s *scanner) fetchBlockEntry() *Error {
	if s.flow == 0 {
		if !s.keyAllowed {
			return s.fail("", s.mark, "block sequence entries are not allowed in this context")
		}
		s.openBlock(s.mark.Column, -1, blockSequenceStart, s.mark)
	}
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = true
	s.add(blockEntry, 1)
	return nil
}

func (s *scanner) fetchKey() *Error {
	if s.flow == 0 {
		if !s.keyAllowed {
			return s.fail("", s.mark, "mapping keys are not allowed in this context")
		}
		s.openBlock(s.mark.Column, -1, blockMappingStart, s.mark)
	}
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = s.flow == 0
	s.add(keyMark, 1)
	return nil
}

func (s *scanner) fetchValue() *Error {
	k := &s.keys[len(s.keys)-1]
	if k.possible {
		s.insert(k.number-s.taken, token{kind: keyMark, start: k.mark, end: k.mark})
		s.openBlock(k.mark.Column, k.number, blockMappingStart, k.mark)
		k.possible = false
		s.keyAllowed = false
	} else {
		if s.flow == 0 {
			if !s.keyAllowed {
				return s.fail("", s.mark, "mapping values are not allowed in this context")
			}
			s.openBlock(s.mark.Column, -1, blockMappingStart, s.mark)
		}
		s.keyAllowed = s.flow == 0
	}
	s.add(valueMark, 1)
	return nil
}
