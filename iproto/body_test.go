package iproto

import (
	"errors"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
)

func code(err error) boxerr.Code {
	var e *boxerr.Error
	if errors.As(err, &e) {
		return e.WireCode()
	}
	return 0
}

const (
	malformed = boxerr.InvalidMsgpack
	missing   = boxerr.MissingRequestField
)

func TestDecodeDML(t *testing.T) {
	tests := []struct {
		name string
		typ  Type
		body string
		want boxerr.Code
	}{
		{"select", TypeSelect, "83 10cd0200 1201 209101", 0},
		{"select with everything", TypeSelect, "8a 10cd0200 1101 1201 1302 1405 209101 1fc3 2ea16b 2f9101 5ea174", 0},
		{"by name", TypeSelect, "83 5ea174 1201 2090", 0},
		{"keys of any type", TypeSelect, "86 a46e6f746501 10cd0200 1201 209101 c001 910102", 0},
		{"no body", TypeSelect, "", missing},
		{"empty body", TypeInsert, "80", missing},
		{"no limit", TypeSelect, "82 10cd0200 2090", missing},
		{"no map", TypeSelect, "9110", malformed},
		{"nil", TypeInsert, "c0", malformed},
		{"space by text", TypeSelect, "83 10a174 1201 2090", malformed},
		{"key is no array", TypeSelect, "83 10cd0200 1201 2001", malformed},
		{"negative limit", TypeSelect, "83 10cd0200 12ff 2090", malformed},
		{"iterator by name", TypeSelect, "84 10cd0200 1201 2090 14a24551", malformed},
		{"a key of another request", TypeInsert, "83 10cd0200 219101 4001", malformed},
		{"tuple is nil", TypeInsert, "82 10cd0200 21c0", malformed},
		{"insert", TypeInsert, "82 10cd0200 219101", 0},
		{"update", TypeUpdate, "83 10cd0200 209101 2190", 0},
		{"update without key", TypeUpdate, "82 10cd0200 2190", missing},
		{"delete", TypeDelete, "82 10cd0200 209101", 0},
		{"upsert", TypeUpsert, "83 10cd0200 219101 2890", 0},
		{"upsert without operations", TypeUpsert, "82 10cd0200 219101", missing},
		{"cut short", TypeInsert, "82 10cd0200", malformed},
		{"cut short in a tuple", TypeInsert, "82 10cd0200 219201", malformed},
		{"a malformed value of another key", TypeSelect, "84 10cd0200 1201 2090 7fc1", malformed},
		{"a malformed key", TypeSelect, "84 10cd0200 1201 2090 c101", malformed},
		{"something behind", TypeSelect, "83 10cd0200 1201 2090 00", malformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var r DML
			var body []byte
			if test.body != "" {
				body = unhex(t, test.body)
			}
			if err := DecodeDML(test.typ, body, &r); code(err) != test.want {
				t.Errorf("%v", err)
			}
		})
	}
	var r DML
	if err := DecodeDML(TypeSelect, unhex(t, "8a 10cd0258 10cd0200 1101 1209 1302 1405 209101 1fc3 2ea16b 5fa178"), &r); err != nil {
		t.Fatal(err)
	}
	if r.SpaceID != 512 || r.IndexID != 1 || r.Limit != 9 || r.Offset != 2 || r.Iterator != 5 || string(r.Key) != "\x91\x01" ||
		!r.FetchPosition || string(r.AfterPosition) != "k" || !r.HasAfterPosition || string(r.IndexName) != "x" || r.HasSpaceName {
		t.Errorf("%+v", r)
	}
}

func TestDecodeCall(t *testing.T) {
	tests := []struct {
		name, body string
		typ        Type
		fn, args   string
		want       boxerr.Code
	}{
		{"call", "82 22a166 219101", TypeCall, "f", "\x91\x01", 0},
		{"no arguments", "81 22a166", TypeCall, "f", "\x90", 0},
		{"eval", "82 27a178 2190", TypeEval, "x", "\x90", 0},
		{"more keys", "83 22a166 2190 7e05", TypeCall, "f", "\x90", 0},
		{"eval for call", "81 27a178", TypeCall, "", "", missing},
		{"call for eval", "81 22a178", TypeEval, "", "", missing},
		{"name is a number", "82 2201 2190", TypeCall, "", "", malformed},
		{"arguments are a number", "82 22a166 2101", TypeCall, "", "", malformed},
		{"string key", "82 22a166 a17801", TypeCall, "", "", malformed},
		{"formats are an array", "82 22a166 6090", TypeCall, "", "", malformed},
		{"array", "90", TypeCall, "", "", malformed},
		{"nothing", "", TypeCall, "", "", malformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var r Call
			var body []byte
			if test.body != "" {
				body = unhex(t, test.body)
			}
			err := DecodeCall(test.typ, body, &r)
			if code(err) != test.want {
				t.Errorf("%v", err)
			}
			if err == nil && (string(r.Name) != test.fn || string(r.Args) != test.args) {
				t.Errorf("%q %q", r.Name, r.Args)
			}
		})
	}
}

func TestDecodeOthers(t *testing.T) {
	auth := func(b []byte) error { return DecodeAuth(b, new(Auth)) }
	sql := func(b []byte) error { return DecodeSQL(b, new(SQL)) }
	id := func(b []byte) error { return DecodeID(b, new(ID)) }
	watch := func(b []byte) error { return DecodeWatch(b, new(Watch)) }
	begin := func(b []byte) error { return DecodeBegin(b, new(Txn)) }
	commit := func(b []byte) error { return DecodeCommit(b, new(Txn)) }
	tests := []struct {
		name   string
		decode func([]byte) error
		body   string
		want   boxerr.Code
	}{
		{"auth", auth, "82 23a36a6f65 2190", 0},
		{"auth without user", auth, "81 2190", missing},
		{"auth without tuple", auth, "81 23a36a6f65", missing},
		{"auth user by number", auth, "82 2301 2190", malformed},
		{"auth tuple is text", auth, "82 23a16a 21a178", malformed},
		{"auth nothing", auth, "", malformed},
		{"sql", sql, "82 40a173 4190", 0},
		{"sql by id", sql, "81 4305", 0},
		{"sql by both", sql, "82 40a173 4305", malformed},
		{"sql by none", sql, "81 4190", missing},
		{"id", id, "82 5409 55930102cd01f4", 0},
		{"id empty", id, "80", 0},
		{"id nothing", id, "", malformed},
		{"id version is text", id, "81 54a178", malformed},
		{"id features are a map", id, "81 5580", malformed},
		{"id features are text", id, "81 5591a178", malformed},
		{"id string key", id, "81 a17801", malformed},
		{"id auth type is a number", id, "81 5b01", malformed},
		{"watch", watch, "83 57a16b 589101 7d80", 0},
		{"watch key is nil", watch, "81 57c0", malformed},
		{"watch string key", watch, "81 a36b6579a16b", malformed},
		{"watch no key", watch, "81 5801", missing},
		{"watch nothing", watch, "", malformed},
		{"begin", begin, "", 0},
		{"begin with options", begin, "83 56cb4024000000000000 5903 61c3", 0},
		{"begin unknown key", begin, "81 7fa178", 0},
		{"begin level too high", begin, "81 5905", 1},
		{"begin level by name", begin, "81 59a172", malformed},
		{"begin timeout is an integer", begin, "81 560a", malformed},
		{"begin timeout is negative", begin, "81 56cbbff0000000000000", 1},
		{"begin not synchronous", begin, "81 61c2", 1},
		{"begin array", begin, "90", malformed},
		{"begin string key", begin, "81 a178cb3ff0000000000000", malformed},
		{"commit", commit, "81 61c3", 0},
		{"commit with a timeout", commit, "81 5601", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var body []byte
			if test.body != "" {
				body = unhex(t, test.body)
			}
			if err := test.decode(body); code(err) != test.want {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	body := unhex(t, "83 10cd0200 1201 209101")
	call := unhex(t, "82 22a166 219101")
	var h Header
	header := unhex(t, "82 0001 0101")
	var dml DML
	var c Call
	if n := testing.AllocsPerRun(100, func() {
		DecodeHeader(header, &h)
		_ = DecodeDML(TypeSelect, body, &dml)
		_ = DecodeCall(TypeCall, call, &c)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{"83 10cd0200 1201 209101", "82 22a166 219101", "82 5409 55930102cd01f4", "83 56cb4024000000000000 5903 61c3"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for typ := TypeSelect; typ <= TypeDelete; typ++ {
			_ = DecodeDML(typ, b, new(DML))
		}
		_ = DecodeCall(TypeCall, b, new(Call))
		_ = DecodeAuth(b, new(Auth))
		_ = DecodeSQL(b, new(SQL))
		_ = DecodeID(b, new(ID))
		_ = DecodeWatch(b, new(Watch))
		_ = DecodeBegin(b, new(Txn))
	})
}
