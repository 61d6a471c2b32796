package tuple

import (
	"bytes"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/lycosadb/lycosa/boxerr"
)

// Collation orders strings. It doesn't change once it is made. The nil *Collation orders them by bytes.
type Collation struct {
	ID       uint32
	Name     string
	Type     string // "BINARY" or "ICU"
	Locale   string // such as "de" or "de_DE_u_co_phonebk"; empty is the order of no language
	Strength string // "primary", "secondary", "tertiary", "quaternary" or "identical"; empty is tertiary

	rules *rules // nil for BINARY
}

// CollationOptions are the options of a collation of type ICU. The zero value has the defaults.
type CollationOptions struct {
	Strength string // see Collation
	Numeric  bool   // digits are compared as numbers
	French   bool   // accents are compared from the end
	CaseOn   bool   // upper and lower case differ whatever the strength is
	Shifted  bool   // punctuation is ignored
}

// NewCollation makes a collation of type "BINARY" or "ICU". The error is CANT_CREATE_COLLATION, for a type, locale or
// strength that doesn't exist.
func NewCollation(id uint32, name, typ, locale string, options CollationOptions) (*Collation, error) {
	c := &Collation{ID: id, Name: name, Type: typ, Locale: locale, Strength: options.Strength}
	switch typ {
	case "BINARY":
		return c, nil
	case "ICU":
	default:
		return nil, boxerr.OfType(boxerr.TypeCollation, "unknown collation type '%s'", typ)
	}
	tag := language.Und
	if locale != "" {
		var err error
		if tag, err = language.Parse(locale); err != nil {
			return nil, boxerr.OfType(boxerr.TypeCollation, "can't create a collation for the locale '%s'", locale)
		}
	}
	level, ok := strengthLevels[options.Strength]
	if !ok {
		return nil, boxerr.OfType(boxerr.TypeCollation, "unknown strength '%s'", options.Strength)
	}
	extensions := [][2]string{{"ks", level}}
	for _, o := range []struct {
		on         bool
		key, value string
	}{
		{options.Numeric, "kn", "true"}, {options.French, "kb", "true"},
		{options.CaseOn, "kc", "true"}, {options.Shifted, "ka", "shifted"},
	} {
		if o.on {
			extensions = append(extensions, [2]string{o.key, o.value})
		}
	}
	for _, e := range extensions {
		if changed, err := tag.SetTypeForKey(e[0], e[1]); err == nil {
			tag = changed
		}
	}
	c.rules = &rules{tag: tag, plain: locale == "" && len(extensions) == 1, primary: level == "level1" && !options.CaseOn,
		cased: level != "level1" && level != "level2", identical: level == "identic"}
	return c, nil
}

// strengthLevels are the values of the locale key ks.
var strengthLevels = map[string]string{
	"": "level3", "primary": "level1", "secondary": "level2", "tertiary": "level3", "quaternary": "level4",
	"identical": "identic",
}

// collations is the registry.
var collations struct {
	sync.RWMutex // guards the maps
	byID         map[uint32]*Collation
	byName       map[string]*Collation
}

// RegisterCollation makes a collation known by its id and name, in the place of those that had them.
func RegisterCollation(c *Collation) {
	collations.Lock()
	defer collations.Unlock()
	if collations.byID == nil {
		collations.byID = make(map[uint32]*Collation)
		collations.byName = make(map[string]*Collation)
	}
	if old := collations.byID[c.ID]; old != nil {
		delete(collations.byName, old.Name)
	}
	collations.byID[c.ID] = c
	collations.byName[c.Name] = c
}

// UnregisterCollation makes the collation with an id unknown. Who has it may go on using it.
func UnregisterCollation(id uint32) {
	collations.Lock()
	defer collations.Unlock()
	if old := collations.byID[id]; old != nil {
		delete(collations.byID, id)
		delete(collations.byName, old.Name)
	}
}

// CollationByID returns the registered collation with an id, or nil.
func CollationByID(id uint32) *Collation {
	collations.RLock()
	defer collations.RUnlock()
	return collations.byID[id]
}

// CollationByName returns the registered collation with a name, or nil.
func CollationByName(name string) *Collation {
	collations.RLock()
	defer collations.RUnlock()
	return collations.byName[name]
}

func (c *Collation) id() uint32 {
	if c == nil {
		return 0
	}
	return c.ID
}

func (c *Collation) bytewise() bool { return c == nil || c.rules == nil }

// Compare orders two strings.
func (c *Collation) Compare(a, b []byte) int {
	if c.bytewise() {
		return bytes.Compare(a, b)
	}
	return c.rules.compare(a, b)
}

// AppendSortKey appends a key for s such that bytes.Compare orders the keys as Compare orders the strings, and equal
// strings have equal keys.
func (c *Collation) AppendSortKey(b, s []byte) []byte {
	if c.bytewise() {
		return append(b, s...)
	}
	return c.rules.appendSortKey(b, s)
}

func (c *Collation) hint(s []byte) uint64 {
	if c.bytewise() {
		return prefix(s)
	}
	return c.rules.hint(s)
}

// rules is the order of a collation. The tables of the languages cost memory and the objects that use them are not
// to be shared by goroutines, so both come into being when they are needed first.
type rules struct {
	tag       language.Tag
	plain     bool // the order of no language and without options that reach beyond single characters
	primary   bool // only base letters differ
	cased     bool // upper and lower case differ, after everything else
	identical bool // what is equal otherwise is compared by bytes
	workers   sync.Pool
	ascii     asciiWeights
}

// worker is what one goroutine needs to compare strings.
type worker struct {
	collator *collate.Collator
	buffer   collate.Buffer
}

func (r *rules) worker() *worker {
	if w, ok := r.workers.Get().(*worker); ok {
		return w
	}
	return &worker{collator: collate.New(r.tag)}
}

func (r *rules) compare(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 0
	}
	if r.plain && isASCII(a) && isASCII(b) {
		return r.compareASCII(a, b)
	}
	w := r.worker()
	c := w.collator.Compare(a, b)
	r.workers.Put(w)
	return c
}

func (r *rules) appendSortKey(b, s []byte) []byte {
	w := r.worker()
	w.buffer.Reset()
	b = append(b, w.collator.Key(&w.buffer, s)...)
	if r.identical {
		b = append(append(b, 0, 0), s...)
	}
	r.workers.Put(w)
	return b
}

// hint packs the weights of the first base letters.
func (r *rules) hint(s []byte) uint64 {
	if r.plain && isASCII(s) {
		return r.ascii.load(r).hint(s)
	}
	w := r.worker()
	w.buffer.Reset()
	h := prefix(primaryWeights(w.collator.Key(&w.buffer, s)))
	r.workers.Put(w)
	return h
}

// primaryWeights returns the part of a sort key that stands for the base letters: weights of two bytes, or of three
// when the first has the highest bit, up to a weight of zero.
func primaryWeights(key []byte) []byte {
	for i := 0; ; {
		switch {
		case i+1 >= len(key):
			return key
		case key[i]&0x80 != 0:
			i += 3
		case key[i] == 0 && key[i+1] == 0:
			return key[:i]
		default:
			i += 2
		}
	}
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// asciiWeights are the weights of the ASCII characters in the order of no language, where each of them stands for
// itself. They make comparing texts without other characters a matter of table look-ups.
type asciiWeights struct {
	once    sync.Once
	primary [128]uint16 // 0 for the control characters, which are ignored
	third   [128]uint8
}

func (t *asciiWeights) load(r *rules) *asciiWeights {
	t.once.Do(func() {
		tag, _ := language.Und.SetTypeForKey("ks", "level3")
		collator := collate.New(tag)
		var buffer collate.Buffer
		for c := range byte(128) {
			buffer.Reset()
			key := collator.Key(&buffer, []byte{c})
			if p := primaryWeights(key); len(p) == 2 {
				t.primary[c] = uint16(p[0])<<8 | uint16(p[1])
				t.third[c] = key[len(key)-1]
			}
		}
	})
	return t
}

func (r *rules) compareASCII(a, b []byte) int {
	t := r.ascii.load(r)
	third := 0 // the order by case, which counts only if the letters are equal
	i, j := 0, 0
	for {
		for i < len(a) && t.primary[a[i]] == 0 {
			i++
		}
		for j < len(b) && t.primary[b[j]] == 0 {
			j++
		}
		switch {
		case i == len(a) && j == len(b):
			if third == 0 && r.identical {
				return bytes.Compare(a, b)
			}
			return third
		case i == len(a):
			return -1
		case j == len(b):
			return 1
		}
		if a[i] != b[j] {
			if c := int(t.primary[a[i]]) - int(t.primary[b[j]]); c != 0 {
				return c
			}
			if third == 0 && r.cased {
				third = int(t.third[a[i]]) - int(t.third[b[j]])
			}
		}
		i++
		j++
	}
}

// hint packs the first four weights of an ASCII text.
func (t *asciiWeights) hint(s []byte) uint64 {
	var h uint64
	shift := 48
	for _, c := range s {
		if p := t.primary[c]; p != 0 {
			h |= uint64(p) << shift
			if shift -= 16; shift < 0 {
				break
			}
		}
	}
	return h
}
