package iproto

import (
	"crypto/sha1"
	"crypto/subtle"
)

// Scramble is what a client sends in AUTH by the method chap-sha1: it proves that the client knows the password without
// telling it. Of the greeting's salt 20 bytes count.
func Scramble(salt []byte, password string) []byte {
	once := sha1.Sum([]byte(password))
	twice := sha1.Sum(once[:])
	h := sha1.New()
	h.Write(salt[:min(len(salt), sha1.Size)])
	h.Write(twice[:])
	mask := h.Sum(nil)
	subtle.XORBytes(mask, mask, once[:])
	return mask
}
