package conformance

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/iproto"
)

// A .wire case is a setup in Lua and, below this line, steps.
const (
	stepsMark = "\n===\n"
	setupMark = "--- lua\n"
	afterMark = "--- after\n"
	readyLine = "ready\n"
)

// setupScript makes the server's script of a case's head.
func setupScript(head, socket, log string) string {
	setup := ""
	if _, text, ok := strings.Cut(head, setupMark); ok {
		setup = text
	}
	before := ""
	if a, b, ok := strings.Cut(setup, afterMark); ok {
		before, setup = a, b
	}
	grant := "box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})"
	if strings.Contains(head, "-- noguest") {
		grant = ""
	}
	return fmt.Sprintf("%sbox.cfg{listen = %q, log = %q, wal_mode = 'write'}\n%s\n%s\nio.stdout:write('ready\\n') io.stdout:flush()\n",
		before, socket, log, grant, setup)
}

// runWire starts the server with the case's setup and plays the steps; every answer must be as recorded.
func (r *Runner) runWire(path, dir string) (diff string, err error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	head, steps, ok := strings.Cut(string(source), stepsMark)
	if !ok {
		return "", fmt.Errorf("%s has no line === before its steps", path)
	}
	socket, log := filepath.Join(dir, "s.sock"), filepath.Join(dir, "server.log")
	script := filepath.Join(dir, "init.lua")
	if err := os.WriteFile(script, []byte(setupScript(head, socket, log)), 0o644); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	cmd := r.command(ctx, dir, script)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if !awaitReady(stdout) {
		text, _ := os.ReadFile(log)
		_ = cmd.Wait()
		return "the server was not ready:\n" + lastLines(stderr.String()+string(text), 8), nil
	}
	p := &player{runner: r, socket: socket, clients: map[string]*client{}}
	defer p.close()
	var got []string
	for _, line := range strings.Split(steps, "\n") {
		answer, err := p.play(line)
		if err != nil {
			return "", fmt.Errorf("%s: %s: %w", path, line, err)
		}
		got = append(got, answer)
	}
	return difference(steps, strings.Join(got, "\n")), nil
}

// awaitReady waits until the setup has run; what comes after is read and dropped.
func awaitReady(stdout io.Reader) bool {
	b := bufio.NewReader(stdout)
	for {
		line, err := b.ReadString('\n')
		if line == readyLine {
			go func() { _, _ = io.Copy(io.Discard, b) }()
			return true
		}
		if err != nil {
			return false
		}
	}
}

// player plays steps on named connections.
type player struct {
	runner  *Runner
	socket  string
	clients map[string]*client
}

// client is one connection.
type client struct {
	net.Conn
	in       *bufio.Reader
	greeting *iproto.Greeting
}

func (p *player) close() {
	for _, c := range p.clients {
		_ = c.Close()
	}
}

// client returns the connection of that name, opening it when there is none.
func (p *player) client(name string) (*client, error) {
	if c := p.clients[name]; c != nil {
		return c, nil
	}
	conn, err := net.Dial("unix", p.socket)
	if err != nil {
		return nil, err
	}
	c := &client{Conn: conn, in: bufio.NewReaderSize(conn, 1<<16)}
	if err := conn.SetReadDeadline(time.Now().Add(p.runner.Patience)); err != nil {
		return nil, err
	}
	text := make([]byte, iproto.GreetingSize)
	if _, err := io.ReadFull(c.in, text); err != nil {
		return nil, fmt.Errorf("greeting: %w", err)
	}
	if c.greeting, err = iproto.DecodeGreeting(text); err != nil {
		return nil, err
	}
	p.clients[name] = c
	return c, nil
}

// play plays a step and returns its line as it should stand in the case.
func (p *player) play(line string) (string, error) {
	step, name, prefix := strings.TrimSpace(line), "a", ""
	if rest, ok := strings.CutPrefix(step, "@"); ok {
		name, step, _ = strings.Cut(rest, " ")
		step = strings.TrimSpace(step)
		if name != "a" {
			prefix = "@" + name + " "
		}
	}
	verb, rest, _ := strings.Cut(step, " ")
	switch {
	case step == "" || strings.HasPrefix(step, "#"):
		return line, nil
	case verb == "sleep":
		d, err := time.ParseDuration(strings.TrimSpace(rest))
		if err != nil {
			return "", err
		}
		time.Sleep(d)
		return line, nil
	}
	c, err := p.client(name)
	if err != nil {
		return "", err
	}
	switch verb {
	case "open":
		return line, nil
	case "close":
		delete(p.clients, name)
		return line, c.Close()
	case "<":
		patience := p.runner.Patience
		if strings.TrimSpace(rest) == "nothing" {
			patience = p.runner.Silence
		}
		answer, err := c.receive(patience)
		return prefix + "< " + answer, err
	}
	packet, err := c.packet(verb, rest)
	if err != nil {
		return "", err
	}
	// A server that has closed the connection is seen by the next step that reads.
	_, _ = c.Write(packet)
	return line, nil
}

// packet makes what a sending step sends.
func (c *client) packet(verb, text string) ([]byte, error) {
	switch verb {
	case "raw>":
		return hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
	case ">":
		payload, err := ParseValues(text)
		if err != nil {
			return nil, err
		}
		return append(binary.BigEndian.AppendUint32([]byte{0xce}, uint32(len(payload))), payload...), nil
	case "auth>":
		f := strings.Fields(text)
		if len(f) != 3 {
			return nil, errors.New("auth> wants a user, a password and a sync")
		}
		sync, err := strconv.ParseUint(f[2], 10, 64)
		if err != nil {
			return nil, err
		}
		return authPacket(c.greeting.Salt, f[0], f[1], sync), nil
	}
	return nil, fmt.Errorf("unknown step %q", verb)
}

// maxAnswer bounds the size of an answer that is read.
const maxAnswer = 1 << 26

// receive prints the next answer: a packet, "closed" when the server has closed, "nothing" when none came in time.
func (c *client) receive(patience time.Duration) (string, error) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	payload, err := c.readPacket()
	var timeout net.Error
	switch {
	case err == nil:
		return FormatPacket(payload), nil
	case errors.As(err, &timeout) && timeout.Timeout():
		return "nothing", nil
	}
	return "closed", nil
}

func (c *client) readPacket() ([]byte, error) {
	first, err := c.in.ReadByte()
	if err != nil {
		return nil, err
	}
	size := uint64(first)
	if width := map[byte]int{0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8}[first]; width > 0 {
		var b [8]byte
		if _, err := io.ReadFull(c.in, b[8-width:]); err != nil {
			return nil, err
		}
		size = binary.BigEndian.Uint64(b[:])
	}
	if size > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes", size)
	}
	payload := make([]byte, size)
	_, err = io.ReadFull(c.in, payload)
	return payload, err
}
