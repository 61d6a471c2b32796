package tuple

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// edit appends what the operation makes of a field on whose inside it works. The lengths of arrays and maps count
// values and not bytes, so that only the innermost of them has to know about a value more or less.
func (op *operation) edit(b, field []byte) ([]byte, *boxerr.Error) {
	if op.code == '=' || op.code == '!' {
		return op.editMissing(b, field)
	}
	lex := op.path
	var holder []byte // what holds v, from its first byte to the end of the field
	var step PathToken
	v := field
	for {
		tok, err := op.nextStep(&lex)
		if err != nil {
			return nil, err
		}
		if tok.Kind == TokenEnd {
			break
		}
		holder, step = v, tok
		if v = child(v, tok); v == nil {
			return nil, op.noSuchField()
		}
	}
	if op.code == '#' {
		return op.deleteInside(b, field, holder, step)
	}
	b = append(b, field[:len(field)-len(v)]...)
	b, err := op.compute(b, value(v))
	if err != nil {
		return nil, err
	}
	rest, _ := msgpack.Skip(v)
	return append(b, rest...), nil
}

// nextStep reads the next step of the path.
func (op *operation) nextStep(lex *pathLexer) (PathToken, *boxerr.Error) {
	tok, bad := lex.next()
	if bad != 0 {
		return tok, op.badPath(bad)
	}
	if tok.Kind == TokenAny {
		return tok, op.badPath(lex.symbols - 1)
	}
	return tok, nil
}

// editMissing is edit for the operations that can make a value where there is none. The last step of the path is
// then taken by them.
func (op *operation) editMissing(b, field []byte) ([]byte, *boxerr.Error) {
	lex := op.path
	holder := field
	step, err := op.nextStep(&lex)
	for {
		if err != nil {
			return nil, err
		}
		var next PathToken
		if next, err = op.nextStep(&lex); err != nil {
			return nil, err
		}
		if next.Kind == TokenEnd {
			break
		}
		if holder = child(holder, step); holder == nil {
			return nil, op.noSuchField()
		}
		step = next
	}
	switch kind := typeOf(holder); {
	case kind == msgpack.Array && step.Kind == TokenIndex:
		return op.putIntoArray(b, field, holder, step.Index)
	case kind == msgpack.Map:
		return op.putIntoMap(b, field, holder, step)
	case step.Kind == TokenKey:
		return nil, op.fieldError("can not access by key a non-map field")
	}
	return nil, op.fieldError("can not access by index a non-array field")
}

func (op *operation) putIntoArray(b, field, array []byte, i int) ([]byte, *boxerr.Error) {
	n, items, _ := msgpack.ReadArrayHeader(array)
	if i > n {
		return nil, op.noSuchField()
	}
	at, _ := msgpack.SkipN(items, i)
	before := field[:len(field)-len(array)]
	if op.code == '=' && i < n {
		rest, _ := msgpack.Skip(at)
		b = append(b, field[:len(field)-len(at)]...)
		b = append(b, op.arg...)
		return append(b, rest...), nil
	}
	b = append(b, before...)
	b = msgpack.AppendArrayHeader(b, n+1)
	b = append(b, items[:len(items)-len(at)]...)
	b = append(b, op.arg...)
	return append(b, at...), nil
}

func (op *operation) putIntoMap(b, field, m []byte, step PathToken) ([]byte, *boxerr.Error) {
	n, items, _ := msgpack.ReadMapHeader(m)
	old, _ := mapValue(m, step)
	switch {
	case old != nil && op.code == '!':
		return nil, op.fieldError("the key exists already")
	case old != nil:
		rest, _ := msgpack.Skip(old)
		b = append(b, field[:len(field)-len(old)]...)
		b = append(b, op.arg...)
		return append(b, rest...), nil
	case step.Kind == TokenIndex:
		return nil, op.fieldError("can not access by index a non-array field")
	}
	rest, _ := msgpack.Skip(m)
	b = append(b, field[:len(field)-len(m)]...)
	b = msgpack.AppendMapHeader(b, n+1)
	b = append(b, items[:len(items)-len(rest)]...)
	b = msgpack.AppendString(b, step.Key)
	b = append(b, op.arg...)
	return append(b, rest...), nil
}

// deleteInside takes values out of the array or map that begins holder. That the first of them is there is known.
func (op *operation) deleteInside(b, field, holder []byte, step PathToken) ([]byte, *boxerr.Error) {
	before := field[:len(field)-len(holder)]
	if typeOf(holder) == msgpack.Map {
		if op.count != 1 {
			return nil, op.fieldError("can delete only 1 field from a map in a row")
		}
		n, items, _ := msgpack.ReadMapHeader(holder)
		old, key := mapValue(holder, step)
		rest, _ := msgpack.Skip(old)
		b = append(b, before...)
		b = msgpack.AppendMapHeader(b, n-1)
		b = append(b, items[:len(items)-len(key)]...)
		return append(b, rest...), nil
	}
	n, items, _ := msgpack.ReadArrayHeader(holder)
	count := int(min(int64(op.count), int64(n-step.Index)))
	at, _ := msgpack.SkipN(items, step.Index)
	rest, _ := msgpack.SkipN(at, count)
	b = append(b, before...)
	b = msgpack.AppendArrayHeader(b, n-count)
	b = append(b, items[:len(items)-len(at)]...)
	return append(b, rest...), nil
}
