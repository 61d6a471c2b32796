//go:build cgo

package lua

import (
	"bytes"
	"math"
	"os"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/say"
	"github.com/lycosadb/lycosa/wal"
	"github.com/lycosadb/lycosa/xlog"
)

func (f *boxFace) registerCfg() {
	// A map of all options that have a value.
	f.fn("configure", f.configure)
	// A map of the options that get another value; null stands for none.
	f.fn("is_configured", func(c *luajit.Call, _ *box.Ctx) error {
		c.PushBool(f.configured)
		return nil
	})
	f.write("reconfigure", func(c *luajit.Call, _ *box.Ctx) error {
		o := cfgOptions{c.Raw()}
		wasReadOnly := f.Box.Config.ReadOnly
		o.apply(&f.Box.Config)
		if err := f.applyLog(o); err != nil {
			return err
		}
		f.applyStorage(o)
		if f.Box.Config.ReadOnly != wasReadOnly {
			f.modeChanged()
			f.Box.AnnounceMode()
		}
		return f.applyNetwork(o)
	})
	f.fn("execute", unsupported("SQL"))
	f.fn("prepare", unsupported("SQL"))
	f.fn("unprepare", unsupported("SQL"))
}

// unsupported is a function that is not there.
func unsupported(what string) func(*luajit.Call, *box.Ctx) error {
	return func(*luajit.Call, *box.Ctx) error { return boxerr.New(boxerr.Unsupported, "Lycosa", what) }
}

// cfgOptions is a map of options of box.cfg.
type cfgOptions struct{ m []byte }

func (o cfgOptions) raw(name string) []byte { return mapValue(o.m, name) }

// str sets dst if the option is given. Null is the empty text.
func (o cfgOptions) str(name string, dst *string) bool {
	v := o.raw(name)
	if v == nil {
		return false
	}
	text, _, _ := msgpack.ReadString(v)
	*dst = string(text)
	return true
}

func (o cfgOptions) bool(name string, dst *bool) {
	if v := o.raw(name); v != nil {
		*dst, _, _ = msgpack.ReadBool(v)
	}
}

func (o cfgOptions) number(name string, set func(v float64)) {
	if v := o.raw(name); v != nil {
		n, _, _ := msgpack.ReadNumber(v)
		set(n)
	}
}

// isolationNames are the isolation levels that a configuration may name.
var isolationNames = map[string]box.Isolation{
	"read-committed": box.ReadCommitted, "READ_COMMITTED": box.ReadCommitted,
	"read-confirmed": box.ReadConfirmed, "READ_CONFIRMED": box.ReadConfirmed,
	"best-effort": box.BestEffort, "BEST_EFFORT": box.BestEffort,
	"linearizable": box.Linearizable, "LINEARIZABLE": box.Linearizable,
}

// apply changes a configuration by what is given.
func (o cfgOptions) apply(c *box.Config) {
	o.str("work_dir", &c.WorkDir)
	o.str("memtx_dir", &c.MemtxDir)
	o.str("wal_dir", &c.WALDir)
	o.str("wal_mode", &c.WALMode)
	o.str("instance_uuid", &c.InstanceUUID)
	o.str("replicaset_uuid", &c.ReplicasetUUID)
	o.bool("read_only", &c.ReadOnly)
	o.bool("memtx_use_mvcc_engine", &c.UseMVCC)
	o.bool("force_recovery", &c.ForceRecovery)
	o.number("memtx_memory", func(v float64) { c.MemtxMemory = uint64(v) })
	o.number("memtx_max_tuple_size", func(v float64) { c.MaxTupleSize = int(v) })
	o.number("snap_io_rate_limit", func(v float64) { c.SnapIORateLimit = int64(v * (1 << 20)) })
	o.number("wal_queue_max_size", func(v float64) { c.WALQueueMaxSize = int64(v) })
	o.number("checkpoint_wal_threshold", func(v float64) { c.CheckpointWALThreshold = int64Of(v) })
	o.number("wal_max_size", func(v float64) { c.WALMaxSize = int64(v) })
	o.number("checkpoint_count", func(v float64) { c.CheckpointCount = int(v) })
	o.number("checkpoint_interval", func(v float64) { c.CheckpointInterval = durationOf(v) })
	o.number("txn_timeout", func(v float64) { c.TxnTimeout = durationOf(v) })
	if v := o.raw("txn_isolation"); v != nil {
		if n, _, ok := msgpack.ReadUint(v); ok {
			c.TxnIsolation = box.Isolation(n)
		} else if text, _, ok := msgpack.ReadString(v); ok {
			c.TxnIsolation = isolationNames[string(text)]
		}
	}
}

// int64Of cuts a number off at the largest integer.
func int64Of(v float64) int64 {
	if v >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(v)
}

// durationOf makes a duration of seconds.
func durationOf(seconds float64) time.Duration {
	return time.Duration(int64Of(seconds * float64(time.Second)))
}

// configure opens the database.
func (f *boxFace) configure(c *luajit.Call, ctx *box.Ctx) error {
	o := cfgOptions{c.Raw()}
	if err := f.applyLog(o); err != nil {
		return err
	}
	o.apply(&f.Box.Config)
	if dir := f.Box.Config.WorkDir; dir != "" {
		if err := os.Chdir(dir); err != nil {
			return xlog.SystemError("chdir", dir, err)
		}
		f.Box.Config.WorkDir = ""
	}
	f.configuring = true
	defer func() { f.configuring = false }()
	if err := f.Box.LayFoundation(); err != nil {
		return err
	}
	if err := f.fire(ctx, "box.ctl.on_schema_init"); err != nil {
		return err
	}
	f.Box.OnRecoveryState = func(state string) {
		if err := f.fire(ctx, "box.ctl.on_recovery_state", msgpack.AppendString(nil, state)); err != nil {
			f.Log().Error("a trigger of the recovery failed", "error", err)
		}
	}
	if err := f.Box.Start(); err != nil {
		return err
	}
	f.configured = true
	return f.applyNetwork(o)
}

// fire calls the handlers of an event to their end, until one fails.
func (f *boxFace) fire(ctx *box.Ctx, event string, args ...[]byte) error {
	e := f.Box.Triggers.Lookup(event)
	if e == nil {
		return nil
	}
	return f.Box.Fire(ctx, e, bytes.Join(args, nil), len(args))
}

// applyLog lets the log go where the options say.
func (f *boxFace) applyLog(o cfgOptions) error {
	log := f.options.Lines
	if log == nil {
		return nil
	}
	var text string
	if o.str("log", &text) && text != "" {
		if err := log.Open(text); err != nil {
			return boxerr.New(boxerr.Cfg, "log", err.Error())
		}
	}
	if o.str("log_format", &text) {
		log.SetJSON(text == "json")
	}
	if v := o.raw("log_level"); v != nil {
		name, _, ok := msgpack.ReadString(v)
		if n, _, isNumber := msgpack.ReadUint(v); isNumber {
			name, ok = []byte(itoa(uint32(n))), true
		}
		if level, known := say.LevelByName(string(name)); ok && known {
			log.SetLevel(level)
		}
	}
	return nil
}

// applyStorage changes how checkpoints are made and kept.
func (f *boxFace) applyStorage(o cfgOptions) {
	o.number("checkpoint_interval", func(v float64) { f.Box.SetCheckpointInterval(durationOf(v)) })
	o.number("checkpoint_wal_threshold", func(v float64) { f.Box.SetCheckpointWALThreshold(int64Of(v)) })
	o.number("wal_queue_max_size", func(v float64) {
		if j, ok := f.Box.Journal.(*wal.Journal); ok {
			j.SetQueueMaxSize(int64Of(v))
		}
	})
	o.number("checkpoint_count", func(v float64) {
		if r := f.Box.Retention(); r != nil {
			r.SetCount(int(v))
			f.collect()
		}
	})
}

// collect removes files that are not needed any more, without anybody waiting for that.
func (f *boxFace) collect() {
	if r := f.Box.Retention(); r != nil {
		go func() {
			if err := r.Collect(); err != nil {
				f.Log().Error("old files could not be removed", "error", err)
			}
		}()
	}
}

// applyNetwork listens where the options say.
func (f *boxFace) applyNetwork(o cfgOptions) error {
	srv := f.options.Server
	if srv == nil {
		return nil
	}
	o.number("net_msg_max", func(v float64) { srv.SetNetMsgMax(int(v)) })
	o.number("readahead", func(v float64) { srv.SetReadahead(int(v)) })
	if v := o.raw("listen"); v != nil {
		return srv.Listen(addresses(v)...)
	}
	return nil
}

// addresses reads the option listen: a port, a text with addresses, or a list of these, each of which may be a map with
// the address under "uri" or 1 and parameters. That it is well formed was checked before.
func addresses(v []byte) []string {
	if len(v) == 0 {
		return nil
	}
	switch msgpack.TypeOf(v[0]) {
	case msgpack.Uint:
		n, _, _ := msgpack.ReadUint(v)
		return []string{itoa(uint32(n))}
	case msgpack.String:
		text, _, _ := msgpack.ReadString(v)
		return strings.FieldsFunc(string(text), func(r rune) bool { return r == ',' || r == ' ' })
	case msgpack.Map:
		return addressesOfMap(v)
	case msgpack.Array:
		var list []string
		n, rest, _ := msgpack.ReadArrayHeader(v)
		for range n {
			var item []byte
			item, rest = split(rest)
			list = append(list, addresses(item)...)
		}
		return list
	}
	return nil
}

// addressesOfMap reads one address with parameters, or several with parameters for those without: a table of Lua that has
// both numbers and names as keys.
func addressesOfMap(v []byte) []string {
	list := addresses(mapValue(v, "uri"))
	n, rest, _ := msgpack.ReadMapHeader(v)
	for range n {
		var key, value []byte
		key, rest = split(rest)
		value, rest = split(rest)
		if msgpack.TypeOf(key[0]) == msgpack.Uint {
			list = append(list, addresses(value)...)
		}
	}
	for _, name := range []string{"params", "default_params"} {
		params := mapValue(v, name)
		if params == nil || msgpack.TypeOf(params[0]) != msgpack.Map {
			continue
		}
		value := mapValue(params, "transport")
		if count, first, isArray := msgpack.ReadArrayHeader(value); isArray && count > 0 {
			value, _ = split(first)
		}
		// The server knows what of this it can do.
		if transport, _, ok := msgpack.ReadString(value); ok {
			for i, address := range list {
				if !strings.Contains(address, "transport=") {
					list[i] = withTransport(address, string(transport))
				}
			}
		}
	}
	return list
}

func withTransport(address, transport string) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + "transport=" + transport
}
