package yaml

import "io"

// Next reads the next document; io.EOF when there is none. Every other error is an *Error.
func (d *Decoder) Next() (*Document, error) {
	doc, err := d.document()
	if err != nil {
		if !err.Bare {
			err.Document = d.documents
		}
		return nil, err
	}
	if doc == nil {
		return nil, io.EOF
	}
	return doc, nil
}

// document reads one document; nil at the end of the text.
func (d *Decoder) document() (*Document, *Error) {
	t, err := d.peek()
	if err != nil {
		return nil, err
	}
	for d.documents > 0 && t.kind == documentEnd {
		d.skip()
		if t, err = d.peek(); err != nil {
			return nil, err
		}
	}
	if t.kind == streamEnd {
		return nil, nil
	}
	doc := &Document{}
	if err := d.prolog(doc); err != nil {
		return nil, err
	}
	d.documents++
	d.tags = doc.Tags
	d.anchors = map[string]*Node{}
	t, err = d.peek()
	if err == nil {
		switch t.kind {
		case versionDirective, tagDirective, documentStart, streamEnd:
			doc.Root = &Node{Plain: true}
		case documentEnd:
			if d.explicit {
				doc.Root = &Node{Plain: true}
				break
			}
			fallthrough
		default:
			d.opened = false
			doc.Root, err = d.node(true, false)
		}
	}
	if err != nil {
		if !d.opened { // the reference says no more of a document without any content
			return nil, &Error{Problem: "unexpected END event", Bare: true}
		}
		return nil, err
	}
	if t, err = d.peek(); err != nil {
		return nil, err
	}
	if t.kind == documentEnd {
		d.skip()
	}
	return doc, nil
}

// prolog reads the directives and the mark before a document.
func (d *Decoder) prolog(doc *Document) *Error {
	d.explicit = false
	version := false
	for {
		t, err := d.peek()
		if err != nil {
			return err
		}
		switch t.kind {
		case versionDirective:
			if version {
				return &Error{Problem: "found duplicate %YAML directive", ProblemMark: t.start}
			}
			if t.text != "1.1" && t.text != "1.2" {
				return &Error{Problem: "found incompatible YAML document", ProblemMark: t.start}
			}
			version = true
		case tagDirective:
			for _, x := range doc.Tags {
				if x.Handle == t.text {
					return &Error{Problem: "found duplicate %TAG directive", ProblemMark: t.start}
				}
			}
			doc.Tags = append(doc.Tags, TagDirective{Handle: t.text, Prefix: t.suffix})
		case documentStart:
			d.skip()
			d.explicit = true
			return nil
		default:
			if version || doc.Tags != nil || d.documents > 0 {
				return &Error{Problem: "did not find expected <document start>", ProblemMark: t.start}
			}
			return nil
		}
		d.skip()
	}
}

// properties are what may stand before a node.
type properties struct {
	start       Mark
	anchor, tag string
	given       bool
}

func (d *Decoder) properties() (p properties, err *Error) {
	t, err := d.peek()
	if err != nil {
		return p, err
	}
	p.start = t.start
	anchored, tagged := false, false
	for {
		switch {
		case t.kind == anchorName && !anchored:
			p.anchor, anchored = t.text, true
		case t.kind == tagName && !tagged:
			if p.tag, err = d.resolveTag(t, p.start); err != nil {
				return p, err
			}
			tagged = true
		default:
			p.given = anchored || tagged
			return p, nil
		}
		d.skip()
		if t, err = d.peek(); err != nil {
			return p, err
		}
	}
}

// resolveTag makes a full tag of a handle and a suffix.
func (d *Decoder) resolveTag(t *token, start Mark) (string, *Error) {
	if t.text == "" {
		return t.suffix, nil
	}
	for _, x := range d.tags {
		if x.Handle == t.text {
			return x.Prefix + t.suffix, nil
		}
	}
	switch t.text {
	case "!":
		return "!" + t.suffix, nil
	case "!!":
		return "tag:yaml.org,2002:" + t.suffix, nil
	}
	return "", &Error{Problem: "found undefined tag handle", ProblemMark: t.start, Context: "while parsing a node",
		ContextMark: start}
}

// node reads a node. In block context block collections are allowed; indentless: a sequence that is not indented, too.
func (d *Decoder) node(block, indentless bool) (*Node, *Error) {
	if d.depth++; d.depth > MaxDepth {
		return nil, &Error{Problem: "too many nested collections", ProblemMark: d.mark}
	}
	defer func() { d.depth-- }()
	t, err := d.peek()
	if err != nil {
		return nil, err
	}
	if t.kind == aliasName {
		target := d.anchors[t.text]
		if target == nil {
			d.opened = true
			return nil, &Error{Problem: "invalid reference: " + t.text, Bare: true}
		}
		d.skip()
		return &Node{Kind: Alias, Target: target}, nil
	}
	p, err := d.properties()
	if err != nil {
		return nil, err
	}
	if t, err = d.peek(); err != nil {
		return nil, err
	}
	n := &Node{Tag: p.tag, Anchor: p.anchor}
	if p.anchor != "" {
		d.anchors[p.anchor] = n
	}
	at := t.start
	switch {
	case indentless && t.kind == blockEntry:
		d.opened, n.Kind = true, Sequence
		return n, d.indentless(n)
	case t.kind == scalarText:
		d.skip()
		d.opened = true
		n.Value, n.Plain = t.text, t.plain
		return n, nil
	case t.kind == flowSequenceStart:
		d.opened, n.Kind = true, Sequence
		return n, d.flowSequence(n, at)
	case t.kind == flowMappingStart:
		d.opened, n.Kind = true, Mapping
		return n, d.flowMapping(n, at)
	case block && t.kind == blockSequenceStart:
		d.opened, n.Kind = true, Sequence
		return n, d.blockSequence(n, at)
	case block && t.kind == blockMappingStart:
		d.opened, n.Kind = true, Mapping
		return n, d.blockMapping(n, at)
	case p.given:
		d.opened = true
		n.Plain = p.tag == ""
		return n, nil
	}
	context := "while parsing a flow node"
	if block {
		context = "while parsing a block node"
	}
	return nil, &Error{Problem: "did not find expected node content", ProblemMark: t.start, Context: context,
		ContextMark: p.start}
}

// add reads a node into n, or takes an empty one if the next token is one of those.
func (d *Decoder) add(n *Node, block, indentless bool, empty ...tokenKind) *Error {
	t, err := d.peek()
	if err != nil {
		return err
	}
	for _, k := range empty {
		if t.kind == k {
			n.Items = append(n.Items, &Node{Plain: true})
			return nil
		}
	}
	item, err := d.node(block, indentless)
	if err != nil {
		return err
	}
	n.Items = append(n.Items, item)
	return nil
}

func (d *Decoder) blockSequence(n *Node, start Mark) *Error {
	d.skip()
	for {
		t, err := d.peek()
		if err != nil {
			return err
		}
		switch t.kind {
		case blockEntry:
			d.skip()
			if err := d.add(n, true, false, blockEntry, blockEnd); err != nil {
				return err
			}
		case blockEnd:
			d.skip()
			return nil
		default:
			return &Error{Problem: "did not find expected '-' indicator", ProblemMark: t.start,
				Context: "while parsing a block collection", ContextMark: start}
		}
	}
}

func (d *Decoder) indentless(n *Node) *Error {
	for {
		t, err := d.peek()
		if err != nil {
			return err
		}
		if t.kind != blockEntry {
			return nil
		}
		d.skip()
		if err := d.add(n, true, false, blockEntry, keyMark, valueMark, blockEnd); err != nil {
			return err
		}
	}
}

func (d *Decoder) blockMapping(n *Node, start Mark) *Error {
	d.skip()
	for {
		t, err := d.peek()
		if err != nil {
			return err
		}
		switch t.kind {
		case keyMark:
			d.skip()
			if err := d.add(n, true, true, keyMark, valueMark, blockEnd); err != nil {
				return err
			}
		case blockEnd:
			d.skip()
			return nil
		default:
			return &Error{Problem: "did not find expected key", ProblemMark: t.start,
				Context: "while parsing a block mapping", ContextMark: start}
		}
		if t, err = d.peek(); err != nil {
			return err
		}
		if t.kind != valueMark {
			n.Items = append(n.Items, &Node{Plain: true})
			continue
		}
		d.skip()
		if err := d.add(n, true, true, keyMark, valueMark, blockEnd); err != nil {
			return err
		}
	}
}

func (d *Decoder) flowSequence(n *Node, start Mark) *Error {
	d.skip()
	for first := true; ; first = false {
		t, err := d.peek()
		if err != nil {
			return err
		}
		if t.kind != flowSequenceEnd && !first {
			if t.kind != flowEntry {
				return &Error{Problem: "did not find expected ',' or ']'", ProblemMark: t.start,
					Context: "while parsing a flow sequence", ContextMark: start}
			}
			d.skip()
			if t, err = d.peek(); err != nil {
				return err
			}
		}
		if t.kind == flowSequenceEnd {
			d.skip()
			return nil
		}
		if t.kind != keyMark {
			if err := d.add(n, false, false); err != nil {
				return err
			}
			continue
		}
		// A single pair: a mapping without braces.
		d.skip()
		pair := &Node{Kind: Mapping}
		if err := d.add(pair, false, false, valueMark, flowEntry, flowSequenceEnd); err != nil {
			return err
		}
		if err := d.flowValue(pair, flowSequenceEnd); err != nil {
			return err
		}
		n.Items = append(n.Items, pair)
	}
}

// flowValue reads the value behind a key in a flow collection that ends with end; it may be missing.
func (d *Decoder) flowValue(n *Node, end tokenKind) *Error {
	t, err := d.peek()
	if err != nil {
		return err
	}
	if t.kind != valueMark {
		n.Items = append(n.Items, &Node{Plain: true})
		return nil
	}
	d.skip()
	return d.add(n, false, false, flowEntry, end)
}

func (d *Decoder) flowMapping(n *Node, start Mark) *Error {
	d.skip()
	for first := true; ; first = false {
		t, err := d.peek()
		if err != nil {
			return err
		}
		if t.kind != flowMappingEnd && !first {
			if t.kind != flowEntry {
				return &Error{Problem: "did not find expected ',' or '}'", ProblemMark: t.start,
					Context: "while parsing a flow mapping", ContextMark: start}
			}
			d.skip()
			if t, err = d.peek(); err != nil {
				return err
			}
		}
		switch t.kind {
		case flowMappingEnd:
			d.skip()
			return nil
		case keyMark:
			d.skip()
			if err := d.add(n, false, false, valueMark, flowEntry, flowMappingEnd); err != nil {
				return err
			}
			if err := d.flowValue(n, flowMappingEnd); err != nil {
				return err
			}
		default: // a key alone
			if err := d.add(n, false, false); err != nil {
				return err
			}
			n.Items = append(n.Items, &Node{Plain: true})
		}
	}
}
