package yaml

import "strings"

// isWord says whether c may stand in names of directives, anchors and tag handles.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// word moves over a name and returns it.
func (s *scanner) word() string {
	from := s.mark.Index
	for isWord(s.at(0)) {
		s.step()
	}
	return string(s.text[from:s.mark.Index])
}

func (s *scanner) skipBlanks() {
	for isBlank(s.at(0)) {
		s.step()
	}
}

func (s *scanner) fetchDirective() *Error {
	s.closeBlocks(-1)
	if err := s.removeKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	const context = "while scanning a directive"
	start := s.mark
	s.step()
	name := s.word()
	if name == "" {
		return s.fail(context, start, "could not find expected directive name")
	}
	if !s.isSpaceOrEnd(0) {
		return s.fail(context, start, "found unexpected non-alphabetical character")
	}
	t := token{start: start}
	switch name {
	case "YAML":
		t.kind = versionDirective
		if err := s.version(start, &t); err != nil {
			return err
		}
	case "TAG":
		t.kind = tagDirective
		if err := s.tagDirective(start, &t); err != nil {
			return err
		}
	default:
		return s.fail(context, start, "found unknown directive name")
	}
	t.end = s.mark
	s.tokens = append(s.tokens, t)
	return s.endLine(context, start)
}

// endLine moves over blanks and a comment to the next line.
func (s *scanner) endLine(context string, start Mark) *Error {
	s.skipBlanks()
	if s.at(0) == '#' {
		for !s.isBreakOrEnd(0) {
			s.step()
		}
	}
	if !s.isBreakOrEnd(0) {
		return s.fail(context, start, "did not find expected comment or line break")
	}
	s.stepLine()
	return nil
}

// version reads the number of a %YAML directive into the token's text.
func (s *scanner) version(start Mark, t *token) *Error {
	const context = "while scanning a %YAML directive"
	s.skipBlanks()
	from := s.mark.Index
	for part := range 2 {
		digits := s.mark.Index
		for c := s.at(0); c >= '0' && c <= '9'; c = s.at(0) {
			s.step()
		}
		if n := s.mark.Index - digits; n == 0 || n > 9 {
			return s.fail(context, start, "did not find expected version number")
		}
		if part == 0 {
			if s.at(0) != '.' {
				return s.fail(context, start, "did not find expected digit or '.' character")
			}
			s.step()
		}
	}
	t.text = string(s.text[from:s.mark.Index])
	return nil
}

func (s *scanner) tagDirective(start Mark, t *token) *Error {
	const context = "while scanning a %TAG directive"
	s.skipBlanks()
	handle, err := s.tagHandle(true, start)
	if err != nil {
		return err
	}
	if !isBlank(s.at(0)) {
		return s.fail(context, start, "did not find expected whitespace")
	}
	s.skipBlanks()
	prefix, err := s.tagURI("", true, start, context)
	if err != nil {
		return err
	}
	if !s.isSpaceOrEnd(0) {
		return s.fail(context, start, "did not find expected whitespace or line break")
	}
	t.text, t.suffix = handle, prefix
	return nil
}

func (s *scanner) fetchAnchor(kind tokenKind) *Error {
	if err := s.saveKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	context := "while scanning an anchor"
	if kind == aliasName {
		context = "while scanning an alias"
	}
	start := s.mark
	s.step()
	name := s.word()
	if name == "" || !s.isSpaceOrEnd(0) && strings.IndexByte("?:,]}%@`", s.at(0)) < 0 {
		return s.fail(context, start, "did not find expected alphabetic or numeric character")
	}
	s.tokens = append(s.tokens, token{kind: kind, start: start, end: s.mark, text: name})
	return nil
}

func (s *scanner) fetchTag() *Error {
	if err := s.saveKey(); err != nil {
		return err
	}
	s.keyAllowed = false
	const context = "while scanning a tag"
	start := s.mark
	t := token{kind: tagName, start: start}
	var err *Error
	if s.at(1) == '<' {
		s.steps(2)
		if t.suffix, err = s.tagURI("", true, start, context); err != nil {
			return err
		}
		if s.at(0) != '>' {
			return s.fail(context, start, "did not find the expected '>'")
		}
		s.step()
	} else {
		handle, err := s.tagHandle(false, start)
		if err != nil {
			return err
		}
		if len(handle) >= 2 && strings.HasSuffix(handle, "!") {
			t.text = handle
			if t.suffix, err = s.tagURI("", false, start, context); err != nil {
				return err
			}
		} else {
			if t.suffix, err = s.tagURI(handle, false, start, context); err != nil {
				return err
			}
			t.text = "!"
			if t.suffix == "" { // the tag is '!'
				t.text, t.suffix = "", "!"
			}
		}
	}
	if !s.isSpaceOrEnd(0) && (s.flow == 0 || s.at(0) != ',') {
		return s.fail(context, start, "did not find expected whitespace or line break")
	}
	t.end = s.mark
	s.tokens = append(s.tokens, t)
	return nil
}

// tagHandle reads '!', '!!' or '!name!'; outside of a directive the closing '!' may be missing.
func (s *scanner) tagHandle(directive bool, start Mark) (string, *Error) {
	context := "while scanning a tag"
	if directive {
		context = "while scanning a %TAG directive"
	}
	if s.at(0) != '!' {
		return "", s.fail(context, start, "did not find expected '!'")
	}
	from := s.mark.Index
	s.step()
	s.word()
	if s.at(0) == '!' {
		s.step()
	} else if directive && s.mark.Index-from > 1 {
		return "", s.fail("while parsing a tag", start, "did not find expected '!'")
	}
	return string(s.text[from:s.mark.Index]), nil
}

// tagURI reads the rest of a tag whose beginning, a handle that turned out to be none, is head.
func (s *scanner) tagURI(head string, brackets bool, start Mark, context string) (string, *Error) {
	var b []byte
	if len(head) > 1 {
		b = append(b, head[1:]...)
	}
	for {
		c := s.at(0)
		if c == '%' {
			v, ok := s.hex(1, 2)
			if !ok {
				return "", s.fail("while parsing a tag", start, "did not find URI escaped octet")
			}
			b = append(b, byte(v))
			s.steps(3)
			continue
		}
		if c == 0 || !isWord(c) && strings.IndexByte(";/?:@&=+$.!~*'()", c) < 0 &&
			(!brackets || strings.IndexByte(",[]", c) < 0) {
			break
		}
		b = append(b, c)
		s.step()
	}
	if len(b) == 0 && head == "" {
		return "", s.fail(context, start, "did not find expected tag URI")
	}
	return string(b), nil
}

// hex reads n hexadecimal digits that stand from bytes on, and leaves them.
func (s *scanner) hex(from, n int) (v uint32, ok bool) {
	for i := range n {
		c := s.at(from + i)
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint32(c)
	}
	return v, true
}
