package iproto

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Sizes of the greeting, in bytes.
const (
	// GreetingSize is the size of the whole greeting.
	GreetingSize = 128
	// GreetingProtocolMax is how long the protocol's name may be.
	GreetingProtocolMax = 32
	// GreetingSaltMax is how long the salt may be before it is put into base64.
	GreetingSaltMax = 44
	// GreetingSaltMin is how long the salt must be for authentication.
	GreetingSaltMin = 20
	// SaltSize is how long the salt is that the server makes.
	SaltSize = 32

	lineSize = GreetingSize / 2
)

// Greeting is what the server sends first: two lines of text, padded with spaces to 64 bytes each.
type Greeting struct {
	// Version is three numbers with dots.
	Version string
	// Protocol is "Binary", or "Lua console".
	Protocol string
	// UUID is the instance's.
	UUID string
	Salt []byte
}

// noUUID is the UUID of greetings that have none.
const noUUID = "00000000-0000-0000-0000-000000000000"

// errGreeting says that a text is no greeting.
var errGreeting = errors.New("cannot parse greeting string")

// ErrGreetingFit is returned for greetings that do not fit their lines.
var ErrGreetingFit = errors.New("greeting does not fit")

// Append writes the greeting of a binary connection. The protocol's name is taken as Binary. It fails with
// ErrGreetingFit when the version makes the first line too long or the salt has not 1 to GreetingSaltMax bytes.
func (g *Greeting) Append(b []byte) ([]byte, error) {
	first := "Tarantool " + g.Version + " (Binary) " + g.UUID
	if len(first) >= lineSize || len(g.Salt) == 0 || len(g.Salt) > GreetingSaltMax {
		return b, ErrGreetingFit
	}
	b = appendLine(b, first)
	return appendLine(b, base64.StdEncoding.EncodeToString(g.Salt)), nil
}

func appendLine(b []byte, text string) []byte {
	b = append(b, text...)
	for range lineSize - 1 - len(text) {
		b = append(b, ' ')
	}
	return append(b, '\n')
}

// DecodeGreeting reads a greeting of GreetingSize bytes.
func DecodeGreeting(b []byte) (*Greeting, error) {
	if len(b) != GreetingSize || b[lineSize-1] != '\n' || b[GreetingSize-1] != '\n' {
		return nil, errGreeting
	}
	first, found := strings.CutPrefix(string(b[:lineSize-1]), "Tarantool ")
	if !found {
		return nil, errGreeting
	}
	version, first, found := strings.Cut(strings.TrimLeft(first, " "), " ")
	if !found || len(version) >= 20 {
		return nil, errGreeting
	}
	var major, minor, patch uint8
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n != 3 {
		return nil, errGreeting
	}
	g := &Greeting{Version: fmt.Sprintf("%d.%d.%d", major, minor, patch), UUID: noUUID, Protocol: "Binary"}
	first = strings.TrimLeft(first, " ")
	old := uint32(major)<<16|uint32(minor)<<8|uint32(patch) < 1<<16|6<<8|7
	if name, isNamed := strings.CutPrefix(first, "("); isNamed {
		name, first, found = strings.Cut(name, ")")
		if !found || len(name) > GreetingProtocolMax {
			return nil, errGreeting
		}
		g.Protocol = name
	} else if !old {
		return nil, errGreeting
	}
	if g.Protocol != "Binary" {
		return g, nil
	}
	if !old {
		g.UUID = strings.TrimRight(strings.TrimLeft(first, " "), " ")
		if !isUUID(g.UUID) {
			return nil, errGreeting
		}
		g.UUID = strings.ToLower(g.UUID)
	}
	text := bytes.TrimRight(b[lineSize:GreetingSize-1], " ")
	salt := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(salt, text)
	if err != nil || n < GreetingSaltMin || n > GreetingSaltMax {
		return nil, errGreeting
	}
	g.Salt = salt[:n]
	return g, nil
}

// isUUID tells whether s is a UUID of 36 hexadecimal digits and dashes.
func isUUID(s string) bool {
	if len(s) != len(noUUID) {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if noUUID[i] == '-' {
			if s[i] != '-' {
				return false
			}
		} else if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
