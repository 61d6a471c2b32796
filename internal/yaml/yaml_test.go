package yaml

import (
	"io"
	"strings"
	"testing"
)

// notation writes a tree on one line: plain scalars bare, others quoted.
func notation(b *strings.Builder, n *Node) {
	if n.Anchor != "" {
		b.WriteString("&" + n.Anchor + " ")
	}
	if n.Tag != "" {
		b.WriteString("<" + n.Tag + "> ")
	}
	switch n.Kind {
	case Alias:
		b.WriteString("*" + n.Target.Anchor)
	case Scalar:
		if n.Plain {
			b.WriteString(n.Value)
		} else {
			b.WriteString("'" + n.Value + "'")
		}
	case Sequence:
		b.WriteString("[")
		for i, x := range n.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			notation(b, x)
		}
		b.WriteString("]")
	case Mapping:
		b.WriteString("{")
		for i, x := range n.Items {
			if i%2 == 1 {
				b.WriteString(": ")
			} else if i > 0 {
				b.WriteString(", ")
			}
			notation(b, x)
		}
		b.WriteString("}")
	}
}

// read writes all documents of a text, or the error.
func read(text string) string {
	d := NewDecoder([]byte(text))
	var b strings.Builder
	for {
		doc, err := d.Next()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			return b.String() + "error: " + err.Error()
		}
		if b.Len() > 0 {
			b.WriteString(" | ")
		}
		notation(&b, doc.Root)
	}
}

func TestDocuments(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"1", "1"},
		{"- 1\n- two\n- [3, {a: b}]\n- \n", "[1, two, [3, {a: b}], ]"},
		{"a: 1\nb:\n  - x\n  - y: z\n# comment\nc: {d: e, f: [1, 2]}\n", "{a: 1, b: [x, {y: z}], c: {d: e, f: [1, 2]}}"},
		{"list:\n- 1\n- 2\nnext: 3", "{list: [1, 2], next: 3}"},
		{"text: |\n  line one\n  line two\n\nfolded: >\n  a\n  b\n\n  c\nstrip: |-\n  x\nkeep: |+\n  y\n\n",
			"{text: 'line one\nline two\n', folded: 'a b\nc\n', strip: 'x', keep: 'y\n\n'}"},
		{"|2\n   x\n  y\n", "' x\ny\n'"},
		{"? complex\n: value\n", "{complex: value}"},
		{"? - 1\n: 1\n", "{[1]: 1}"},
		{"[1, 2, ]", "[1, 2]"},
		{"[a: b, c]", "[{a: b}, c]"},
		{"{a, b: }", "{a: , b: }"},
		{`{"a":1,"b":[true,null]}`, "{'a': 1, 'b': [true, null]}"},
		{"\"multi\n  line\\\n   joined\"", "'multi linejoined'"},
		{"plain\n  continued\n\n  more", "plain continued\nmore"},
		{`"\n\t\x41\u00e9\U0001F600"`, "'\n\tA\u00e9\U0001f600'"},
		{"'it''s'", "'it's'"},
		{"---\n1\n...\n---\n- a\n...\n---\nb: c\n...\n", "1 | [a] | {b: c}"},
		{"--- 1\n--- 2\n", "1 | 2"},
		{"--- ", ""},
		{"- &x {k: v}\n- *x\n", "[&x {k: v}, *x]"},
		{"&a - *a", "error: block sequence entries are not allowed in this context at document: 0, line: 1, column: 4\n"},
		{"--- &a\n- *a", "&a [*a]"},
		{"!!str 12", "<tag:yaml.org,2002:str> 12"},
		{"!other 5", "<!other> 5"},
		{"!<tag:x> 5", "<tag:x> 5"},
		{"%TAG !z! tag:x/\n---\n!z!y 5", "<tag:x/y> 5"},
		{"%YAML 1.1\n--- x", "x"},
		{"a#b # c", "a#b"},
		{"- - -\n-", "[[[]], ]"},
		{"\ufeffx: y", "{x: y}"},
	}
	for _, test := range tests {
		if got := read(test.text); got != test.want {
			t.Errorf("%q:\ngot  %q\nwant %q", test.text, got, test.want)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"[1, 2", "did not find expected ',' or ']' at document: 1, line: 2, column: 1\n" +
			"while parsing a flow sequence at line: 1, column: 1\n"},
		{"{a: 1", "did not find expected ',' or '}' at document: 1, line: 2, column: 1\n" +
			"while parsing a flow mapping at line: 1, column: 1\n"},
		{"a: b: c", "mapping values are not allowed in this context at document: 1, line: 1, column: 5\n"},
		{"a:\n\t- b", "found character that cannot start any token at document: 1, line: 2, column: 1\n" +
			"while scanning for the next token at line: 2, column: 1\n"},
		{"@x", "found character that cannot start any token at document: 0\n" +
			"while scanning for the next token at line: 1, column: 1\n"},
		{"%x", "found unknown directive name at document: 0, line: 1, column: 3\n" +
			"while scanning a directive at line: 1, column: 1\n"},
		{"a: 1\n- b", "did not find expected key at document: 1, line: 2, column: 1\n" +
			"while parsing a block mapping at line: 1, column: 1\n"},
		{"*", "did not find expected alphabetic or numeric character at document: 0, line: 1, column: 2\n" +
			"while scanning an alias at line: 1, column: 1\n"},
		{"\"open", "found unexpected end of stream at document: 0, line: 1, column: 6\n" +
			"while scanning a quoted scalar at line: 1, column: 1\n"},
		{"a: |x\n  y", "did not find expected comment or line break at document: 1, line: 1, column: 5\n" +
			"while scanning a block scalar at line: 1, column: 4\n"},
		{"\x01", "control characters are not allowed at document: 0\n"},
		{"a: \xff", "invalid leading UTF-8 octet at document: 0\n"},
		{"}", "unexpected END event"},
		{"...\n", "unexpected END event"},
		{"- *nowhere", "invalid reference: nowhere"},
		{": a", "did not find expected key at document: 1\nwhile parsing a block mapping at line: 1, column: 1\n"},
		{"a\nb: c", "mapping values are not allowed in this context at document: 1, line: 2, column: 2\n"},
	}
	for _, test := range tests {
		if got := strings.TrimPrefix(read(test.text), "error: "); got != test.want {
			t.Errorf("%q:\ngot  %q\nwant %q", test.text, got, test.want)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 100000), strings.Repeat("- ", 100000), strings.Repeat("{a: ", 100000)} {
		if got := read(text); !strings.Contains(got, "error") {
			t.Errorf("no error, %d bytes", len(got))
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a: [1, {b: c}]\n", "- |\n x\n- >-\n y\n", "--- &a !!str 'x'\n--- *a\n", "? - a\n: \"b\\\n  c\"\n", "%TAG ! x\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := NewDecoder([]byte(text))
		for {
			if _, err := d.Next(); err != nil {
				return
			}
		}
	})
}
