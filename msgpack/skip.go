package msgpack

// Skip returns what follows the first value of b. It looks at structure only: what extension values hold is not
// checked.
func Skip(b []byte) (rest []byte, ok bool) {
	// Most values of a tuple are scalars of a fixed size.
	if len(b) > 0 {
		if s := shapeTable[b[0]]; s.kids == 0 && s.size != 0 && int(s.size) <= len(b) {
			return b[s.size:], true
		}
	}
	return SkipN(b, 1)
}

// SkipN returns what follows the first n values of b.
func SkipN(b []byte, n int) (rest []byte, ok bool) {
	at := 0
	for ; n > 0; n-- {
		if uint(at) >= uint(len(b)) {
			return nil, false
		}
		c := b[at]
		if c < codeFixMap {
			at++ // without waiting for the load of a size
			continue
		}
		s := shapeTable[c]
		if s.size == 0 {
			if c == codeStr8 && at+1 < len(b) { // by far the most frequent one
				at += 2 + int(b[at+1])
				continue
			}
			size, kids, ok := longShape(b[at:])
			if !ok || size > len(b)-at {
				return nil, false
			}
			at += size
			n += kids
			continue
		}
		at += int(s.size)
		n += int(s.kids)
	}
	if at > len(b) {
		return nil, false
	}
	return b[at:], true
}

// longShape returns the shape of a value whose length is in the bytes after the first.
func longShape(b []byte) (size, kids int, ok bool) {
	var at int
	switch c := b[0]; c {
	case codeStr8, codeStr16, codeStr32:
		size, at, ok = readSize(b, int(c-codeStr8))
		return size + at, 0, ok
	case codeBin8, codeBin16, codeBin32:
		size, at, ok = readSize(b, int(c-codeBin8))
		return size + at, 0, ok
	case codeExt8, codeExt16, codeExt32:
		size, at, ok = readSize(b, int(c-codeExt8))
		return size + at + 1, 0, ok
	case codeArray16, codeArray32:
		kids, at, ok = readSize(b, 1+int(c-codeArray16))
	case codeMap16, codeMap32:
		kids, at, ok = readSize(b, 1+int(c-codeMap16))
		kids *= 2
	}
	// Each value takes at least one byte: a larger claim is refused before it is counted, so that no sum overflows.
	return at, kids, ok && kids <= len(b)
}

// extChecks holds what RegisterExtCheck was given, by the extension type as an unsigned number.
var extChecks [256]func(data []byte) bool

// RegisterExtCheck makes Check call valid with the data of each extension value of type typ, and refuse the value
// when it returns false. It is to be called by package initialization only. Types without a check are not refused.
func RegisterExtCheck(typ int8, valid func(data []byte) bool) { extChecks[uint8(typ)] = valid }

// Check returns what follows the first value of b if that is well-formed: complete, without invalid bytes, and with
// extension values that their registered checks accept. Like the reference it doesn't ask that strings be UTF-8 or
// that the keys of a map differ.
func Check(b []byte) (rest []byte, ok bool) {
	at := checkAt(b, 0)
	if at < 0 {
		return nil, false
	}
	return b[at:], true
}

// checkAt returns where the value at b[at] ends, -1 if it is not well-formed.
func checkAt(b []byte, at int) int {
	for n := 1; n > 0; n-- {
		if uint(at) >= uint(len(b)) {
			return -1
		}
		c := b[at]
		if c < codeFixMap {
			// The branch is foreseen, so that nothing waits for the load of a size.
			at++
			continue
		}
		s := shapeTable[c]
		if s.size == 0 || typeTable[c] == Ext {
			size, kids, ok := checkedShape(b[at:])
			if !ok {
				return -1
			}
			at += size
			n += kids
			continue
		}
		at += int(s.size)
		n += int(s.kids)
	}
	if at > len(b) {
		return -1
	}
	return at
}

// checkedShape is longShape with checks: that the value is complete, and valid if it is an extension of any length.
func checkedShape(b []byte) (size, kids int, ok bool) {
	if typeTable[b[0]] == Ext {
		typ, data, rest, ok := ReadExt(b)
		if !ok {
			return 0, 0, false
		}
		valid := extChecks[uint8(typ)]
		return len(b) - len(rest), 0, valid == nil || valid(data)
	}
	size, kids, ok = longShape(b)
	return size, kids, ok && size <= len(b)
}
