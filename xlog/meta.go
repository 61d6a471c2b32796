package xlog

import (
	"bytes"
	"strings"

	"github.com/lycosadb/lycosa/vclock"
)

// Meta is the text header of a file.
type Meta struct {
	Kind Kind
	// Version names the program that wrote the file. It is not interpreted.
	Version string
	// Instance is the UUID of the instance that wrote the file, as text; "" if the header has none.
	Instance string
	// VClock is the state before the first row of a log, or the state that a snapshot holds.
	VClock vclock.VClock
	// Prev is the VClock of the log before this one, nil in the first log of a directory and in snapshots.
	Prev *vclock.VClock
}

// maxMeta is the size of a header in bytes that no header exceeds.
const maxMeta = 16 << 10

const formatVersion = "0.13"

// AppendMeta appends the header of a file.
func AppendMeta(b []byte, m *Meta) []byte {
	b = append(b, m.Kind...)
	b = append(b, '\n')
	b = append(b, formatVersion...)
	b = append(b, "\nVersion: "...)
	b = append(b, m.Version...)
	b = append(b, "\nInstance: "...)
	b = append(b, m.Instance...)
	b = append(b, "\nVClock: "...)
	b = m.VClock.AppendText(b)
	if m.Prev != nil {
		b = append(b, "\nPrevVClock: "...)
		b = m.Prev.AppendText(b)
	}
	return append(b, "\n\n"...)
}

// parseMeta reads the header at the start of b and returns its size, 0 when its end is not in b.
func parseMeta(b []byte, file string) (m Meta, size int, err error) {
	end := bytes.Index(b, []byte("\n\n"))
	if end < 0 {
		return Meta{}, 0, nil
	}
	text := string(b[:end+1])
	kind, text, _ := strings.Cut(text, "\n")
	if len(kind) == 0 || len(kind) > 9 {
		return Meta{}, 0, contentError(file, 0, "failed to parse xlog type string")
	}
	m.Kind = Kind(kind)
	version, text, _ := strings.Cut(text, "\n")
	instanceKey := "Instance"
	switch version {
	case formatVersion:
	case "0.12":
		instanceKey = "Server"
	default:
		return Meta{}, 0, contentError(file, 0, "unsupported file format version %s", version)
	}
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		key, value, found := strings.Cut(line, ":")
		if !found {
			return Meta{}, 0, contentError(file, 0, "can't extract meta value of '%s'", line)
		}
		value = strings.Trim(value, " ")
		switch key {
		case "Version":
			m.Version = value
		case instanceKey:
			if !isUUID(value) {
				return Meta{}, 0, contentError(file, 0, "can't parse instance UUID '%s'", value)
			}
			m.Instance = strings.ToLower(value)
		case "VClock":
			m.VClock, err = vclock.Parse(value)
		case "PrevVClock":
			m.Prev = new(vclock.VClock)
			*m.Prev, err = vclock.Parse(value)
		}
		if err != nil {
			return Meta{}, 0, contentError(file, 0, "%v in %s", err, key)
		}
	}
	return m, end + 2, nil
}

// isUUID says whether s is a UUID in the usual form of 36 characters.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
