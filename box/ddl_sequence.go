package box

import (
	"math"

	"github.com/lycosadb/lycosa/boxerr"
)

// SequenceOptions are the options of a sequence; what is nil has its default, or stays in AlterSequence.
type SequenceOptions struct {
	// Name is a new name, for AlterSequence.
	Name *string
	// Step is 1 by default. Min and Max are 1 and the largest integer, for a descending sequence the smallest one
	// and -1. Start is the end from which the sequence counts.
	Step, Min, Max, Start *int64
	// Cache is kept for programs that set it and means nothing.
	Cache *int64
	// Cycle makes the sequence go on at the other end instead of failing.
	Cycle *bool
	// IfNotExists returns a sequence that has the name already instead of the error SEQUENCE_EXISTS.
	IfNotExists bool
}

// CreateSequence creates a sequence.
func (b *Box) CreateSequence(c *Ctx, name string, o SequenceOptions) (*Sequence, error) {
	if row, err := b.find(c, VSequenceID, name); err != nil {
		return nil, err
	} else if row != nil {
		if o.IfNotExists {
			return b.SequenceByName(name), nil
		}
		return nil, boxerr.New(boxerr.SequenceExists, name)
	}
	q := Sequence{Owner: c.User.ID, Name: name, Step: 1}
	if o.Step != nil {
		q.Step = *o.Step
	}
	q.Min, q.Max = 1, math.MaxInt64
	if q.Step < 0 {
		q.Min, q.Max = math.MinInt64, -1
	}
	o.apply(&q)
	if o.Start == nil {
		q.Start = q.Min
		if q.Step < 0 {
			q.Start = q.Max
		}
	}
	var id uint32
	err := b.atomic(c, func() (err error) {
		id, err = b.insertNumbered(c, SequenceID, q.fields()...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.SequenceByID(id), nil
}

// apply sets what the options say, but not the name.
func (o *SequenceOptions) apply(q *Sequence) {
	for _, x := range []struct{ to, from *int64 }{{&q.Step, o.Step}, {&q.Min, o.Min}, {&q.Max, o.Max}, {&q.Start, o.Start}, {&q.Cache, o.Cache}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	if o.Cycle != nil {
		q.Cycle = *o.Cycle
	}
}

// fields returns the fields of the sequence's row behind the first.
func (q *Sequence) fields() []any {
	return []any{uint64(q.Owner), q.Name, q.Step, q.Min, q.Max, q.Start, q.Cache, q.Cycle}
}

// AlterSequence changes the definition of a sequence. Its value stays.
func (b *Box) AlterSequence(c *Ctx, id uint32, o SequenceOptions) error {
	known, err := b.sequence(id)
	if err != nil {
		return err
	}
	q := *known
	o.apply(&q)
	if o.Name != nil {
		q.Name = *o.Name
	}
	return b.atomic(c, func() error {
		_, err := b.Replace(c, SequenceID, encode(append([]any{uint64(id)}, q.fields()...)))
		return err
	})
}

// DropSequence drops a sequence with its value and the rights on it.
func (b *Box) DropSequence(c *Ctx, id uint32) error {
	if _, err := b.sequence(id); err != nil {
		return err
	}
	return b.atomic(c, func() error {
		if err := b.revokeAll(c, SequenceObject, id); err != nil {
			return err
		}
		k := key(uint64(id))
		if _, err := b.Delete(c, SequenceDataID, 0, k); err != nil {
			return err
		}
		_, err := b.Delete(c, SequenceID, 0, k)
		return err
	})
}

// sequence returns a sequence or the error NO_SUCH_SEQUENCE.
func (b *Box) sequence(id uint32) (*Sequence, error) {
	if q := b.catalog.sequences[id]; q != nil {
		return q, nil
	}
	return nil, boxerr.New(boxerr.NoSuchSequence, itoa(int64(id)))
}

// NextValue gives out the next value of a sequence.
func (b *Box) NextValue(c *Ctx, id uint32) (int64, error) {
	q, err := b.sequence(id)
	if err != nil {
		return 0, err
	}
	if err := c.CheckSequence(q, Write); err != nil {
		return 0, err
	}
	if err := b.CheckWritable(); err != nil {
		return 0, err
	}
	v, err := q.Next()
	if err != nil {
		return 0, err
	}
	return v, b.storeValue(c, id, v)
}

// SetValue makes a sequence go on behind the given value.
func (b *Box) SetValue(c *Ctx, id uint32, value int64) error {
	q, err := b.sequence(id)
	if err != nil {
		return err
	}
	if err := c.CheckSequence(q, Write); err != nil {
		return err
	}
	return b.storeValue(c, id, value)
}

func (b *Box) storeValue(c *Ctx, id uint32, value int64) error {
	return b.asAdmin(c, func() error {
		_, err := b.Replace(c, SequenceDataID, key(uint64(id), value))
		return err
	})
}

// ResetValue makes a sequence begin again.
func (b *Box) ResetValue(c *Ctx, id uint32) error {
	q, err := b.sequence(id)
	if err != nil {
		return err
	}
	if err := c.CheckSequence(q, Write); err != nil {
		return err
	}
	return b.asAdmin(c, func() error {
		_, err := b.Delete(c, SequenceDataID, 0, key(uint64(id)))
		q.Started = false
		return err
	})
}

// CurrentValue returns the value that a sequence gave out last. The error is SEQUENCE_NOT_STARTED.
func (b *Box) CurrentValue(c *Ctx, id uint32) (int64, error) {
	q, err := b.sequence(id)
	if err != nil {
		return 0, err
	}
	if err := c.CheckSequence(q, Write); err != nil {
		return 0, err
	}
	if !q.Started {
		return 0, boxerr.New(boxerr.SequenceNotStarted, q.Name)
	}
	return q.Value, nil
}
