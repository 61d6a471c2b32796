//go:build cgo

package lua

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"fmt"

	"github.com/lycosadb/lycosa/internal/luajit"
)

func init() { modules = append(modules, registerCrypto) }

// ciphers are the block ciphers by name, with the sizes of their keys.
var ciphers = map[string]struct {
	key int
	new func(key []byte) (cipher.Block, error)
}{
	"aes128": {16, aes.NewCipher},
	"aes192": {24, aes.NewCipher},
	"aes256": {32, aes.NewCipher},
	"des":    {8, des.NewCipher},
}

// registerCrypto registers what builtin/crypto.lua stands on.
func registerCrypto(s *State) {
	// crypto.cipher(encrypt, algorithm, mode, text, key, iv) returns the other text, or nil and what is wrong.
	s.Func("crypto.cipher", func(c *luajit.Call) error {
		encrypt := c.Bool()
		algorithm, mode := c.Str(), c.Str()
		out, problem := runCipher(encrypt, algorithm, mode, c.Bytes(), c.Bytes(), c.Bytes())
		if problem != "" {
			c.PushNil()
			c.PushString(problem)
			return nil
		}
		c.PushBytes(out)
		return nil
	})
}

func runCipher(encrypt bool, algorithm, mode string, text, key, iv []byte) (out []byte, problem string) {
	a := ciphers[algorithm]
	if len(key) != a.key {
		return nil, fmt.Sprintf("key size expected %d, got %d", a.key, len(key))
	}
	block, err := a.new(key)
	if err != nil {
		return nil, err.Error()
	}
	size := block.BlockSize()
	ivSize := size
	if mode == "ecb" {
		ivSize = 0
	}
	if len(iv) != ivSize {
		return nil, fmt.Sprintf("IV size expected %d, got %d", ivSize, len(iv))
	}
	switch mode {
	case "cfb", "ofb":
		return runStream(block, mode == "cfb", encrypt, text, iv), ""
	}
	if encrypt {
		text = pad(text, size)
	} else if len(text) == 0 || len(text)%size != 0 {
		return nil, "wrong final block length"
	}
	out = make([]byte, len(text))
	switch {
	case mode == "cbc" && encrypt:
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, text)
	case mode == "cbc":
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, text)
	default:
		for i := 0; i < len(text); i += size {
			if encrypt {
				block.Encrypt(out[i:], text[i:i+size])
			} else {
				block.Decrypt(out[i:], text[i:i+size])
			}
		}
	}
	if encrypt {
		return out, ""
	}
	return unpad(out, size)
}

// runStream runs the modes that make a stream of a block cipher: CFB feeds the ciphertext back, OFB the stream itself.
func runStream(block cipher.Block, feedText, encrypt bool, text, iv []byte) []byte {
	out := make([]byte, len(text))
	register := append([]byte(nil), iv...)
	stream := make([]byte, len(iv))
	for i := range text {
		at := i % len(iv)
		if at == 0 {
			block.Encrypt(stream, register)
		}
		out[i] = text[i] ^ stream[at]
		switch {
		case !feedText:
			register[at] = stream[at]
		case encrypt:
			register[at] = out[i]
		default:
			register[at] = text[i]
		}
	}
	return out
}

// pad fills a text up to whole blocks as PKCS #7 (RFC 5652, 6.3) says.
func pad(text []byte, size int) []byte {
	n := size - len(text)%size
	out := append(make([]byte, 0, len(text)+n), text...)
	for range n {
		out = append(out, byte(n))
	}
	return out
}

func unpad(text []byte, size int) (out []byte, problem string) {
	n := int(text[len(text)-1])
	if n == 0 || n > size {
		return nil, "bad decrypt"
	}
	for _, c := range text[len(text)-n:] {
		if int(c) != n {
			return nil, "bad decrypt"
		}
	}
	return text[:len(text)-n], ""
}
