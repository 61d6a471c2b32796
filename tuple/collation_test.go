package tuple

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
)

func icu(t testing.TB, locale, strength string) *Collation {
	t.Helper()
	c, err := NewCollation(1, "c", "ICU", locale, CollationOptions{Strength: strength})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCollationOrder(t *testing.T) {
	binary, err := NewCollation(3, "binary", "BINARY", "", CollationOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		coll *Collation
		want string // words that are equal are joined by =
	}{
		{"nil", nil, " 10 9 A Ab B Z _ a aC ae b z ä Ё е ё"},
		{"binary", binary, " 10 9 A Ab B Z _ a aC ae b z ä Ё е ё"},
		{"tertiary", icu(t, "", "tertiary"), " _ 10 9 a A ä Ab aC ae b B z Z е ё Ё"},
		{"secondary", icu(t, "", "secondary"), " _ 10 9 a=A ä Ab aC ae b=B z=Z е ё=Ё"},
		{"primary", icu(t, "", "primary"), " _ 10 9 a=A=ä Ab aC ae b=B z=Z е=ё=Ё"},
		{"no strength", icu(t, "", ""), " _ 10 9 a A ä Ab aC ae b B z Z е ё Ё"},
		{"identical", icu(t, "", "identical"), "a\x01 a\x02 b"},
		{"sharp s", icu(t, "", "primary"), "Strand Straße=STRASSE=strasse Strax"},
		{"de", icu(t, "de", "tertiary"), "a ä b"},
		{"sv", icu(t, "sv", "tertiary"), "a b z å ä ö"},
		{"es", icu(t, "es", "tertiary"), "n ñ o"},
		{"cs", icu(t, "cs", "tertiary"), "c h ch i"},
		{"phone book", icu(t, "de_DE_u_co_phonebk", "tertiary"), "ad ae ä af"},
		{"control characters", icu(t, "", "tertiary"), "a=a\x01=\x01a ab"},
	} {
		var words []string
		var ranks []int
		for rank, same := range strings.Split(c.want, " ") {
			for word := range strings.SplitSeq(same, "=") {
				words, ranks = append(words, word), append(ranks, rank)
			}
		}
		for i, a := range words {
			for j, b := range words {
				want := sign(ranks[i] - ranks[j])
				if got := sign(c.coll.Compare([]byte(a), []byte(b))); got != want {
					t.Errorf("%s: %q and %q compare as %d", c.name, a, b, got)
				}
				ka, kb := c.coll.AppendSortKey(nil, []byte(a)), c.coll.AppendSortKey(nil, []byte(b))
				if got := bytes.Compare(ka, kb); got != want {
					t.Errorf("%s: keys of %q and %q compare as %d", c.name, a, b, got)
				}
				if ha, hb := c.coll.hint([]byte(a)), c.coll.hint([]byte(b)); ha < hb && want >= 0 || ha > hb && want <= 0 {
					t.Errorf("%s: hints of %q and %q are %x and %x", c.name, a, b, ha, hb)
				}
			}
		}
	}
}

// TestCollationASCII holds the short way for ASCII texts against the sort keys.
func TestCollationASCII(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		b := make([]byte, random.IntN(6))
		for i := range b {
			b[i] = byte(random.IntN(128))
			if random.IntN(2) == 0 {
				b[i] = "aAbB"[random.IntN(4)]
			}
		}
		return b
	}
	for _, strength := range []string{"primary", "secondary", "tertiary", "identical"} {
		c := icu(t, "", strength)
		for range 3000 {
			a, b := text(), text()
			want := bytes.Compare(c.AppendSortKey(nil, a), c.AppendSortKey(nil, b))
			if got := sign(c.Compare(a, b)); got != want {
				t.Fatalf("%s: %q and %q compare as %d, not %d", strength, a, b, got, want)
			}
			// With a character beyond ASCII the hint is made of the sort key.
			mixed := append(slices.Clone(b), "é"...)
			want = bytes.Compare(c.AppendSortKey(nil, a), c.AppendSortKey(nil, mixed))
			if ha, hb := c.hint(a), c.hint(mixed); ha < hb && want >= 0 || ha > hb && want <= 0 {
				t.Fatalf("%s: hints of %q and %q are %x and %x", strength, a, mixed, ha, hb)
			}
		}
	}
}

func TestCollationErrors(t *testing.T) {
	for _, c := range []struct{ typ, locale, strength string }{{"NONE", "", ""}, {"ICU", "not a locale", ""}, {"ICU", "", "hard"}} {
		_, err := NewCollation(1, "c", c.typ, c.locale, CollationOptions{Strength: c.strength})
		if e := boxerr.From(err); e == nil || e.Type != boxerr.TypeCollation {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestCollationRegistry(t *testing.T) {
	c := icu(t, "de", "primary")
	c.ID, c.Name = 1<<20, "registered"
	RegisterCollation(c)
	if CollationByID(c.ID) != c || CollationByName(c.Name) != c {
		t.Error("not found")
	}
	UnregisterCollation(c.ID)
	if CollationByID(c.ID) != nil || CollationByName(c.Name) != nil {
		t.Error("found after it was dropped")
	}
}

func TestCollatedKeys(t *testing.T) {
	ci := icu(t, "", "primary")
	testOrder(t, KeyPart{Type: String, Collation: ci, Nullable: true},
		[][]string{{"nil"}, {`""`}, {`"_"`}, {`"10"`}, {`"a"`, `"A"`, `"ä"`}, {`"ae"`}, {`"b"`}, {`"е"`, `"Ё"`}})
	testOrder(t, KeyPart{Type: Scalar, Collation: ci},
		[][]string{{"1"}, {`"a"`, `"A"`, `"ä"`}, {`"b"`}, {`h'00'`}})
}

func BenchmarkCollation(b *testing.B) {
	c := icu(b, "", "primary")
	for _, pair := range [][2]string{{"some ascii text", "Some ASCII texts"}, {"Ёлка и ёж", "ёлка и еж2"}} {
		b.Run(fmt.Sprintf("compare %.2s", pair[0]), func(b *testing.B) {
			x, y := []byte(pair[0]), []byte(pair[1])
			b.ReportAllocs()
			for b.Loop() {
				c.Compare(x, y)
			}
		})
		b.Run(fmt.Sprintf("hint %.2s", pair[0]), func(b *testing.B) {
			x := []byte(pair[0])
			b.ReportAllocs()
			for b.Loop() {
				c.hint(x)
			}
		})
	}
}

func FuzzCollation(f *testing.F) {
	for _, s := range []string{"", "a\xff", "é", "ёлка", "ch", "한국", "\u0301a", "ไทย", "\xe0\xb9"} {
		f.Add([]byte(s), []byte("b"+s))
	}
	list := []*Collation{icu(f, "", "primary"), icu(f, "", "tertiary"), icu(f, "cs", "tertiary"), icu(f, "th", "secondary"), icu(f, "zh", "primary")}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for i, c := range list {
			got := sign(c.Compare(a, b))
			if got != -sign(c.Compare(b, a)) {
				t.Fatalf("%d: %q and %q compare as %d both ways", i, a, b, got)
			}
			ka, kb := c.AppendSortKey(nil, a), c.AppendSortKey(nil, b)
			if want := bytes.Compare(ka, kb); got != want {
				t.Fatalf("%d: %q and %q compare as %d, their keys as %d", i, a, b, got, want)
			}
			if ha, hb := c.hint(a), c.hint(b); ha < hb && got >= 0 || ha > hb && got <= 0 {
				t.Fatalf("%d: hints of %q and %q are %x and %x", i, a, b, ha, hb)
			}
		}
	})
}
