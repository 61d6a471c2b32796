package box

import "github.com/lycosadb/lycosa/tuple"

// NewTupleFormat makes a format that belongs to no space of its definition, an array of maps as _space has it. The errors
// are those of space formats.
func NewTupleFormat(format []byte) (*tuple.Format, error) {
	defs, err := decodeFormat(format)
	if err != nil {
		return nil, err
	}
	fields := make([]tuple.FieldDef, len(defs))
	for i := range defs {
		fields[i] = defs[i].FieldDef
	}
	return tuple.NewFormatOf(fields, 0, nil)
}
