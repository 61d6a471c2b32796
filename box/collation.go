package box

import (
	"slices"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

// Field numbers of _collation.
const (
	collationFieldID = iota
	collationFieldName
	collationFieldOwner
	collationFieldType
	collationFieldLocale
	collationFieldOptions
)

// collationLocaleMax is the longest name of a locale in bytes.
const collationLocaleMax = 64

// onCollationRow creates or drops a collation. A collation cannot be changed.
func (b *Box) onCollationRow(c *Ctx, old, new *tuple.Tuple) error {
	if old != nil && new != nil {
		return boxerr.New(boxerr.Unsupported, "collation", "alter")
	}
	if new == nil {
		return b.dropCollationRow(c, old)
	}
	d, err := decodeCollation(new)
	if err != nil {
		return err
	}
	owner := uint32(rowUint(new, collationFieldOwner))
	if err := c.checkDDL(CollationObject, d.ID, d.Name, owner, Create); err != nil {
		return err
	}
	if known := tuple.CollationByID(d.ID); known != nil && known.Name == d.Name {
		return nil
	}
	return b.enterCollation(c, d)
}

func (b *Box) enterCollation(c *Ctx, d *tuple.Collation) error {
	tuple.RegisterCollation(d)
	c.Txn.OnStatementRollback(func() { tuple.UnregisterCollation(d.ID) })
	return nil
}

func (b *Box) dropCollationRow(c *Ctx, row *tuple.Tuple) error {
	id, name := uint32(rowUint(row, collationFieldID)), rowString(row, collationFieldName)
	if id == 0 {
		return boxerr.New(boxerr.DropCollation, name, "system collation")
	}
	if err := c.checkDDL(CollationObject, id, name, uint32(rowUint(row, collationFieldOwner)), Drop); err != nil {
		return err
	}
	if what := b.collationUser(id); what != "" {
		return boxerr.New(boxerr.DropCollation, name, "collation is referenced by "+what)
	}
	d := tuple.CollationByID(id)
	if d == nil {
		return nil
	}
	tuple.UnregisterCollation(id)
	c.Txn.OnStatementRollback(func() { tuple.RegisterCollation(d) })
	return nil
}

// collationUser tells what uses a collation: "space format", "index", or "" when nothing does.
func (b *Box) collationUser(id uint32) string {
	for _, s := range b.catalog.spaces {
		for i := range s.fields {
			if x := s.fields[i].Collation; x != nil && x.ID == id {
				return "space format"
			}
		}
		for _, d := range s.indexes {
			for i := range d.key.Parts {
				if x := d.key.Parts[i].Collation; x != nil && x.ID == id {
					return "index"
				}
			}
		}
	}
	return ""
}

// decodeCollation reads a row of _collation.
func decodeCollation(row *tuple.Tuple) (*tuple.Collation, error) {
	cannot := func(why string) error { return boxerr.New(boxerr.CantCreateCollation, why) }
	name, locale := rowString(row, collationFieldName), rowString(row, collationFieldLocale)
	err := checkName(name, func(string) error { return cannot("collation name is too long") })
	if err != nil {
		return nil, err
	}
	typ := strings.ToUpper(rowString(row, collationFieldType))
	switch {
	case typ != "ICU" && typ != "BINARY":
		return nil, cannot("unknown collation type")
	case len(locale) > collationLocaleMax:
		return nil, cannot("collation locale is too long")
	}
	var o tuple.CollationOptions
	err = eachOption(row.Field(collationFieldOptions), false, func(key string, v []byte) error {
		values, known := collationOptions[key]
		if !known {
			return errUnknownOption
		}
		var s string
		if setString(&s, key, v) != nil {
			return wrongOptionType(key, "enum")
		}
		s = strings.ToLower(s)
		if !slices.Contains(values, s) {
			return badOption("ICU " + key + " wrong option setting, expected " + strings.ToUpper(strings.Join(values, " | ")))
		}
		switch key {
		case "strength":
			o.Strength = s
		case "numeric_collation":
			o.Numeric = s == "on"
		case "french_collation":
			o.French = s == "on"
		case "case_level":
			o.CaseOn = s == "on"
		case "alternate_handling":
			o.Shifted = s == "shifted"
		case "case_first":
			if s != "off" {
				return boxerr.New(boxerr.Unsupported, "Lycosa", "collations with case_first")
			}
		}
		return nil
	})
	if bad, ok := err.(badOption); ok {
		return nil, boxerr.New(boxerr.WrongCollationOptions, string(bad))
	}
	if err != nil {
		return nil, err
	}
	d, err := tuple.NewCollation(uint32(rowUint(row, collationFieldID)), name, typ, locale, o)
	if err != nil {
		return nil, cannot(err.Error())
	}
	return d, nil
}

// collationOptions are the options of a collation and their values.
var collationOptions = map[string][]string{
	"french_collation":   {"on", "off"},
	"alternate_handling": {"non_ignorable", "shifted"},
	"case_first":         {"off", "upper_first", "lower_first"},
	"case_level":         {"on", "off"},
	"normalization_mode": {"on", "off"},
	"strength":           {"primary", "secondary", "tertiary", "quaternary", "identical"},
	"numeric_collation":  {"on", "off"},
}
