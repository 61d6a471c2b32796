//go:build linux

package main

import (
	"math/rand/v2"
	"strings"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

const (
	smallSpace      = 512 // the spaces of setup.lua
	largeSpace      = 513
	overriddenSpace = 600 // the space that only its handler knows
	valueSize       = 64  // bytes of a row's text
)

// request is a packet's content.
type request struct {
	typ    iproto.Type
	stream uint64 // 0 for none
	body   []byte
}

// maker makes a request for a row. turn counts the turns of a load.
type maker func(key uint64, turn int) request

func ping(uint64, int) request {
	return request{typ: iproto.TypePing, body: msgpack.AppendMapHeader(nil, 0)}
}

func selectFrom(space uint64) maker {
	return func(key uint64, _ int) request {
		b := msgpack.AppendMapHeader(nil, 6)
		b = appendPair(b, iproto.KeySpaceID, space)
		b = appendPair(b, iproto.KeyIndexID, 0)
		b = appendPair(b, iproto.KeyLimit, 100)
		b = appendPair(b, iproto.KeyOffset, 0)
		b = appendPair(b, iproto.KeyIterator, 0)
		return request{typ: iproto.TypeSelect, body: appendKey(b, key)}
	}
}

func replace(key uint64, _ int) request { return request{typ: iproto.TypeReplace, body: row(key)} }

func insert(key uint64, _ int) request { return request{typ: iproto.TypeInsert, body: row(key)} }

func update(key uint64, _ int) request {
	b := msgpack.AppendMapHeader(nil, 4)
	b = appendPair(b, iproto.KeySpaceID, smallSpace)
	b = appendPair(b, iproto.KeyIndexID, 0)
	b = appendKey(b, key)
	b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
	b = msgpack.AppendArrayHeader(b, 1)
	b = msgpack.AppendArrayHeader(b, 3) // {'+', 2, 1}
	b = msgpack.AppendString(b, "+")
	b = msgpack.AppendUint(b, 2)
	return request{typ: iproto.TypeUpdate, body: msgpack.AppendUint(b, 1)}
}

func remove(key uint64, _ int) request {
	b := msgpack.AppendMapHeader(nil, 3)
	b = appendPair(b, iproto.KeySpaceID, smallSpace)
	b = appendPair(b, iproto.KeyIndexID, 0)
	return request{typ: iproto.TypeDelete, body: appendKey(b, key)}
}

func call(function string) maker { return run(iproto.TypeCall, iproto.KeyFunctionName, function) }

func eval(text string) maker { return run(iproto.TypeEval, iproto.KeyExpr, text) }

// run is a request that runs Lua with two arguments.
func run(typ iproto.Type, what iproto.Key, text string) maker {
	return func(key uint64, _ int) request {
		b := msgpack.AppendMapHeader(nil, 2)
		b = msgpack.AppendUint(b, uint64(what))
		b = msgpack.AppendString(b, text)
		b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
		b = msgpack.AppendArrayHeader(b, 2)
		b = msgpack.AppendUint(b, key)
		return request{typ: typ, body: msgpack.AppendUint(b, 2)}
	}
}

// streams is how many streams the transactions of a connection take in turn, more than are ever in flight.
const streams = 1 << 10

// inStream sends a request in the stream of its turn.
func inStream(m maker) maker {
	return func(key uint64, turn int) request {
		q := m(key, turn)
		q.stream = 1 + uint64(turn%streams)
		return q
	}
}

// bare is a request without arguments.
func bare(typ iproto.Type) maker {
	return func(uint64, int) request { return request{typ: typ, body: msgpack.AppendMapHeader(nil, 0)} }
}

func appendPair(b []byte, key iproto.Key, v uint64) []byte {
	return msgpack.AppendUint(msgpack.AppendUint(b, uint64(key)), v)
}

func appendKey(b []byte, key uint64) []byte {
	b = msgpack.AppendUint(b, uint64(iproto.KeyKey))
	return msgpack.AppendUint(msgpack.AppendArrayHeader(b, 1), key)
}

func row(key uint64) []byte {
	b := msgpack.AppendMapHeader(nil, 2)
	b = appendPair(b, iproto.KeySpaceID, smallSpace)
	b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
	b = msgpack.AppendArrayHeader(b, 3)
	b = msgpack.AppendUint(b, key)
	b = msgpack.AppendString(b, value)
	return msgpack.AppendUint(b, key*7)
}

var value = strings.Repeat("v", valueSize)

// pool are packets that are sent again and again. Every key is in it once, in no order, so that what a server has in its
// caches is what a client with as many keys leaves it.
type pool struct {
	bytes []byte
	ends  []int // ends[i] is where packet i ends
	turn  int   // packets a turn
}

// newPool makes the packets of a load.
func newPool(l load) *pool {
	p := &pool{turn: len(l.makers), ends: make([]int, 0, l.rows*len(l.makers))}
	for turn, key := range rand.New(rand.NewPCG(1, 2)).Perm(l.rows) {
		for _, m := range l.makers {
			q := m(uint64(key), turn)
			p.bytes = peer.AppendRequest(p.bytes, q.typ, uint64(len(p.ends)+1), q.stream, q.body)
			p.ends = append(p.ends, len(p.bytes))
		}
	}
	return p
}

// ring is the part of a pool that a connection sends. Those of several connections have no keys in common, so that they
// don't get into each other's way.
type ring struct {
	*pool
	from, to int // its packets, whole turns
	at       int // the next one
}

// ring returns a share of the pool.
func (p *pool) ring(share, shares int) ring {
	turns := len(p.ends) / p.turn
	from, to := share*turns/shares*p.turn, (share+1)*turns/shares*p.turn
	return ring{pool: p, from: from, to: to, at: from}
}

// next returns the bytes of up to n packets, and how many they are, and goes on behind them.
func (r *ring) next(n int) ([]byte, int) {
	n = min(n, r.to-r.at)
	start := 0
	if r.at > 0 {
		start = r.ends[r.at-1]
	}
	b := r.bytes[start:r.ends[r.at+n-1]]
	if r.at += n; r.at == r.to {
		r.at = r.from
	}
	return b, n
}
