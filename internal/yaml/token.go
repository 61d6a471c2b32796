package yaml

// tokenKind is what the scanner found.
type tokenKind int

const (
	streamEnd tokenKind = iota
	versionDirective
	tagDirective
	documentStart
	documentEnd
	blockSequenceStart
	blockMappingStart
	blockEnd
	flowSequenceStart
	flowSequenceEnd
	flowMappingStart
	flowMappingEnd
	blockEntry
	flowEntry
	keyMark
	valueMark
	aliasName
	anchorName
	tagName
	scalarText
)

// token is a piece of a text. text and suffix hold what its kind needs: a name, a scalar, a tag's handle and suffix.
type token struct {
	kind         tokenKind
	start, end   Mark
	text, suffix string
	plain        bool
}

// simpleKey is the place where a key may turn out to have started, once a ':' follows on the same line.
type simpleKey struct {
	possible bool
	required bool // nothing but a key can stand there
	number   int  // of the token that would be the key's first
	mark     Mark
}
