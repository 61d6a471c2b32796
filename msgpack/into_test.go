package msgpack

import (
	"fmt"
	"reflect"
	"testing"
)

func TestReadInto(t *testing.T) {
	tests := []struct {
		value any
		into  any // a pointer to the zero value, or nil
		want  string
	}{
		{"text", new(string), "text"},
		{[]byte("bin"), new(string), "no"},
		{"text", new([]byte), "[116 101 120 116]"},
		{[]byte{}, new([]byte), "[]"},
		{true, new(bool), "true"},
		{-5, new(int), "-5"},
		{127, new(int8), "127"},
		{128, new(int8), "no"},
		{-32768, new(int16), "-32768"},
		{1 << 31, new(int32), "no"},
		{uint64(1) << 63, new(int64), "no"},
		{-1, new(uint), "no"},
		{255, new(uint8), "255"},
		{256, new(uint8), "no"},
		{65535, new(uint16), "65535"},
		{1 << 32, new(uint32), "no"},
		{uint64(1) << 63, new(uint64), "9223372036854775808"},
		{1.5, new(float64), "1.5"},
		{2, new(float64), "2"},
		{1.5, new(int), "no"},
		{"1", new(int), "no"},
		{nil, new(string), "no"},
		{nil, new(any), "<nil>"},
		{nil, new(Raw), "[192]"},
		{[]any{1, "a"}, new(any), "[1 a]"},
		{[]any{1, "a"}, new(Raw), "[146 1 161 97]"},
		{[]any{1, "a"}, nil, "skipped"},
		{1, new(struct{}), "no"},
		{1, 1, "no"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%v into %T", test.value, test.into), func(t *testing.T) {
			b, err := Append(nil, test.value)
			if err != nil {
				t.Fatal(err)
			}
			rest, ok := ReadInto(append(b, 0xc3), test.into)
			got := "no"
			switch {
			case ok && test.into == nil:
				got = "skipped"
			case ok:
				got = fmt.Sprint(reflect.ValueOf(test.into).Elem().Interface())
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if ok && (len(rest) != 1 || rest[0] != 0xc3) {
				t.Errorf("the rest is %x", rest)
			}
			if _, ok := ReadInto(b[:len(b)-1], test.into); ok {
				t.Error("read a truncated value")
			}
		})
	}
}
