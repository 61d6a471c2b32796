package box

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// bootstrapFile holds the rows of the system spaces of a fresh database, one JSON object a line, in the order in
// which a checkpoint has them.
//
//go:embed bootstrap.jsonl
var bootstrapFile []byte

// bootstrapRow is one row of a fresh database.
type bootstrapRow struct {
	space uint32
	data  []byte // the tuple
}

// bootstrapRows returns the rows of a fresh database. Where they hold an identifier of an instance or a replica
// set, its place is taken by a text in angle brackets.
var bootstrapRows = sync.OnceValues(func() ([]bootstrapRow, error) {
	var rows []bootstrapRow
	for line := range bytes.Lines(bootstrapFile) {
		var row struct {
			Space uint32 `json:"id"`
			Tuple json.RawMessage
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("rows of a fresh database: %w", err)
		}
		dec := json.NewDecoder(bytes.NewReader(row.Tuple))
		dec.UseNumber()
		data, err := appendDecoded(nil, dec)
		if err != nil {
			return nil, fmt.Errorf("rows of a fresh database: %w", err)
		}
		rows = append(rows, bootstrapRow{row.Space, data})
	}
	return rows, nil
})

// appendDecoded appends the next value of a JSON text as MessagePack, with the keys of objects in the order of the text.
func appendDecoded(b []byte, dec *json.Decoder) ([]byte, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := tok.(type) {
	case json.Delim:
		var items []byte
		n := 0
		for ; dec.More(); n++ {
			if items, err = appendDecoded(items, dec); err != nil {
				return nil, err
			}
		}
		if _, err := dec.Token(); err != nil {
			return nil, err
		}
		if v == '[' {
			b = msgpack.AppendArrayHeader(b, n)
		} else {
			b = msgpack.AppendMapHeader(b, n/2)
		}
		return append(b, items...), nil
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return nil, err
		}
		return msgpack.AppendInt(b, n), nil
	}
	return msgpack.Append(b, tok)
}

// LayFoundation makes the system spaces, without rows, so that the rows which define them can be stored. It is what
// a recovery begins with; Bootstrap does it by itself.
func (b *Box) LayFoundation() error {
	if len(b.catalog.spaces) > 0 {
		return nil
	}
	rows, err := bootstrapRows()
	if err != nil {
		return err
	}
	b.StartRecovery()
	defer b.EndRecovery()
	admin := &User{ID: AdminID, Name: "admin", Universe: AllPrivileges}
	c := &Ctx{Session: &Session{Type: SessionBackground, User: admin, FD: -1}, User: admin, box: b, Txn: new(memtx.Txn)}
	for _, row := range rows {
		t := tuple.New(row.data)
		switch row.space {
		case CollationID:
			d, err := decodeCollation(t)
			if err != nil {
				return err
			}
			if tuple.CollationByID(d.ID) == nil {
				tuple.RegisterCollation(d)
			}
		case SpaceID:
			d, err := decodeSpace(t, boxerr.CreateSpace)
			if err != nil {
				return err
			}
			s := &Space{Mem: new(memtx.Space)}
			if err := b.define(s, d); err != nil {
				return err
			}
			s.Definition = nil
			b.enterSpace(s)
		case IndexID:
			s := b.catalog.spaces[uint32(rowUint(t, indexFieldSpace))]
			d, err := decodeIndex(t, s, s.fields)
			if err != nil {
				return err
			}
			if err := b.setIndexes(c, s, append(s.indexes[:len(s.indexes):len(s.indexes)], d)); err != nil {
				return err
			}
		}
	}
	b.catalog.dataVersion = dataVersion
	return nil
}

// Bootstrap stores the rows of a fresh database: the definitions of the system spaces, users, roles, rights,
// collations. Identifiers that the configuration does not give are made up.
func (b *Box) Bootstrap() error {
	if err := b.LayFoundation(); err != nil {
		return err
	}
	rows, err := bootstrapRows()
	if err != nil {
		return err
	}
	instance, replicaset := b.Config.InstanceUUID, b.Config.ReplicasetUUID
	if instance == "" {
		instance = uuid.NewString()
	}
	if replicaset == "" {
		replicaset = uuid.NewString()
	}
	b.SetIdentity(1, instance, replicaset)
	b.StartRecovery()
	defer b.EndRecovery()
	c := b.replayCtx()
	for _, row := range rows {
		switch row.space {
		case SessionSettingsID: // has no rows of its own
			continue
		case SchemaID:
			row.data = fillMask(row.data, replicaset)
		case ClusterID:
			row.data = fillMask(row.data, instance)
		}
		if err := b.ApplyRow(c, row.space, row.data); err != nil {
			return fmt.Errorf("row of space %d of a fresh database: %w", row.space, err)
		}
	}
	return nil
}

// fillMask puts an identifier into the place that the rows of a fresh database leave for it.
func fillMask(data []byte, id string) []byte {
	return bytes.Replace(data, msgpack.AppendString(nil, "<uuid>"), msgpack.AppendString(nil, id), 1)
}

// ApplyRow stores a row of a checkpoint. It is to be called between StartRecovery and EndRecovery, with the context
// of ReplayCtx; whoever asks, rights do not count then, and references to what comes later are let through.
func (b *Box) ApplyRow(c *Ctx, space uint32, row []byte) error {
	_, err := b.execute(c, OpInsert, space, statement{typ: typeInsert, tuple: row})
	return err
}

// replayCtx returns a context that needs no users to be there.
func (b *Box) replayCtx() *Ctx {
	admin := &User{ID: AdminID, Name: "admin", Universe: AllPrivileges}
	return &Ctx{Session: &Session{Type: SessionBackground, User: admin, FD: -1}, User: admin, box: b}
}
