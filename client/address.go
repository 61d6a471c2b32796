package client

import (
	"net"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
)

// DefaultPort is the port of an address that has none.
const DefaultPort = "3301"

// Address is where a server is, and who to be there.
type Address struct {
	// Host is a name or an IP address, "" for this machine. It is "unix/" for a unix socket.
	Host string
	// Service is a port or its name, or the path of a unix socket.
	Service string
	// User and Password are empty when the address has none.
	User, Password string
}

// unixHost is the host of unix sockets.
const unixHost = "unix/"

// ParseAddress reads an address in one of the forms of the ecosystem: "3301", "host", "host:3301", "[::1]:3301",
// "unix/:/path", "/path" and "./path", each with "tcp://" and "user:password@" before it and parameters behind it
// ("?transport=plain"). The error is an IllegalParams, or UNSUPPORTED for a transport other than the plain one.
func ParseAddress(text string) (Address, error) {
	rest, query, _ := strings.Cut(text, "?")
	for _, parameter := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		if name, value, _ := strings.Cut(parameter, "="); name == "transport" && value != "plain" && value != "" {
			return Address{}, boxerr.New(boxerr.Unsupported, "Connecting", "the transport '"+value+"'")
		}
	}
	var a Address
	rest = strings.TrimPrefix(rest, "tcp://")
	if at := strings.IndexByte(rest, '@'); at >= 0 && strings.IndexByte(rest[:at], '/') < 0 {
		a.User, a.Password, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
	}
	if path, isUnix := strings.CutPrefix(rest, unixHost+":"); isUnix {
		a.Host, a.Service = unixHost, path
	} else if strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "./") || strings.HasPrefix(rest, "../") {
		a.Host, a.Service = unixHost, rest
	} else if _, err := strconv.ParseUint(rest, 10, 16); err == nil {
		a.Service = rest
	} else if host, port, err := net.SplitHostPort(rest); err == nil {
		a.Host, a.Service = host, port
	} else {
		a.Host, a.Service = strings.Trim(rest, "[]"), DefaultPort
		if strings.IndexByte(a.Host, ':') >= 0 && net.ParseIP(a.Host) == nil {
			return Address{}, boxerr.Illegal("Incorrect URI: expected host:service or /unix.socket")
		}
	}
	if a.Service == "" || a.Host == "" && rest == "" {
		return Address{}, boxerr.Illegal("Incorrect URI: expected host:service or /unix.socket")
	}
	return a, nil
}

// Network is "tcp" or "unix".
func (a Address) Network() string {
	if a.Host == unixHost {
		return "unix"
	}
	return "tcp"
}

// dialText is what net.Dialer wants.
func (a Address) dialText() string {
	switch a.Host {
	case unixHost:
		return a.Service
	case "", "*":
		return net.JoinHostPort("localhost", a.Service)
	}
	return net.JoinHostPort(a.Host, a.Service)
}

// String returns the address without user and password.
func (a Address) String() string {
	if a.Host == unixHost {
		return unixHost + ":" + a.Service
	}
	return net.JoinHostPort(a.Host, a.Service)
}
