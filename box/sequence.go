package box

import (
	"math"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Field numbers of _sequence.
const (
	sequenceFieldID = iota
	sequenceFieldOwner
	sequenceFieldName
	sequenceFieldStep
	sequenceFieldMin
	sequenceFieldMax
	sequenceFieldStart
	sequenceFieldCache
	sequenceFieldCycle
)

// Next gives out the next value. The error is SEQUENCE_OVERFLOW.
func (q *Sequence) Next() (int64, error) {
	if !q.Started {
		q.Value, q.Started = q.Start, true
		return q.Value, nil
	}
	next, ok := q.step()
	if !ok {
		if !q.Cycle {
			return 0, boxerr.New(boxerr.SequenceOverflow, q.Name)
		}
		next = q.Min
		if q.Step < 0 {
			next = q.Max
		}
	}
	q.Value = next
	return next, nil
}

// step returns the value behind the present one, and whether there is one within the bounds.
func (q *Sequence) step() (int64, bool) {
	switch {
	case q.Step > 0 && q.Value < q.Min:
		return q.Min, true
	case q.Step < 0 && q.Value > q.Max:
		return q.Max, true
	case q.Step > 0 && q.Value > math.MaxInt64-q.Step, q.Step < 0 && q.Value < math.MinInt64-q.Step:
		return 0, false
	}
	next := q.Value + q.Step
	return next, q.Min <= next && next <= q.Max
}

// Advance moves the sequence on to a value that was used without asking it, unless it is past that already.
func (q *Sequence) Advance(value int64) {
	if !q.Started || q.Step > 0 && value > q.Value || q.Step < 0 && value < q.Value {
		q.Value, q.Started = value, true
	}
}

// onSequenceRow creates, changes or drops a sequence.
func (b *Box) onSequenceRow(c *Ctx, old, new *tuple.Tuple) error {
	if new == nil {
		return b.dropSequenceRow(c, b.catalog.sequences[uint32(rowUint(old, sequenceFieldID))])
	}
	code, right := boxerr.CreateSequence, Create
	if old != nil {
		code, right = boxerr.AlterSequence, Alter
	}
	d, err := decodeSequence(new, code)
	if err != nil {
		return err
	}
	if err := c.checkDDL(SequenceObject, d.ID, d.Name, d.Owner, right); err != nil {
		return err
	}
	q := b.catalog.sequences[d.ID]
	if q == nil {
		b.enterSequence(d)
		c.Txn.OnStatementRollback(func() { b.forgetSequence(d) })
		return nil
	}
	before := *q
	change := func(to *Sequence) {
		delete(b.catalog.sequencesName, q.Name)
		value, started := q.Value, q.Started
		*q = *to
		q.Value, q.Started = value, started
		b.enterSequence(q)
	}
	change(d)
	c.Txn.OnStatementRollback(func() { change(&before) })
	return nil
}

func (b *Box) dropSequenceRow(c *Ctx, q *Sequence) error {
	if q == nil {
		return nil
	}
	if err := c.checkDDL(SequenceObject, q.ID, q.Name, q.Owner, Drop); err != nil {
		return err
	}
	refuse := func(why string) error { return boxerr.New(boxerr.DropSequence, q.Name, why) }
	switch {
	case b.hasRows(SequenceDataID, 0, uint64(q.ID)):
		return refuse("the sequence has data")
	case b.hasRows(SpaceSequenceID, 1, uint64(q.ID)):
		return refuse("the sequence is in use")
	case b.hasGrants(SequenceObject, q.ID):
		return refuse("the sequence has grants")
	}
	b.forgetSequence(q)
	c.Txn.OnStatementRollback(func() { b.enterSequence(q) })
	return nil
}

func (b *Box) enterSequence(q *Sequence) {
	b.catalog.sequences[q.ID], b.catalog.sequencesName[q.Name] = q, q
	b.sequenceChanged(q)
}

func (b *Box) forgetSequence(q *Sequence) {
	delete(b.catalog.sequences, q.ID)
	delete(b.catalog.sequencesName, q.Name)
	b.sequenceChanged(q)
}

// sequenceChanged tells those who follow the sequences.
func (b *Box) sequenceChanged(q *Sequence) {
	for _, f := range b.OnSequenceChange {
		f(q.ID)
	}
}

// decodeSequence reads a row of _sequence. code is CREATE_SEQUENCE or ALTER_SEQUENCE.
func decodeSequence(row *tuple.Tuple, code boxerr.Code) (*Sequence, error) {
	for _, field := range []int{sequenceFieldStep, sequenceFieldMin, sequenceFieldMax, sequenceFieldStart, sequenceFieldCache} {
		if _, _, ok := msgpack.ReadInt(row.Field(field)); !ok {
			return nil, boxerr.New(boxerr.FieldType, itoa(int64(field)+1), tuple.Integer.String(), tuple.KindName(row.Field(field)))
		}
	}
	q := &Sequence{
		Definition: row,
		ID:         uint32(rowUint(row, sequenceFieldID)),
		Owner:      uint32(rowUint(row, sequenceFieldOwner)),
		Name:       rowString(row, sequenceFieldName),
		Step:       rowInt(row, sequenceFieldStep),
		Min:        rowInt(row, sequenceFieldMin),
		Max:        rowInt(row, sequenceFieldMax),
		Start:      rowInt(row, sequenceFieldStart),
		Cache:      rowInt(row, sequenceFieldCache),
		Cycle:      rowBool(row, sequenceFieldCycle),
	}
	err := checkName(q.Name, func(short string) error { return boxerr.New(code, short, "sequence name is too long") })
	if err != nil {
		return nil, err
	}
	switch {
	case q.Step == 0:
		return nil, boxerr.New(code, q.Name, "step option must be non-zero")
	case q.Min > q.Max:
		return nil, boxerr.New(code, q.Name, "max must be greater than or equal to min")
	case q.Start < q.Min || q.Start > q.Max:
		return nil, boxerr.New(code, q.Name, "start must be between min and max")
	}
	return q, nil
}

// onSequenceDataRow sets or resets the value of a sequence. That is not undone with the transaction: what was given
// out stays given out.
func (b *Box) onSequenceDataRow(c *Ctx, old, new *tuple.Tuple) error {
	row := new
	if row == nil {
		row = old
	}
	id := uint32(rowUint(row, 0))
	q := b.catalog.sequences[id]
	if q == nil {
		return boxerr.New(boxerr.NoSuchSequence, itoa(int64(id)))
	}
	if new != nil {
		q.Value, q.Started = rowInt(new, 1), true
		return nil
	}
	value, started := q.Value, q.Started
	q.Started = false
	c.Txn.OnStatementRollback(func() { q.Value, q.Started = value, started })
	return nil
}

// Field numbers of _space_sequence.
const (
	attachFieldSpace = iota
	attachFieldSequence
	attachFieldGenerated
	attachFieldField
	attachFieldPath
)

// onSpaceSequenceRow gives a space a sequence or takes it away.
func (b *Box) onSpaceSequenceRow(c *Ctx, old, new *tuple.Tuple) error {
	row, right := new, Create
	if row == nil {
		row, right = old, Drop
	} else if old != nil {
		right = Alter
	}
	spaceID, id := uint32(rowUint(row, attachFieldSpace)), uint32(rowUint(row, attachFieldSequence))
	generated := rowBool(row, attachFieldGenerated)
	s := b.catalog.spaces[spaceID]
	if s == nil {
		return noSuchSpace(spaceID)
	}
	q := b.catalog.sequences[id]
	if new != nil && q == nil {
		return boxerr.New(boxerr.NoSuchSequence, itoa(int64(id)))
	}
	if q != nil && !b.recovering {
		if generated || new == nil {
			if err := c.checkDDL(SequenceObject, q.ID, q.Name, q.Owner, right); err != nil {
				return err
			}
		} else if err := c.CheckSequence(q, Read|Write); err != nil {
			return err
		}
	}
	if err := c.checkDDL(SpaceObject, s.ID, s.Name, s.Owner, Alter); err != nil {
		return err
	}
	before := *s
	c.Txn.OnStatementRollback(func() {
		s.Sequence, s.SequenceGenerated = before.Sequence, before.SequenceGenerated
		s.SequenceField, s.SequencePath = before.SequenceField, before.SequencePath
		b.spaceChanged(s.ID)
	})
	if new == nil {
		s.Sequence, s.SequenceGenerated, s.SequenceField, s.SequencePath = nil, false, 0, ""
		b.spaceChanged(s.ID)
		return nil
	}
	pk := s.index(0)
	if pk == nil {
		return boxerr.New(boxerr.NoSuchIndexID, 0, s.Name)
	}
	field, path := pk.key.Parts[0].Field, pk.key.Parts[0].Path
	if row.Len() > attachFieldField {
		field, path = int(rowUint(row, attachFieldField)), rowString(row, attachFieldPath)
	}
	if err := s.checkSequencePart(pk, field, path); err != nil {
		return err
	}
	if n, _ := b.catalog.spaces[SpaceSequenceID].Mem.Index(1).Count(index.EQ, appendUint(nil, uint64(id)), 1); generated && n > 1 {
		return boxerr.New(boxerr.AlterSpace, s.Name, "can not attach generated sequence")
	}
	s.Sequence, s.SequenceGenerated, s.SequenceField, s.SequencePath = q, generated, field, path
	b.spaceChanged(s.ID)
	return nil
}

// checkSequencePart checks that a sequence can feed a field of a space with the given primary index.
func (s *Space) checkSequencePart(pk *indexDef, field int, path string) error {
	for _, p := range pk.key.Parts {
		if p.Field != field || p.Path != path {
			continue
		}
		if p.Type == tuple.Unsigned || p.Type == tuple.Integer {
			return nil
		}
		return boxerr.New(boxerr.ModifyIndex, pk.name, s.Name, "sequence cannot be used with a non-integer key")
	}
	return boxerr.New(boxerr.ModifyIndex, pk.name, s.Name, "sequence field must be a part of the index")
}
