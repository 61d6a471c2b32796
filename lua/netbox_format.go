//go:build cgo

package lua

import (
	"bytes"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/client"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// maxRemoteFormats is how many formats other servers may bring along. Tuples of further ones have no names of fields.
const maxRemoteFormats = 4096

// format returns the number that a format of another server has here; definition is an array of its fields. What this
// server doesn't understand of it is left out: it serves for names and needs no checks.
func (n *netbox) format(definition []byte) (uint32, error) {
	if len(definition) <= 1 {
		return 0, nil
	}
	if id, known := n.formats[string(definition)]; known || len(n.formats) >= maxRemoteFormats {
		return id, nil
	}
	var id uint32
	if fields := remoteFields(definition); len(fields) > 0 {
		f, err := tuple.NewFormatOf(fields, 0, nil)
		if err != nil {
			return 0, err
		}
		id = f.ID
	}
	n.formats[string(definition)] = id
	return id, nil
}

// remoteFields reads field definitions as _vspace and TUPLE_FORMATS have them. It stops at a field without a name.
func remoteFields(b []byte) (fields []tuple.FieldDef) {
	n, b, ok := msgpack.ReadArrayHeader(b)
	for ; ok && n > 0; n-- {
		var field tuple.FieldDef
		var pairs int
		for pairs, b, ok = msgpack.ReadMapHeader(b); ok && pairs > 0; pairs-- {
			var key, value []byte
			if key, b, ok = msgpack.ReadString(b); !ok {
				break
			}
			value, b = split(b)
			text, _, isText := msgpack.ReadString(value)
			switch string(key) {
			case "name":
				field.Name = string(text)
			case "type":
				if t, known := tuple.FieldTypeByName(string(text)); isText && known {
					field.Type = t
				}
			case "is_nullable":
				field.Nullable, _, _ = msgpack.ReadBool(value)
			}
		}
		if !ok || field.Name == "" {
			return fields
		}
		fields = append(fields, field)
	}
	return fields
}

// localTuples gives the tuples among the values of an answer the numbers that their formats have here.
func (n *netbox) localTuples(answer *client.Response, data msgpack.Raw) (msgpack.Raw, error) {
	var formats map[uint64]uint32
	return iproto.MapTuples(data, func(id uint64, _ []byte) (uint32, error) {
		if formats == nil {
			var err error
			if formats, err = n.remoteFormats(answer.Value(iproto.KeyTupleFormats)); err != nil {
				return 0, err
			}
		}
		return formats[id], nil
	})
}

// remoteFormats reads a map of formats: the other server's numbers with definitions. Values are the numbers here.
func (n *netbox) remoteFormats(b []byte) (map[uint64]uint32, error) {
	formats := map[uint64]uint32{}
	count, b, ok := msgpack.ReadMapHeader(b)
	for ; ok && count > 0; count-- {
		var id uint64
		if id, b, ok = msgpack.ReadUint(b); !ok {
			return nil, boxerr.New(boxerr.InvalidMsgpack, "tuple formats")
		}
		var definition []byte
		definition, b = split(b)
		local, err := n.format(definition)
		if err != nil {
			return nil, err
		}
		formats[id] = local
	}
	return formats, nil
}

// formatsOf is the map of the formats of the tuples among arguments of a call, nil without any.
func formatsOf(args []byte) msgpack.Raw {
	if bytes.IndexByte(args, iproto.TupleExt) < 0 {
		return nil
	}
	formats := collectFormats(nil, args)
	if len(formats) == 0 {
		return nil
	}
	b := msgpack.AppendMapHeader(nil, len(formats))
	for _, f := range formats {
		if f == nil {
			b = msgpack.AppendArrayHeader(msgpack.AppendUint(b, 0), 0)
			continue
		}
		b = f.AppendFields(msgpack.AppendUint(b, uint64(f.ID)))
	}
	return b
}
