//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/server"
)

func (f *boxFace) registerStat() {
	f.fn("stat", func(c *luajit.Call, _ *box.Ctx) error {
		w := startMap(c.Out)
		for op := range box.Op(box.Ops) {
			w.key(op.String())
			entry := startMap(w.b)
			entry.uint("total", f.Box.Stat.Total(op))
			entry.uint("rps", f.Box.Stat.Rate(op))
			w.b = entry.end()
		}
		c.Out = w.end()
		c.NOut++
		return nil
	})
	f.fn("stat_reset", func(*luajit.Call, *box.Ctx) error {
		f.Box.Stat.Reset()
		if f.options.Server != nil {
			f.options.Server.Stat().Reset()
		}
		return nil
	})
	f.fn("stat_net", func(c *luajit.Call, _ *box.Ctx) error {
		c.Out = f.appendNet(c.Out)
		c.NOut++
		return nil
	})
	// All the network is served by one set of counters.
	f.fn("stat_net_thread", func(c *luajit.Call, _ *box.Ctx) error {
		c.Out = f.appendNet(append(c.Out, 0x91))
		c.NOut++
		return nil
	})
	f.fn("stat_memtx", func(c *luajit.Call, _ *box.Ctx) error {
		data, index := f.memory()
		w := startMap(c.Out)
		w.key("data")
		inner := startMap(w.b)
		inner.int("total", data)
		inner.uint("read_view", 0)
		inner.uint("garbage", 0)
		w.b = inner.end()
		w.key("index")
		inner = startMap(w.b)
		inner.int("total", index)
		inner.uint("read_view", 0)
		w.b = inner.end()
		w.key("tx")
		w.b = appendTx(w.b)
		c.Out = w.end()
		c.NOut++
		return nil
	})
	f.fn("stat_memtx_tx", func(c *luajit.Call, _ *box.Ctx) error {
		c.Out = appendTx(c.Out)
		c.NOut++
		return nil
	})
	empty := func(c *luajit.Call, _ *box.Ctx) error {
		c.PushRaw([]byte{0x80})
		return nil
	}
	f.fn("stat_vinyl", empty)
	f.fn("stat_sql", empty)
}

// appendNet appends the counters of the network; without one they are all zero.
func (f *boxFace) appendNet(b []byte) []byte {
	w := startMap(b)
	for _, counter := range server.Counters() {
		w.key(counter.String())
		entry := startMap(w.b)
		var total, rate, current int64
		if s := f.options.Server; s != nil {
			total, rate, current = s.Stat().Total(counter), s.Stat().Rate(counter), s.Stat().Current(counter)
		}
		entry.int("total", total)
		entry.int("rps", rate)
		if counter.HasCurrent() {
			entry.int("current", current)
		}
		w.b = entry.end()
	}
	return w.end()
}

// appendTx appends what the transactions in memory take, none of which is kept apart from the data.
func appendTx(b []byte) []byte {
	w := startMap(b)
	for _, group := range []string{"txn", "mvcc"} {
		w.key(group)
		inner := startMap(w.b)
		w.b = inner.end()
	}
	return w.end()
}

// memory is the number of bytes that tuples and indexes take.
func (f *boxFace) memory() (data, index int64) {
	f.Box.Spaces(func(sp *box.Space) bool {
		data += sp.Mem.Bytes()
		for _, x := range sp.Mem.Indexes {
			index += x.Bytes()
		}
		return true
	})
	return data, index
}
