package mpext

import (
	"bytes"
	"crypto/rand"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// UUID is a universally unique identifier (RFC 9562) in the order of its text, which is also that of its encoding.
type UUID [16]byte

func init() { register(UUIDType, DecodeUUID) }

// NewUUID returns a random UUID (version 4).
func NewUUID() UUID {
	var u UUID
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ParseUUID reads the text form: 36 characters, hexadecimal digits of any case and hyphens. The variant that is
// reserved for the future is refused.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 {
		return UUID{}, badUUID(s)
	}
	for i, at := 0, 0; i < 16; i++ {
		if at == 8 || at == 13 || at == 18 || at == 23 {
			if s[at] != '-' {
				return UUID{}, badUUID(s)
			}
			at++
		}
		high, low := hexValue(s[at]), hexValue(s[at+1])
		if high|low > 15 {
			return UUID{}, badUUID(s)
		}
		u[i] = high<<4 | low
		at += 2
	}
	if u[8]&0xe0 == 0xe0 {
		return UUID{}, badUUID(s)
	}
	return u, nil
}

func badUUID(s string) error { return boxerr.New(boxerr.InvalidUUID, s) }

// hexValue returns the value of a hexadecimal digit, 255 for another character.
func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// AppendText appends the text form in lower case.
func (u UUID) AppendText(b []byte) []byte {
	const digits = "0123456789abcdef"
	for i, c := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// String returns the text form in lower case.
func (u UUID) String() string { return string(u.AppendText(make([]byte, 0, 36))) }

// IsNil reports whether u is the nil UUID, all zeros.
func (u UUID) IsNil() bool { return u == UUID{} }

// Compare returns -1, 0 or 1, in the order of the text forms.
func (u UUID) Compare(v UUID) int { return bytes.Compare(u[:], v[:]) }

// SwapFields returns u with the bytes of its first three fields reversed: the layout of the C struct on a
// little-endian machine. It is its own inverse.
func (u UUID) SwapFields() UUID {
	u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
	u[4], u[5] = u[5], u[4]
	u[6], u[7] = u[7], u[6]
	return u
}

// AppendMsgpack appends the extension value.
func (u UUID) AppendMsgpack(b []byte) []byte { return msgpack.AppendExt(b, UUIDType, u[:]) }

// DecodeUUID reads the data of an extension value.
func DecodeUUID(data []byte) (UUID, bool) {
	if len(data) != len(UUID{}) {
		return UUID{}, false
	}
	return UUID(data), true
}
