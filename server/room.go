package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Options.NetMsgMax bounds the requests that have been detached. A connection whose next request might become one more
// of them waits in Server.blocked until there is room; what its client sends meanwhile is read up to readAhead. Room goes
// to those who wait in the order in which they came, each of whom is woken alone and may use up what there is.

// readAhead is how many bytes are read while no request may run.
const readAhead = 64 << 10

// warnPause is how often the log is told at most that connections have to wait.
const warnPause = 5 * time.Second

// lacksRoom tells whether a request of the connection has to wait for room, of which each connection that was woken has
// some. The cord's lock is held.
func (c *conn) lacksRoom(r *Request) bool {
	s := c.server
	taken := s.inFlight + s.woken
	if c.woken {
		taken--
	}
	return taken >= s.netMsgMax && r.mayWait()
}

// noteRoom is called at the end of a turn, which could not go on for want of room if blocked is set. The cord's lock is
// held.
func (c *conn) noteRoom(blocked bool) {
	s := c.server
	c.resumed = false
	if c.woken {
		c.woken = false
		s.woken--
	}
	if blocked {
		c.blocked = true
		s.blocked = append(s.blocked, c)
		c.warnOfRoom()
	}
	s.unblock()
}

// warnOfRoom tells the log that the connection has to wait.
func (c *conn) warnOfRoom() {
	s := c.server
	if now := time.Now(); now.Sub(s.warned) >= warnPause {
		s.warned = now
		s.options.Log('W', fmt.Sprintf("stopping input on connection %s, net_msg_max limit is reached", socketName(c.nc, c.session.FD)))
	}
}

// socketName describes a connection in the log.
func socketName(nc net.Conn, fd int) string {
	name := fmt.Sprintf("fd %d", fd)
	if a := nc.LocalAddr(); a != nil && a.String() != "" {
		name += ", aka " + a.String()
	}
	if peer := peerName(nc); peer != "" {
		name += ", peer of " + peer
	}
	return name
}

// giveUpRoom is called when the connection has ended. The cord's lock is held.
func (c *conn) giveUpRoom() {
	s := c.server
	if c.blocked {
		c.blocked = false
		for i, x := range s.blocked {
			if x == c {
				s.blocked = append(s.blocked[:i], s.blocked[i+1:]...)
				break
			}
		}
	}
	if c.woken {
		c.woken = false
		s.woken--
		s.unblock()
	}
}

// unblock lets connections go on that are blocked, as far as there is room. The cord's lock is held.
func (s *Server) unblock() {
	for len(s.blocked) > 0 && s.inFlight+s.woken < s.netMsgMax {
		c := s.blocked[0]
		s.blocked[0] = nil
		if s.blocked = s.blocked[1:]; len(s.blocked) == 0 {
			s.blocked = nil
		}
		c.blocked, c.woken = false, true
		s.woken++
		select {
		case c.wake <- struct{}{}:
		default:
		}
		_ = c.nc.SetReadDeadline(past)
	}
}

// past is a deadline that ends a read at once.
var past = time.Unix(1, 0)

// awaitRoom waits until the connection may go on. It reads on meanwhile, so as to notice when the client leaves. It
// returns false then.
func (c *conn) awaitRoom() bool {
	c.keep = true
	for {
		select {
		case <-c.wake:
			return c.resume()
		default:
		}
		if c.w-c.r >= readAhead {
			select {
			case <-c.wake:
				return c.resume()
			case <-c.output.left:
				return false
			}
		}
		if err := c.receive(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
	}
}

// resume goes on after a wait. Room is left to others as long as the client doesn't take the answers that it has got
// meanwhile.
func (c *conn) resume() bool {
	_ = c.nc.SetReadDeadline(time.Time{})
	if !c.output.full() {
		c.resumed = true
		return true
	}
	cord := c.server.box.Cord
	cord.Lock()
	c.noteRoom(false)
	cord.Unlock()
	return c.output.await() == nil
}
