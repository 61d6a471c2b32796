package iproto

import (
	"bytes"
	"strings"
	"testing"
)

const testUUID = "00000000-1111-2222-3333-444444444444"

func TestGreeting(t *testing.T) {
	g := Greeting{Version: "2.10.3", UUID: "11111111-2222-3333-4444-555555555555", Salt: bytes.Repeat([]byte("s"), 32)}
	b, err := g.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "Tarantool 2.10.3 (Binary) 11111111-2222-3333-4444-555555555555 \n" +
		"c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M=                   \n"
	if string(b) != want {
		t.Errorf("got %q", b)
	}
	for _, n := range []int{20, 32, 44} {
		g.Salt = bytes.Repeat([]byte("y"), n)
		b, _ := g.Append(nil)
		got, err := DecodeGreeting(b)
		if err != nil || got.Version != g.Version || got.UUID != g.UUID || got.Protocol != "Binary" || !bytes.Equal(got.Salt, g.Salt) {
			t.Errorf("salt of %d: %+v %v", n, got, err)
		}
	}
	unfit := []Greeting{
		{Version: strings.Repeat("1", 18), UUID: testUUID, Salt: make([]byte, 32)},
		{Version: "1.2.3", UUID: testUUID},
		{Version: "1.2.3", UUID: testUUID, Salt: make([]byte, 45)},
	}
	for _, g := range unfit {
		if _, err := g.Append(nil); err != ErrGreetingFit {
			t.Errorf("%+v: %v", g, err)
		}
	}
}

func TestDecodeGreeting(t *testing.T) {
	const salt = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	tests := []struct {
		first, second           string
		version, protocol, uuid string
		ok                      bool
	}{
		{"Tarantool 2.10.1 (Binary) " + testUUID, salt, "2.10.1", "Binary", testUUID, true},
		{"Tarantool  3.0.0 (Binary) " + testUUID, salt, "3.0.0", "Binary", testUUID, true},
		{"Tarantool 2.6.0-a (Binary) " + testUUID, salt, "2.6.0", "Binary", testUUID, true},
		{"Tarantool 1.6.5", salt, "1.6.5", "Binary", noUUID, true},
		{"Tarantool 1.6.6-83-gc6b2129 (Binary)", salt, "1.6.6", "Binary", noUUID, true},
		{"Tarantool 2.10.1 (Lua console)", "type 'help' for interactive help", "2.10.1", "Lua console", noUUID, true},
		{first: "Tarantool 2.10.1", second: salt},
		{first: "Tarantool 2.10 (Binary) " + testUUID, second: salt},
		{first: "Tarantool 2.10.1 (Binary) not-a-uuid", second: salt},
		{first: "Tarantool 2.10.1 (Binary) " + testUUID, second: "c2hvcnQ="},
		{first: "Tarantool 2.10.1 (Binary " + testUUID, second: salt},
		{first: "Cockatoo 2.10.1 (Binary) " + testUUID, second: salt},
		{first: "", second: salt},
	}
	for _, test := range tests {
		b := appendLine(appendLine(nil, test.first), test.second)
		g, err := DecodeGreeting(b)
		if (err == nil) != test.ok {
			t.Errorf("%q: %v", test.first, err)
		} else if test.ok && (g.Version != test.version || g.Protocol != test.protocol || g.UUID != test.uuid) {
			t.Errorf("%q: %+v", test.first, g)
		}
	}
	if _, err := DecodeGreeting(bytes.Repeat([]byte("x"), 128)); err == nil {
		t.Error("no line ends")
	}
}

func FuzzDecodeGreeting(f *testing.F) {
	f.Add([]byte("Tarantool 2.10.1 (Binary) "+testUUID), []byte("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first) > 63 || len(second) > 63 {
			return
		}
		g, err := DecodeGreeting(appendLine(appendLine(nil, string(first)), string(second)))
		if err == nil && g.Protocol == "Binary" {
			if _, err := g.Append(nil); err != nil {
				t.Errorf("%+v: %v", g, err)
			}
		}
	})
}
