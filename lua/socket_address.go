//go:build cgo

package lua

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// unixHost is the host of addresses whose port is the path of a socket.
const unixHost = "unix/"

// socketConstants are the numbers that programs name.
var socketConstants = map[string]any{
	"domain": map[string]any{
		"AF_UNSPEC": unix.AF_UNSPEC, "AF_UNIX": unix.AF_UNIX, "AF_LOCAL": unix.AF_UNIX, "AF_INET": unix.AF_INET,
		"AF_INET6": unix.AF_INET6, "PF_UNIX": unix.AF_UNIX, "PF_LOCAL": unix.AF_UNIX, "PF_INET": unix.AF_INET,
		"PF_INET6": unix.AF_INET6,
	},
	"type": map[string]any{
		"SOCK_STREAM": unix.SOCK_STREAM, "SOCK_DGRAM": unix.SOCK_DGRAM, "SOCK_RAW": unix.SOCK_RAW,
		"SOCK_SEQPACKET": unix.SOCK_SEQPACKET,
	},
	"protocol": map[string]any{
		"ip": unix.IPPROTO_IP, "icmp": unix.IPPROTO_ICMP, "tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP,
		"ipv6": unix.IPPROTO_IPV6,
	},
	"flag": map[string]any{
		"MSG_OOB": unix.MSG_OOB, "MSG_PEEK": unix.MSG_PEEK, "MSG_DONTROUTE": unix.MSG_DONTROUTE,
		"MSG_TRUNC": unix.MSG_TRUNC, "MSG_DONTWAIT": unix.MSG_DONTWAIT, "MSG_WAITALL": unix.MSG_WAITALL,
		"MSG_NOSIGNAL": unix.MSG_NOSIGNAL, "MSG_MORE": unix.MSG_MORE,
	},
	"level": map[string]any{
		"SOL_SOCKET": unix.SOL_SOCKET, "SOL_TCP": unix.IPPROTO_TCP, "SOL_UDP": unix.IPPROTO_UDP, "SOL_IP": unix.IPPROTO_IP,
		"SOL_IPV6": unix.IPPROTO_IPV6,
	},
	"option": map[string]any{
		"SO_ACCEPTCONN": unix.SO_ACCEPTCONN, "SO_BROADCAST": unix.SO_BROADCAST, "SO_DEBUG": unix.SO_DEBUG,
		"SO_DOMAIN": unix.SO_DOMAIN, "SO_DONTROUTE": unix.SO_DONTROUTE, "SO_ERROR": unix.SO_ERROR,
		"SO_KEEPALIVE": unix.SO_KEEPALIVE, "SO_LINGER": unix.SO_LINGER, "SO_OOBINLINE": unix.SO_OOBINLINE,
		"SO_PRIORITY": unix.SO_PRIORITY, "SO_PROTOCOL": unix.SO_PROTOCOL, "SO_RCVBUF": unix.SO_RCVBUF,
		"SO_RCVLOWAT": unix.SO_RCVLOWAT, "SO_REUSEADDR": unix.SO_REUSEADDR, "SO_REUSEPORT": unix.SO_REUSEPORT,
		"SO_SNDBUF": unix.SO_SNDBUF, "SO_SNDLOWAT": unix.SO_SNDLOWAT, "SO_TYPE": unix.SO_TYPE,
		"TCP_NODELAY": unix.TCP_NODELAY, "TCP_KEEPCNT": unix.TCP_KEEPCNT, "TCP_KEEPIDLE": unix.TCP_KEEPIDLE,
		"TCP_KEEPINTVL": unix.TCP_KEEPINTVL, "TCP_MAXSEG": unix.TCP_MAXSEG, "TCP_CORK": unix.TCP_CORK,
		"TCP_DEFER_ACCEPT": unix.TCP_DEFER_ACCEPT, "TCP_QUICKACK": unix.TCP_QUICKACK,
	},
}

// addressOf reads a host and a port, a number or its digits, or the path of a unix socket.
func addressOf(c *luajit.Call) (unix.Sockaddr, error) {
	host := c.Str()
	port := 0
	if c.Peek() == msgpack.String {
		text := c.Str()
		if host == unixHost {
			return &unix.SockaddrUnix{Name: text}, nil
		}
		var err error
		if port, err = strconv.Atoi(text); err != nil {
			return nil, unix.EINVAL
		}
	} else {
		port = int(c.Int())
	}
	if port < 0 || port > 65535 {
		return nil, unix.EINVAL
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return nil, unix.EINVAL
	case ip.Is4():
		return &unix.SockaddrInet4{Port: port, Addr: ip.As4()}, nil
	}
	a := &unix.SockaddrInet6{Port: port, Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		if i, err := net.InterfaceByName(zone); err == nil {
			a.ZoneId = uint32(i.Index)
		}
	}
	return a, nil
}

// addressTable is an address as programs see it.
func addressTable(a unix.Sockaddr) map[string]any {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return map[string]any{"host": netip.AddrFrom4(a.Addr).String(), "port": a.Port, "family": "AF_INET"}
	case *unix.SockaddrInet6:
		return map[string]any{"host": netip.AddrFrom16(a.Addr).String(), "port": a.Port, "family": "AF_INET6"}
	case *unix.SockaddrUnix:
		return map[string]any{"host": unixHost, "port": a.Name, "family": "AF_UNIX"}
	}
	return map[string]any{}
}

// pushAddress returns one of a socket's addresses with the socket's type and protocol.
func pushAddress(c *luajit.Call, get func(fd int) (unix.Sockaddr, error)) error {
	fd := int(c.Int())
	a, err := get(fd)
	if err != nil {
		return pushErrno(c, err)
	}
	t := addressTable(a)
	kind, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	switch kind {
	case unix.SOCK_STREAM:
		t["type"] = "SOCK_STREAM"
	case unix.SOCK_DGRAM:
		t["type"] = "SOCK_DGRAM"
	case unix.SOCK_RAW:
		t["type"] = "SOCK_RAW"
	}
	protocol, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	t["protocol"] = protocolNames[protocol]
	return c.Push(t)
}

var protocolNames = map[int]string{
	unix.IPPROTO_IP: "ip", unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_ICMP: "icmp",
	unix.IPPROTO_ICMPV6: "ipv6-icmp",
}

// kindsOfAddress are the types of sockets that an address is good for, if none is asked for.
var kindsOfAddress = []struct{ kind, protocol string }{{"SOCK_STREAM", "tcp"}, {"SOCK_DGRAM", "udp"}, {"SOCK_RAW", "ip"}}

// resolve is resolve(host, port, family, type, protocol, numeric only, timeout): a list of addresses, or nil and what is
// wrong.
func (t *sockets) resolve(c *luajit.Call) error {
	host, service := c.Str(), c.Str()
	family, kind, protocol, numeric := c.Str(), c.Str(), c.Str(), c.Bool()
	d := seconds(c)
	return t.background(c, func() (any, error) {
		ctx := context.Background()
		if d >= 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, max(d, time.Millisecond))
			defer cancel()
		}
		list, err := lookup(ctx, host, service, family, kind, protocol, numeric)
		if err != nil {
			return results{nil, err.Error()}, nil
		}
		return list, nil
	})
}

func lookup(ctx context.Context, host, service, family, kind, protocol string, numeric bool) ([]any, error) {
	network := "ip"
	switch family {
	case "AF_INET":
		network = "ip4"
	case "AF_INET6":
		network = "ip6"
	}
	var ips []netip.Addr
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = []netip.Addr{ip}
	} else if host == "" {
		ips = []netip.Addr{netip.IPv4Unspecified()}
	} else if numeric {
		return nil, &net.DNSError{Err: "Name or service not known", Name: host}
	} else if ips, err = net.DefaultResolver.LookupNetIP(ctx, network, host); err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, ip := range ips {
		ip = ip.Unmap()
		own := "AF_INET"
		if ip.Is6() {
			own = "AF_INET6"
		}
		if family != "" && family != "AF_UNSPEC" && family != own {
			continue
		}
		for _, k := range kindsOfAddress {
			if kind != "" && kind != k.kind || protocol != "" && protocol != k.protocol {
				continue
			}
			list = append(list, map[string]any{
				"host": ip.String(), "port": port, "family": own, "type": k.kind, "protocol": k.protocol,
			})
		}
	}
	return list, nil
}
