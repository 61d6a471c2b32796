//go:build linux

package main

import (
	"strings"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

const (
	spaceID        = 512 // the space of setup.lua
	overridenSpace = 600 // the space that only its handler knows
	valueSize      = 64  // bytes of a row's text
)

// appendOp appends a request's body for a row and returns its type.
type appendOp func(b []byte, key uint64) ([]byte, iproto.Type)

// load is a kind of requests to send.
type load struct {
	name    string
	ops     []appendOp // sent in turn; all of a turn share a key
	handler string     // the handler of setup.lua that is set meanwhile; only Lycosa can do that
	peer    string     // what the peer does beside it when it cannot do the same; named in the table
	writes  bool       // the journal grows
}

// loads are all loads, in the order of the table.
var loads = []load{
	{name: "ping", ops: []appendOp{ping}},
	{name: "select", ops: []appendOp{selectFrom(spaceID)}},
	{name: "replace", ops: []appendOp{replace}, writes: true},
	{name: "update", ops: []appendOp{update}, writes: true},
	{name: "delete+insert", ops: []appendOp{remove, insert}, writes: true},
	{name: "call echo", ops: []appendOp{call("echo")}},
	{name: "eval", ops: []appendOp{eval("return ...")}},
	{name: "call get", ops: []appendOp{call("get")}},
	{name: "override", ops: []appendOp{selectFrom(overridenSpace)}, handler: "documented", peer: "select"},
	{name: "fallback", ops: []appendOp{selectFrom(spaceID)}, handler: "documented", peer: "select"},
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

func ping(b []byte, _ uint64) ([]byte, iproto.Type) {
	return msgpack.AppendMapHeader(b, 0), iproto.TypePing
}

func selectFrom(space uint64) appendOp {
	return func(b []byte, key uint64) ([]byte, iproto.Type) {
		b = msgpack.AppendMapHeader(b, 6)
		b = appendPair(b, iproto.KeySpaceID, space)
		b = appendPair(b, iproto.KeyIndexID, 0)
		b = appendPair(b, iproto.KeyLimit, 100)
		b = appendPair(b, iproto.KeyOffset, 0)
		b = appendPair(b, iproto.KeyIterator, 0)
		return appendKey(b, key), iproto.TypeSelect
	}
}

func replace(b []byte, key uint64) ([]byte, iproto.Type) {
	return appendRow(b, key), iproto.TypeReplace
}

func insert(b []byte, key uint64) ([]byte, iproto.Type) { return appendRow(b, key), iproto.TypeInsert }

func update(b []byte, key uint64) ([]byte, iproto.Type) {
	b = msgpack.AppendMapHeader(b, 4)
	b = appendPair(b, iproto.KeySpaceID, spaceID)
	b = appendPair(b, iproto.KeyIndexID, 0)
	b = appendKey(b, key)
	b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
	b = msgpack.AppendArrayHeader(b, 1)
	b = msgpack.AppendArrayHeader(b, 3) // {'+', 2, 1}
	b = msgpack.AppendString(b, "+")
	b = msgpack.AppendUint(b, 2)
	return msgpack.AppendUint(b, 1), iproto.TypeUpdate
}

func remove(b []byte, key uint64) ([]byte, iproto.Type) {
	b = msgpack.AppendMapHeader(b, 3)
	b = appendPair(b, iproto.KeySpaceID, spaceID)
	b = appendPair(b, iproto.KeyIndexID, 0)
	return appendKey(b, key), iproto.TypeDelete
}

func call(function string) appendOp { return run(iproto.TypeCall, iproto.KeyFunctionName, function) }

func eval(text string) appendOp { return run(iproto.TypeEval, iproto.KeyExpr, text) }

// run is a request that runs Lua with two arguments.
func run(typ iproto.Type, what iproto.Key, text string) appendOp {
	return func(b []byte, key uint64) ([]byte, iproto.Type) {
		b = msgpack.AppendMapHeader(b, 2)
		b = msgpack.AppendUint(b, uint64(what))
		b = msgpack.AppendString(b, text)
		b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
		b = msgpack.AppendArrayHeader(b, 2)
		b = msgpack.AppendUint(b, key)
		return msgpack.AppendUint(b, 2), typ
	}
}

func appendPair(b []byte, key iproto.Key, v uint64) []byte {
	return msgpack.AppendUint(msgpack.AppendUint(b, uint64(key)), v)
}

func appendKey(b []byte, key uint64) []byte {
	b = msgpack.AppendUint(b, uint64(iproto.KeyKey))
	return msgpack.AppendUint(msgpack.AppendArrayHeader(b, 1), key)
}

func appendRow(b []byte, key uint64) []byte {
	b = msgpack.AppendMapHeader(b, 2)
	b = appendPair(b, iproto.KeySpaceID, spaceID)
	b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
	b = msgpack.AppendArrayHeader(b, 3)
	b = msgpack.AppendUint(b, key)
	b = msgpack.AppendString(b, value)
	return msgpack.AppendUint(b, key*7)
}

var value = strings.Repeat("v", valueSize)

// appendFrame appends a whole packet.
func appendFrame(b []byte, op appendOp, key uint64, sync uint32) []byte {
	start := len(b)
	b = msgpack.AppendUint32Fixed(b, 0)
	body, typ := op(nil, key)
	b = msgpack.AppendMapHeader(b, 2)
	b = appendPair(b, iproto.KeyRequestType, uint64(typ))
	b = msgpack.AppendUint(b, uint64(iproto.KeySync))
	b = msgpack.AppendUint32Fixed(b, sync)
	b = append(b, body...)
	msgpack.AppendUint32Fixed(b[:start], uint32(len(b)-start-lengthSize))
	return b
}

// pool is a ring of packets that are sent again and again.
type pool struct {
	bytes []byte
	ends  []int // ends[i] is where packet i ends
}

// newPool makes n packets (rounded down to whole turns) of a load. The keys are drawn below keys, and differ between the
// shares of which this is one, so that connections do not get into each other's way.
func newPool(l load, n, keys, share, shares int) *pool {
	n -= n % len(l.ops)
	p := &pool{ends: make([]int, 0, n)}
	state := uint32(share + 1)
	perShare := uint64(max(keys/shares, 1))
	for i := 0; i < n; {
		state = state*1664525 + 1013904223
		key := uint64(state)*perShare>>32*uint64(shares) + uint64(share)
		for _, op := range l.ops {
			i++
			p.bytes = appendFrame(p.bytes, op, key, uint32(i))
			p.ends = append(p.ends, len(p.bytes))
		}
	}
	return p
}

// packets returns the bytes of up to n packets from the one at position at on, and how many they are.
func (p *pool) packets(at, n int) ([]byte, int) {
	n = min(n, len(p.ends)-at)
	start := 0
	if at > 0 {
		start = p.ends[at-1]
	}
	return p.bytes[start:p.ends[at+n-1]], n
}
