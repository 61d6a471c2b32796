//go:build cgo

package lua

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	stdhash "hash"
	"hash/crc32"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/hash"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerDigest) }

// md4 is the digest as the standard library's interface has them.
type md4 struct{ text []byte }

func (m *md4) Write(b []byte) (int, error) {
	m.text = append(m.text, b...)
	return len(b), nil
}

func (m *md4) Sum(b []byte) []byte {
	sum := hash.MD4(m.text)
	return append(b, sum[:]...)
}

func (m *md4) Reset()         { m.text = m.text[:0] }
func (m *md4) Size() int      { return 16 }
func (m *md4) BlockSize() int { return 64 }

// digests are the digests by name.
var digests = map[string]func() stdhash.Hash{
	"md4":    func() stdhash.Hash { return &md4{} },
	"md5":    md5.New,
	"sha1":   sha1.New,
	"sha224": sha256.New224,
	"sha256": sha256.New,
	"sha384": sha512.New384,
	"sha512": sha512.New,
}

// castagnoli is the polynomial of digest.crc32.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxRandom bounds what one call of urandom returns.
const maxRandom = 1 << 26

// registerDigest registers what builtin/digest.lua and builtin/crypto.lua stand on.
func registerDigest(s *State) {
	s.Func("digest.names", func(c *luajit.Call) error {
		names := make([]any, 0, len(digests))
		for name := range digests {
			names = append(names, name)
		}
		return c.Push(names)
	})
	s.Func("digest.sum", func(c *luajit.Call) error {
		h := digests[c.Str()]()
		_, _ = h.Write(c.Bytes())
		c.PushBytes(h.Sum(nil))
		return nil
	})
	s.Func("digest.hmac", func(c *luajit.Call) error {
		h := hmac.New(digests[c.Str()], c.Bytes())
		_, _ = h.Write(c.Bytes())
		c.PushBytes(h.Sum(nil))
		return nil
	})
	// The reference starts with all bits set, as CRC-32C does, but leaves out the inversion at the end.
	s.Func("digest.crc32_update", func(c *luajit.Call) error {
		crc := uint32(c.Uint())
		c.PushUint(uint64(^crc32.Update(^crc, castagnoli, c.Bytes())))
		return nil
	})
	s.Func("digest.murmur", func(c *luajit.Call) error {
		text := c.Bytes()
		c.PushUint(uint64(hash.Murmur(text, uint32(c.Uint()))))
		return nil
	})
	s.Func("digest.xxhash32", func(c *luajit.Call) error {
		text := c.Bytes()
		c.PushUint(uint64(hash.XX32(text, uint32(c.Uint()))))
		return nil
	})
	s.Func("digest.xxhash64", func(c *luajit.Call) error {
		text := c.Bytes()
		c.Out = msgpack.AppendUint64Fixed(c.Out, hash.XX64(text, c.Uint()))
		c.NOut++
		return nil
	})
	s.Func("digest.guava", func(c *luajit.Call) error {
		key := c.Uint()
		c.PushInt(hash.Guava(key, c.Int()))
		return nil
	})
	s.Func("digest.urandom", func(c *luajit.Call) error {
		n := c.Int()
		if n < 0 || n > maxRandom {
			return boxerr.Illegal("digest.urandom: %d bytes are too many", n)
		}
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		c.PushBytes(b)
		return nil
	})
	s.Blocking("digest.pbkdf2", func(c *luajit.Call) error {
		password, salt := c.Str(), []byte(c.Str())
		iterations, size := int(c.Int()), int(c.Int())
		return s.background(c, func() (any, error) {
			return pbkdf2.Key(sha256.New, password, salt, iterations, size)
		})
	})
	s.Func("digest.base64_encode", func(c *luajit.Call) error {
		text := c.Bytes()
		urlSafe, noPad, noWrap := c.Bool(), c.Bool(), c.Bool()
		e := base64.StdEncoding
		if urlSafe {
			e = base64.URLEncoding
		}
		if noPad || urlSafe {
			e = e.WithPadding(base64.NoPadding)
		}
		out := e.EncodeToString(text)
		if !noWrap && !urlSafe {
			out = wrapLines(out)
		}
		c.PushString(out)
		return nil
	})
	s.Func("digest.base64_decode", func(c *luajit.Call) error {
		c.PushBytes(decodeBase64(c.Bytes()))
		return nil
	})
}

// lineWidth is how many characters of base64 stand on a line.
const lineWidth = 72

func wrapLines(text string) string {
	var b strings.Builder
	for len(text) > lineWidth {
		b.WriteString(text[:lineWidth])
		b.WriteByte('\n')
		text = text[lineWidth:]
	}
	b.WriteString(text)
	return b.String()
}

// decodeBase64 decodes either alphabet, padded or not, and passes over whatever is not of it.
func decodeBase64(text []byte) []byte {
	out := make([]byte, 0, len(text)*3/4)
	var acc uint32
	n := 0
	for _, c := range text {
		v := base64Values[c]
		if v < 0 {
			continue
		}
		acc = acc<<6 | uint32(v)
		if n++; n == 4 {
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, n = 0, 0
		}
	}
	switch n {
	case 2:
		out = append(out, byte(acc>>4))
	case 3:
		out = append(out, byte(acc>>10), byte(acc>>2))
	}
	return out
}

var base64Values = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for i, c := range letters {
		t[c] = int8(i)
	}
	t['+'], t['-'], t['/'], t['_'] = 62, 62, 63, 63
	return t
}()
