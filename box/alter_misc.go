package box

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// dataVersion is the release whose system spaces these are.
var dataVersion = [3]uint64{3, 1, 0}

// serverVersion is the release that this database behaves like.
const serverVersion = "3.2.1"

// onSchemaRow takes notice of the rows of _schema that mean something.
func (b *Box) onSchemaRow(c *Ctx, old, new *tuple.Tuple) error {
	row := new
	if row == nil {
		row = old
	}
	switch rowString(row, 0) {
	case "version":
		before := b.catalog.dataVersion
		c.Txn.OnStatementRollback(func() { b.catalog.dataVersion = before })
		if new == nil {
			b.catalog.dataVersion = dataVersion
			return nil
		}
		if new.Len() < 3 {
			return boxerr.New(boxerr.WrongDDVersion)
		}
		b.catalog.dataVersion = [3]uint64{rowUint(new, 1), rowUint(new, 2), rowUint(new, 3)}
	case "replicaset_uuid", "cluster":
		if new == nil {
			if b.catalog.upgrading || b.recovering {
				return nil
			}
			return boxerr.New(boxerr.ReplicasetUUIDIsRO)
		}
		id := rowString(new, 1)
		if _, err := uuid.Parse(id); err != nil {
			return boxerr.New(boxerr.InvalidUUID, id)
		}
		if !b.recovering && b.status.replset != "" && b.status.replset != id {
			return boxerr.New(boxerr.ReplicasetUUIDIsRO)
		}
		before := b.status.replset
		b.status.replset = id
		c.Txn.OnStatementRollback(func() { b.status.replset = before })
	}
	return nil
}

// checkDataVersion refuses to change the schema of a directory that an old release wrote.
func (b *Box) checkDataVersion() error {
	if v := b.catalog.dataVersion; !b.recovering && !b.catalog.upgrading && v[0] < dataVersion[0] && v != [3]uint64{} {
		return boxerr.New(boxerr.SchemaNeedsUpgrade, fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]), serverVersion)
	}
	return nil
}

// onClusterRow takes notice of the instances of the replica set.
func (b *Box) onClusterRow(c *Ctx, old, new *tuple.Tuple) error {
	if new == nil {
		if id := uint32(rowUint(old, 0)); id == b.status.id && !b.recovering {
			return boxerr.New(boxerr.LocalInstanceIDIsReadOnly, id)
		}
		return nil
	}
	id, name := rowUint(new, 0), rowString(new, 1)
	parsed, err := uuid.Parse(name)
	switch {
	case id == 0:
		return boxerr.New(boxerr.ReplicaIDIsReserved, id)
	case id >= ReplicaMax:
		return boxerr.New(boxerr.ReplicaMax, id)
	case err != nil || len(name) != 36 || parsed == uuid.Nil:
		return boxerr.New(boxerr.InvalidUUID, name)
	}
	if old != nil && rowString(old, 1) != name && !b.recovering {
		return boxerr.New(boxerr.Unsupported, "Space _cluster", "updates of instance uuid")
	}
	if name == b.status.uuid {
		before := b.status.id
		b.status.id = uint32(id)
		c.Txn.OnStatementRollback(func() { b.status.id = before })
	}
	return nil
}

// onObsoleteRow refuses what releases before 3.0 kept in spaces of their own, and triggers in SQL. Old directories
// may hold such rows.
func (b *Box) onObsoleteRow(c *Ctx, old, new *tuple.Tuple) error {
	if b.recovering || new == nil {
		return nil
	}
	return boxerr.New(boxerr.Unsupported, "Lycosa", "SQL triggers and the constraints of old releases")
}

// nextID returns the number for a new row of a system space: one more than the largest there is.
func (b *Box) nextID(c *Ctx, space uint32) (uint32, error) {
	t, err := b.Max(c, space, 0, msgpack.AppendArrayHeader(nil, 0))
	if err != nil || t == nil {
		return 1, err
	}
	return uint32(rowUint(t, 0)) + 1, nil
}
