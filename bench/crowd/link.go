package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// link is a connection that holds little: there are many of them.
type link struct {
	net.Conn
	buf  []byte
	r, w int
}

const smallBuffer = 1 << 10

// dial connects and reads the greeting.
func dial(socket string) (*link, error) {
	nc, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	l := &link{Conn: nc, buf: make([]byte, smallBuffer)}
	for l.w < iproto.GreetingSize {
		n, err := nc.Read(l.buf[l.w:])
		if err != nil {
			_ = nc.Close()
			return nil, fmt.Errorf("greeting: %w", err)
		}
		l.w += n
	}
	l.r, l.w = 0, 0
	return l, nil
}

// dialMany connects so many times. The connections are there when there is an error, too.
func dialMany(socket string, n int) (links, error) {
	list := make(links, 0, n)
	for range n {
		l, err := dial(socket)
		if err != nil {
			return list, fmt.Errorf("connection %d: %w", len(list)+1, err)
		}
		list = append(list, l)
	}
	return list, nil
}

type links []*link

func (list links) close() {
	for _, l := range list {
		_ = l.Close()
	}
}

// receive reads one packet, whose bytes are valid until the next one.
func (l *link) receive() ([]byte, error) {
	for {
		if l.w-l.r >= iproto.LengthSize {
			size := int(binary.BigEndian.Uint32(l.buf[l.r+1:]))
			if end := l.r + iproto.LengthSize + size; end <= l.w {
				packet := l.buf[l.r+iproto.LengthSize : end]
				l.r = end
				return packet, nil
			} else if size > len(l.buf) {
				l.buf = append(make([]byte, 0, 2*size), l.buf...)[:2*size]
			}
		}
		l.w = copy(l.buf, l.buf[l.r:l.w])
		l.r = 0
		n, err := l.Read(l.buf[l.w:])
		if err != nil {
			return nil, err
		}
		l.w += n
	}
}

// ask sends packets and waits for as many answers, none of which may be an error.
func (l *link) ask(packets []byte, answers int) error {
	if _, err := l.Write(packets); err != nil {
		return err
	}
	for range answers {
		packet, err := l.receive()
		if err != nil {
			return err
		}
		var h iproto.Header
		if _, ok := iproto.DecodeHeader(packet, &h); !ok || h.Type >= iproto.TypeError {
			return fmt.Errorf("answered with %.200q", packet)
		}
	}
	return nil
}

// selectByKey is a request for a row.
func selectByKey(key uint64) []byte {
	body := msgpack.AppendMapHeader(nil, 3)
	body = append(body, byte(iproto.KeySpaceID))
	body = append(msgpack.AppendUint(body, 512), byte(iproto.KeyLimit))
	body = append(msgpack.AppendUint(body, 1), byte(iproto.KeyKey))
	body = msgpack.AppendUint(msgpack.AppendArrayHeader(body, 1), key)
	return peer.AppendRequest(nil, iproto.TypeSelect, key, 0, body)
}

// repeat puts so many copies of a packet behind one another.
func repeat(packet []byte, n int) []byte {
	var all []byte
	for range n {
		all = append(all, packet...)
	}
	return all
}

// load is what clients have got from a server.
type load struct {
	answers int
	waits   []time.Duration // of each burst of requests
	took    time.Duration
}

// drive has every link send bursts of a packet, each when the last one has been answered, for the time of a measurement.
func drive(list links, packet []byte, burst int) (load, error) {
	packets := repeat(packet, burst)
	var (
		all   load
		mu    sync.Mutex // guards all and first
		first error
		done  sync.WaitGroup
	)
	began := time.Now()
	for _, l := range list {
		done.Go(func() {
			var waits []time.Duration
			var err error
			for err == nil && time.Since(began) < measured {
				sent := time.Now()
				if err = l.ask(packets, burst); err == nil {
					waits = append(waits, time.Since(sent))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.answers += len(waits) * burst
			all.waits = append(all.waits, waits...)
			if first == nil {
				first = err
			}
		})
	}
	done.Wait()
	all.took = time.Since(began)
	return all, first
}

// rate is the number of answers a second.
func (l load) rate() float64 { return float64(l.answers) / l.took.Seconds() }
