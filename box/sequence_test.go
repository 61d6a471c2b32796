package box

import (
	"fmt"
	"math"
	"testing"
)

func TestSequenceNext(t *testing.T) {
	tests := []struct {
		name string
		q    Sequence
		want string // the values given out, then "over" for the error
	}{
		{"up", Sequence{Step: 1, Min: 1, Max: 3, Start: 1}, "[1 2 3 over]"},
		{"down", Sequence{Step: -3, Min: 0, Max: 50, Start: 10}, "[10 7 4 1 over]"},
		{"cycle", Sequence{Step: 1, Min: 1, Max: 6, Start: 5, Cycle: true}, "[5 6 1 2 3 4 5 6 1]"},
		{"cycle down", Sequence{Step: -2, Min: 1, Max: 4, Start: 2, Cycle: true}, "[2 4 2 4 2 4 2 4 2]"},
		{"integers end", Sequence{Step: 5, Min: 1, Max: math.MaxInt64, Start: math.MaxInt64 - 5}, fmt.Sprintf("[%d %d over]", int64(math.MaxInt64-5), int64(math.MaxInt64))},
		{"smallest", Sequence{Step: -2, Min: math.MinInt64, Max: -1, Start: math.MinInt64 + 1}, fmt.Sprintf("[%d over]", int64(math.MinInt64+1))},
		{"below the bounds", Sequence{Step: 1, Min: 5, Max: 7, Start: 5, Value: 2, Started: true}, "[5 6 7 over]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := test.q
			var got []any
			for range 9 {
				v, err := q.Next()
				if err != nil {
					got = append(got, "over")
					break
				}
				got = append(got, v)
			}
			if fmt.Sprint(got) != test.want {
				t.Errorf("got %v, want %s", got, test.want)
			}
		})
	}
}

func TestSequences(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	create := func(name string, o SequenceOptions) error { _, err := b.CreateSequence(c, name, o); return err }
	d.want(create("q", SequenceOptions{}), "")
	d.want(create("q", SequenceOptions{}), "146 Sequence 'q' already exists")
	d.want(create("q", SequenceOptions{IfNotExists: true}), "")
	d.want(create("", SequenceOptions{}), "70 Invalid identifier '' (expected printable symbols only or it is too long)")
	d.want(create("x", SequenceOptions{Step: ptr(int64(0))}), "142 Failed to create sequence 'x': step option must be non-zero")
	d.want(create("x", SequenceOptions{Min: ptr(int64(5)), Max: ptr(int64(1))}), "142 Failed to create sequence 'x': max must be greater than or equal to min")
	d.want(create("x", SequenceOptions{Start: ptr(int64(5)), Max: ptr(int64(1)), Min: ptr(int64(0))}), "142 Failed to create sequence 'x': start must be between min and max")
	q := b.SequenceByName("q")
	d.same("row", d.row(SequenceID, q.ID), `[1, 1, "q", 1, 1, 9223372036854775807, 1, 0, false]`)
	next := func() int64 {
		d.Helper()
		v, err := b.NextValue(c, q.ID)
		d.want(err, "")
		return v
	}
	_, err := b.CurrentValue(c, q.ID)
	d.want(err, "212 Sequence 'q' is not started")
	if a, b := next(), next(); a != 1 || b != 2 {
		t.Errorf("values %d, %d", a, b)
	}
	b.Begin(c, TxnOptions{})
	next()
	b.Rollback(c)
	if v := next(); v != 4 {
		t.Errorf("value %d after a rollback, want 4", v)
	}
	d.want(b.SetValue(c, q.ID, 100), "")
	d.want(b.AlterSequence(c, q.ID, SequenceOptions{Step: ptr(int64(10)), Name: ptr("renamed")}), "")
	if v := next(); v != 110 || b.SequenceByName("renamed") != q || b.SequenceByName("q") != nil {
		t.Errorf("value %d of %s", v, q.Name)
	}
	d.want(b.AlterSequence(c, q.ID, SequenceOptions{Step: ptr(int64(0))}), "143 Can't modify sequence 'renamed': step option must be non-zero")
	d.want(b.ResetValue(c, q.ID), "")
	if v := next(); v != 1 {
		t.Errorf("value %d after a reset", v)
	}
	s := d.space("s")
	d.want(b.AlterIndex(c, s.ID, 0, IndexChange{Sequence: &SequenceSpec{ID: q.ID}}), "")
	d.want(b.DropSequence(c, q.ID), "144 Can't drop sequence 'renamed': the sequence is in use")
	d.want(b.AlterIndex(c, s.ID, 0, IndexChange{NoSequence: true}), "")
	d.want(b.DropSequence(c, q.ID), "")
	d.want(b.DropSequence(c, q.ID), "145 Sequence '1' does not exist")
}

func TestSequenceInIndex(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s, _ := b.CreateSpace(c, "s", SpaceSpec{})
	create := func(o IndexSpec) error { _, err := b.CreateIndex(c, s.ID, "pk", o); return err }
	d.want(create(IndexSpec{Keys: []Part{{Type: "string"}}, Sequence: &SequenceSpec{}}),
		"14 Can't create or modify index 'pk' in space 's': sequence cannot be used with a non-integer key")
	d.want(create(IndexSpec{Sequence: &SequenceSpec{Field: ptr(uint32(1))}}),
		"14 Can't create or modify index 'pk' in space 's': sequence field must be a part of the index")
	if b.SequenceByName("s_seq") != nil {
		t.Error("a sequence for an index that could not be made is there")
	}
	d.want(create(IndexSpec{Sequence: &SequenceSpec{}}), "")
	d.insert(s, `[null, "a"]`, `[10, "ten"]`, `[null, "eleven"]`, `[5, "five"]`, `[null, "twelve"]`)
	d.same("rows", d.all(s.ID, 0), `[1, "a"] [5, "five"] [10, "ten"] [11, "eleven"] [12, "twelve"]`)
	if !s.SequenceGenerated || s.Sequence.Value != 12 {
		t.Errorf("sequence at %d", s.Sequence.Value)
	}
	_, err := b.Delete(c, IndexID, 0, key(s.ID, 0))
	d.want(err, "12 Can't modify space 's': can not drop primary key while space sequence exists")
	d.want(b.AlterIndex(c, s.ID, 0, IndexChange{Parts: mp(`[[1, "string"]]`)}),
		"14 Can't create or modify index 'pk' in space 's': sequence field must be a part of the index")
	d.want(b.DropIndex(c, s.ID, 0), "")
	if b.SequenceByName("s_seq") != nil || s.Sequence != nil {
		t.Error("the generated sequence outlived its index")
	}
}
