package server

import (
	"net"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
)

// Address is where to listen.
type Address struct {
	// Network is "tcp" or "unix".
	Network string
	// Text is host:port or the path of the socket file.
	Text string
}

// ParseAddress reads an address in one of the forms of box.cfg.listen: "3301", "host:3301", "[::1]:3301",
// "unix/:/path", "/path" or "./path", each with "tcp://" or "user:password@" before it, which means nothing here.
// The error is ILLEGAL_PARAMS; transports other than the plain one are refused with UNSUPPORTED.
func ParseAddress(text string) (Address, error) {
	rest, query, _ := strings.Cut(text, "?")
	for _, parameter := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		switch name, value, _ := strings.Cut(parameter, "="); {
		case name != "transport" || value == "plain" || value == "":
		case value == "ssl":
			return Address{}, boxerr.New(boxerr.Unsupported, "Listening", "the transport 'ssl'")
		default:
			return Address{}, boxerr.Illegal("Invalid transport: %s", value)
		}
	}
	rest = strings.TrimPrefix(rest, "tcp://")
	if path, isUnix := strings.CutPrefix(rest, "unix/:"); isUnix && path != "" {
		return Address{"unix", path}, nil
	}
	if strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "./") {
		return Address{"unix", rest}, nil
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		return ParseAddress(rest[at+1:])
	}
	if isPort(rest) {
		return Address{"tcp", ":" + rest}, nil
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil || !isPort(port) {
		return Address{}, boxerr.Illegal("Incorrect URI: expected host:service or /unix.socket")
	}
	if host == "*" {
		host = ""
	}
	return Address{"tcp", net.JoinHostPort(host, port)}, nil
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// String returns the address in the form that ParseAddress reads.
func (a Address) String() string {
	if a.Network == "unix" {
		return "unix/:" + a.Text
	}
	return a.Text
}

// anyPort tells whether the system is to choose the port.
func (a Address) anyPort() bool { return a.Network == "tcp" && strings.HasSuffix(a.Text, ":0") }

// peerName is how box.session.peer() names the other side.
func peerName(nc net.Conn) string {
	address := nc.RemoteAddr()
	if address == nil {
		return ""
	}
	if address.Network() == "unix" {
		return "unix/:(socket)"
	}
	return address.String()
}
