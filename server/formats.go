package server

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// appendFormatsOf appends the key TUPLE_FORMATS with the formats of tuples, each once.
func appendFormatsOf(b []byte, tuples []*tuple.Tuple) []byte {
	var few [8]uint32
	ids := few[:0]
	for _, t := range tuples {
		if id := t.FormatID(); !containsID(ids, id) {
			ids = append(ids, id)
		}
	}
	b = msgpack.AppendMapHeader(append(b, byte(iproto.KeyTupleFormats)), len(ids))
	for _, id := range ids {
		b = appendFormat(msgpack.AppendUint(b, uint64(id)), tuple.FormatByID(id))
	}
	return b
}

func containsID(ids []uint32, id uint32) bool {
	for i := len(ids) - 1; i >= 0; i-- {
		if ids[i] == id {
			return true
		}
	}
	return false
}

// appendFormat appends the fields of a format, none for nil.
func appendFormat(b []byte, f *tuple.Format) []byte {
	if f == nil {
		return msgpack.AppendArrayHeader(b, 0)
	}
	return f.AppendFields(b)
}

// appendFormats appends the key TUPLE_FORMATS with these formats. A nil one stands for that of tuples without one.
func appendFormats(b []byte, formats []*tuple.Format) []byte {
	b = msgpack.AppendMapHeader(append(b, byte(iproto.KeyTupleFormats)), len(formats))
	for _, f := range formats {
		id := uint64(0)
		if f != nil {
			id = uint64(f.ID)
		}
		b = appendFormat(msgpack.AppendUint(b, id), f)
	}
	return b
}

// maxClientFormats is how many formats clients may bring along.
const maxClientFormats = 4096

// localArgs returns the arguments of a call with the tuples among them, if there are any, having formats of this
// server in the place of those that the request brought. The cord's lock is held.
func (s *Server) localArgs(call *iproto.Call) ([]byte, error) {
	var formats map[uint64]uint32
	return iproto.MapTuples(call.Args, func(id uint64, array []byte) (uint32, error) {
		if formats == nil {
			var err error
			if formats, err = s.clientFormats(call.Formats); err != nil {
				return 0, err
			}
		}
		local, known := formats[id]
		if !known {
			return 0, boxerr.Illegal("Can not parse a tuple from MsgPack")
		}
		if f := tuple.FormatByID(local); f != nil {
			if err := f.Check(array); err != nil {
				return 0, err
			}
		}
		return local, nil
	})
}

// clientFormats reads the formats that a request brings: numbers of the client's own with field definitions. It
// returns the numbers that they have here.
func (s *Server) clientFormats(b []byte) (map[uint64]uint32, error) {
	formats := make(map[uint64]uint32)
	if b == nil {
		return formats, nil
	}
	bad := boxerr.Illegal("Can not parse a tuple from MsgPack")
	n, b, ok := msgpack.ReadMapHeader(b)
	for ; ok && n > 0; n-- {
		var id uint64
		if id, b, ok = msgpack.ReadUint(b); !ok {
			return nil, bad
		}
		rest, whole := msgpack.Skip(b)
		if !whole {
			return nil, bad
		}
		definition := b[:len(b)-len(rest)]
		b = rest
		local, known := s.formats[string(definition)]
		if !known {
			fields, ok := decodeFields(definition)
			if !ok {
				return nil, bad
			}
			if len(s.formats) >= maxClientFormats {
				return nil, boxerr.New(boxerr.TupleFormatLimit, maxClientFormats)
			}
			f, err := tuple.NewFormatOf(fields, 0, nil)
			if err != nil {
				return nil, err
			}
			if s.formats == nil {
				s.formats = make(map[string]uint32)
			}
			local = f.ID
			s.formats[string(definition)] = local
		}
		formats[id] = local
	}
	if !ok {
		return nil, bad
	}
	return formats, nil
}

// decodeFields reads an array of field definitions, of which name, type and is_nullable count.
func decodeFields(b []byte) (fields []tuple.FieldDef, ok bool) {
	n, b, ok := msgpack.ReadArrayHeader(b)
	for ; ok && n > 0; n-- {
		var pairs int
		if pairs, b, ok = msgpack.ReadMapHeader(b); !ok {
			return nil, false
		}
		var field tuple.FieldDef
		for ; ok && pairs > 0; pairs-- {
			var key, text []byte
			if key, b, ok = msgpack.ReadString(b); !ok {
				return nil, false
			}
			switch string(key) {
			case "name":
				text, b, ok = msgpack.ReadString(b)
				field.Name = string(text)
			case "type":
				if text, b, ok = msgpack.ReadString(b); ok {
					field.Type, ok = tuple.FieldTypeByName(string(text))
				}
			case "is_nullable":
				field.Nullable, b, ok = msgpack.ReadBool(b)
			default:
				b, ok = msgpack.Skip(b)
			}
		}
		if ok {
			fields = append(fields, field)
		}
	}
	return fields, ok
}
