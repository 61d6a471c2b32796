//go:build linux

package main

import (
	"fmt"

	"github.com/lycosadb/lycosa/iproto"
)

// The numbers of rows of setup.lua's spaces.
const (
	smallRows = 100_000
	largeRows = 1_000_000
)

// load is a kind of requests to send to one of our servers, and what that is compared with.
type load struct {
	name    string
	makers  []maker // sent in turn; all of a turn share a key
	unit    int     // so many packets count as one request; 1 when 0
	server  string  // nameLycosa when empty
	rows    int     // so many keys; smallRows when 0
	handler string  // the handler of setup.lua that is set meanwhile
	writes  bool    // the journal grows
	against side    // the peer with the same load when empty
}

// side is another load, or the same one elsewhere.
type side struct {
	server, load string
	times        int // so many of its requests are compared with one of the load's
}

// loads are all loads, in the order of the table.
var loads = complete([]load{
	{name: "ping", makers: one(ping)},
	{name: "select 100k", makers: one(selectFrom(smallSpace))},
	{name: "select 1M", makers: one(selectFrom(largeSpace)), rows: largeRows},
	{name: "replace", makers: one(replace), writes: true},
	{name: "update", makers: one(update), writes: true},
	{name: "delete+insert", makers: []maker{remove, insert}, writes: true},
	{name: "call echo", makers: one(call("echo"))},
	{name: "eval", makers: one(eval("return ..."))},
	{name: "call get", makers: one(call("get"))},
	{
		name: "replace mvcc", makers: one(replace), server: nameMVCC, against: side{nameLycosa, "replace", 1}, writes: true,
	},
	{
		// A transaction of several requests needs MVCC. The peer, which is older than streams, has nothing like it.
		name: "transaction", unit: 3,
		makers: []maker{inStream(bare(iproto.TypeBegin)), inStream(replace), inStream(bare(iproto.TypeCommit))},
		server: nameMVCC, against: side{nameLycosa, "replace", 3}, writes: true,
	},
	{
		name: "override in lua", makers: one(selectFrom(overriddenSpace)), handler: "documented",
		against: side{namePeer, "select 100k", 1},
	},
	{
		name: "fallback", makers: one(selectFrom(smallSpace)), handler: "documented",
		against: side{nameLycosa, "select 100k", 1},
	},
	{
		name: "override in go", makers: one(selectFrom(overriddenSpace)),
		server: nameEmbedded, against: side{nameEmbedded, "ping", 1},
	},
	{name: parallel, makers: one(selectFrom(smallSpace)), against: side{nameOneThread, "select 100k", 1}},
})

// parallel is the load that also has a table of its own.
const parallel = "parallel select"

func one(m maker) []maker { return []maker{m} }

// complete fills in what is left out.
func complete(list []load) []load {
	for i := range list {
		l := &list[i]
		if l.unit == 0 {
			l.unit = 1
		}
		if l.server == "" {
			l.server = nameLycosa
		}
		if l.rows == 0 {
			l.rows = smallRows
		}
		if l.against.server == "" {
			l.against = side{namePeer, l.name, 1}
		}
	}
	return list
}

// findLoad returns the load of a name.
func findLoad(name string) (load, bool) {
	for _, l := range loads {
		if l.name == name {
			return l, true
		}
	}
	return load{}, false
}

// comparison says what the load is compared with.
func (l load) comparison() string {
	a := l.against
	text := a.server
	if a.load != l.name {
		text += ": " + a.load
	}
	if a.times > 1 {
		text += fmt.Sprintf(" x %d", a.times)
	}
	return text
}
