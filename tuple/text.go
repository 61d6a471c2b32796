package tuple

import "github.com/lycosadb/lycosa/msgpack"

// String returns the tuple in the form of error messages, such as [1, "text", {"key": null}].
func (t *Tuple) String() string { return string(msgpack.AppendText(nil, t.Data())) }

// KeyString returns a key of n parts in the form of error messages, such as [1, "text"].
func KeyString(key []byte, n int) string {
	b := msgpack.AppendArrayHeader(make([]byte, 0, len(key)+5), n)
	return string(msgpack.AppendText(nil, append(b, key...)))
}
