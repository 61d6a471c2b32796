package box

import (
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Field numbers of _index.
const (
	indexFieldSpace = iota
	indexFieldID
	indexFieldName
	indexFieldType
	indexFieldOptions
	indexFieldParts
)

// indexDef is what a row of _index means.
type indexDef struct {
	id        uint32
	name      string
	typ       index.Type
	unique    bool
	hint      bool
	hintAsked bool
	fn        uint32
	dimension int64
	distance  index.Distance
	key       *tuple.KeyDef
	row       *tuple.Tuple
}

// decodeIndex reads a row of _index that belongs to the space, and checks all that can be checked without its data.
func decodeIndex(row *tuple.Tuple, s *Space, fields []fieldDef) (*indexDef, error) {
	d := &indexDef{
		row:       row,
		id:        uint32(rowUint(row, indexFieldID)),
		name:      rowString(row, indexFieldName),
		unique:    true,
		dimension: index.DefaultDimension,
	}
	wrong := func(details string) error { return boxerr.New(boxerr.ModifyIndex, d.name, s.Name, details) }
	err := checkName(d.name, func(short string) error {
		return boxerr.New(boxerr.ModifyIndex, short, s.Name, "index name is too long")
	})
	if err != nil {
		return nil, err
	}
	if err := d.decodeOptions(row.Field(indexFieldOptions)); err != nil {
		if bad, ok := err.(badOption); ok {
			err = boxerr.New(boxerr.WrongIndexOptions, string(bad))
		}
		return nil, err
	}
	parts, err := decodeParts(row.Field(indexFieldParts), fields)
	if err != nil {
		return nil, err
	}
	typ, typeKnown := index.TypeByName(strings.ToUpper(rowString(row, indexFieldType)))
	d.typ = typ
	if d.fn != 0 {
		for i, p := range parts {
			if p.Path != "" {
				return nil, boxerr.New(boxerr.Unsupported, "Functional index", "json paths")
			}
			if p.Field != i {
				return nil, boxerr.New(boxerr.FuncIndexParts, "key part numbers must be sequential and first part number must be 1")
			}
		}
	}
	multikey := false
	for _, p := range parts {
		multikey = multikey || strings.Contains(p.Path, "[*]")
	}
	switch {
	case !typeKnown:
		return nil, boxerr.New(boxerr.IndexType, d.name, s.Name)
	case rowUint(row, indexFieldID) >= IndexMax:
		return nil, wrong("index id too big")
	case d.id == 0 && !d.unique:
		return nil, wrong("primary key must be unique")
	case len(parts) == 0:
		return nil, wrong("part count must be positive")
	case len(parts) > IndexPartMax:
		return nil, wrong("too many key parts")
	case d.id == 0 && multikey:
		return nil, wrong("primary key cannot be multikey")
	case d.id == 0 && d.fn != 0:
		return nil, wrong("primary key can not use a function")
	}
	for i, p := range parts {
		if p.Field > IndexFieldMax {
			return nil, wrong("field no is too big")
		}
		for _, q := range parts[:i] {
			if p.Field == q.Field && p.Path == q.Path {
				return nil, wrong("same key part is indexed twice")
			}
		}
	}
	if err := d.checkEngine(s, parts, multikey, wrong); err != nil {
		return nil, err
	}
	d.key, err = tuple.NewKeyDef(parts)
	return d, err
}

// checkEngine checks what an index can be in this engine.
func (d *indexDef) checkEngine(s *Space, parts []tuple.KeyPart, multikey bool, wrong func(string) error) error {
	for _, p := range parts {
		if !p.Nullable {
			continue
		}
		if d.id == 0 {
			return boxerr.New(boxerr.NullablePrimary, s.Name)
		}
		if d.typ != index.Tree {
			return boxerr.New(boxerr.Unsupported, d.typ.String(), "nullable parts")
		}
	}
	name := d.typ.String()
	special := func(unique string, fits bool, misfit string) error {
		switch {
		case len(parts) != 1:
			return wrong(name + " index key can not be multipart")
		case d.unique:
			return wrong(unique)
		case !fits:
			return wrong(misfit)
		case multikey:
			return wrong(name + " index cannot be multikey")
		case d.fn != 0:
			return wrong(name + " index can not use a function")
		}
		return nil
	}
	switch d.typ {
	case index.Hash:
		switch {
		case !d.unique:
			return wrong("HASH index must be unique")
		case multikey:
			return wrong("HASH index cannot be multikey")
		case d.fn != 0:
			return wrong("HASH index can not use a function")
		}
	case index.RTree:
		err := special("RTREE index can not be unique", parts[0].Type == tuple.Array, "RTREE index field type must be ARRAY")
		if err == nil && (d.dimension < 1 || d.dimension > index.MaxDimension) {
			err = boxerr.New(boxerr.UnsupportedIndexFeature, d.name, name, s.Name, s.Engine,
				"dimension ("+itoa(d.dimension)+"): must belong to range [1, "+itoa(index.MaxDimension)+"]")
		}
		return err
	case index.Bitset:
		t := parts[0].Type
		return special("BITSET can not be unique", t == tuple.Unsigned || t == tuple.String || t == tuple.Varbinary,
			"BITSET index field type must be NUM or STR or VARBINARY")
	}
	for _, p := range parts {
		switch p.Type {
		case tuple.Any, tuple.Array, tuple.Map, tuple.Interval:
			return wrong("field type '" + p.Type.String() + "' is not supported")
		}
	}
	if d.typ == index.Hash {
		for i, p := range parts {
			if p.Desc {
				return boxerr.New(boxerr.WrongIndexParts, i+1, "unordered indexes do not support sort_order")
			}
		}
	}
	if d.hint && d.typ != index.Tree {
		return wrong("hint is only reasonable with memtx tree index")
	}
	return nil
}

// decodeOptions reads the options of an index. Those of disk indexes are checked and mean nothing here.
func (d *indexDef) decodeOptions(m []byte) error {
	var pageSize, rangeSize, runCount, ignored int64 = 8192, 0, 2, 0
	sizeRatio, bloom := 3.5, 0.05
	var distance string
	err := eachOption(m, false, func(key string, v []byte) error {
		switch key {
		case "unique":
			return setBool(&d.unique, key, v)
		case "dimension":
			return setInt(&d.dimension, key, v)
		case "distance":
			if setString(&distance, key, v) != nil {
				return wrongOptionType(key, "enum")
			}
			return nil
		case "func":
			return setUint32(&d.fn, key, v)
		case "hint":
			d.hintAsked = true
			return setBool(&d.hint, key, v)
		case "page_size":
			return setInt(&pageSize, key, v)
		case "range_size":
			return setInt(&rangeSize, key, v)
		case "run_count_per_level":
			return setInt(&runCount, key, v)
		case "lsn":
			return setInt(&ignored, key, v)
		case "run_size_ratio":
			return setFloat(&sizeRatio, key, v)
		case "bloom_fpr":
			return setFloat(&bloom, key, v)
		case "sql", "stat": // written by releases before 2.2
			return nil
		case "covers":
			return boxerr.New(boxerr.Unsupported, "memtx", "covered fields")
		}
		return errUnknownOption
	})
	if err != nil {
		return err
	}
	switch strings.ToLower(distance) {
	case "", "euclid":
		d.distance = index.Euclid
	case "manhattan":
		d.distance = index.Manhattan
	default:
		return badOption("distance must be either 'euclid' or 'manhattan'")
	}
	switch {
	case pageSize <= 0 || rangeSize > 0 && pageSize > rangeSize:
		return badOption("page_size must be greater than 0 and less than or equal to range_size")
	case runCount <= 0:
		return badOption("run_count_per_level must be greater than 0")
	case sizeRatio <= 1:
		return badOption("run_size_ratio must be greater than 1")
	case bloom <= 0 || bloom > 1:
		return badOption("bloom_fpr must be greater than 0 and less than or equal to 1")
	}
	return nil
}

// decodeParts reads the parts of an index: maps of options, or arrays [field, type] that take what else there is to
// say of a part from the space's format.
func decodeParts(parts []byte, fields []fieldDef) ([]tuple.KeyPart, error) {
	n, b, ok := msgpack.ReadArrayHeader(parts)
	if !ok {
		return nil, boxerr.New(boxerr.WrongIndexParts, 1, "expected an array")
	}
	var list []tuple.KeyPart
	short := n > 0 && msgpack.TypeOf(b[0]) == msgpack.Array
	star := ""
	for i := range n {
		var p tuple.KeyPart
		var err error
		if short {
			p, err = decodeShortPart(b, fields)
		} else {
			p, err = decodePart(b)
		}
		if err == nil && p.Path != "" {
			star, err = checkMultikey(p, star, i)
		}
		if bad, ok := err.(badOption); ok {
			err = boxerr.New(boxerr.WrongIndexParts, i+1, string(bad))
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
		b, _ = msgpack.Skip(b)
	}
	return list, nil
}

func decodeShortPart(b []byte, fields []fieldDef) (p tuple.KeyPart, err error) {
	n, b, ok := msgpack.ReadArrayHeader(b)
	if !ok {
		return p, badOption("expected an array")
	}
	if n < 1 {
		return p, badOption("expected a non-empty array")
	}
	no, b, ok := msgpack.ReadUint(b)
	if !ok {
		return p, badOption("field id must be an integer")
	}
	p.Field = int(min(no, IndexFieldMax+1))
	var known *fieldDef
	if p.Field < len(fields) {
		known = &fields[p.Field]
		p.Nullable, p.Collation = known.Nullable, known.Collation
	}
	if n == 1 {
		if known == nil {
			return p, badOption("field type is missing")
		}
		p.Type = known.Type
	} else {
		name, _, ok := msgpack.ReadString(b)
		if !ok {
			return p, badOption("field type must be a string")
		}
		if p.Type, err = fieldType(string(name)); err != nil {
			return p, err
		}
	}
	if p.Type != tuple.String && p.Type != tuple.Scalar {
		p.Collation = nil
	}
	return p, nil
}

func decodePart(b []byte) (p tuple.KeyPart, err error) {
	if msgpack.TypeOf(b[0]) != msgpack.Map {
		return p, badOption("index part is expected to be a map")
	}
	action, order, coll, collated := "", "", uint32(0), false
	err = eachOption(b, false, func(key string, v []byte) error {
		switch key {
		case "field":
			var no uint32
			err := setUint32(&no, key, v)
			p.Field = int(min(no, IndexFieldMax+1))
			return err
		case "type":
			var name string
			if setString(&name, key, v) != nil {
				return wrongOptionType(key, "enum")
			}
			p.Type, err = fieldType(name)
			return err
		case "collation":
			collated = true
			return setUint32(&coll, key, v)
		case "is_nullable":
			return setBool(&p.Nullable, key, v)
		case "nullable_action":
			if setString(&action, key, v) != nil {
				return wrongOptionType(key, "enum")
			}
			return nil
		case "sort_order":
			if setString(&order, key, v) != nil {
				return wrongOptionType(key, "enum")
			}
			return nil
		case "exclude_null":
			return setBool(&p.ExcludeNull, key, v)
		case "path":
			return setString(&p.Path, key, v)
		}
		return errUnknownOption
	})
	if err != nil {
		return p, err
	}
	switch order {
	case "", "asc", "undef":
	case "desc":
		p.Desc = true
	default:
		return p, badOption("unknown sort order")
	}
	if err := checkNullableAction(p.Nullable, action); err != nil {
		return p, err
	}
	if collated {
		if p.Type != tuple.String && p.Type != tuple.Scalar {
			return p, badOption("collation is only reasonable for 'string' and 'scalar' parts")
		}
		if p.Collation = tuple.CollationByID(coll); p.Collation == nil {
			return p, badOption("collation was not found by ID")
		}
	}
	if p.ExcludeNull && !p.Nullable {
		return p, badOption("exclude_null=true and is_nullable=false are incompatible")
	}
	return p, nil
}

// checkMultikey checks a part's path. star is the path up to [*] that all multikey parts of an index must share.
func checkMultikey(p tuple.KeyPart, star string, i int) (string, error) {
	if _, bad := tuple.ParsePath(p.Path); bad != 0 {
		return star, badOption("invalid path")
	}
	prefix, rest, ok := strings.Cut(p.Path, "[*]")
	if !ok {
		return star, nil
	}
	if strings.Contains(rest, "[*]") {
		return star, badOption("no more than one array index placeholder [*] is allowed in JSON path")
	}
	prefix = itoa(int64(p.Field)) + " " + strings.TrimPrefix(prefix, ".")
	if star != "" && star != prefix {
		return star, badOption("incompatible multikey index path")
	}
	return prefix, nil
}
