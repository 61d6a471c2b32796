// Package say writes the log: a slog.Handler with the reference's lines and levels, whose level, form and destination can
// be changed while it is in use, as box.cfg's log, log_level and log_format ask for.
//
// Log is the main type. A plain line is
//
//	2026-01-31 23:59:59.999 [PID] main/FIBER/NAME SOURCE LEVEL> MESSAGE key=value ...
//
// and a JSON line an object with time, level, message, pid and whatever the record carries.
package say

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Levels of the reference that slog does not have, among those it has.
const (
	LevelFatal   = slog.Level(16)
	LevelSyserr  = slog.Level(14)
	LevelCrit    = slog.Level(12)
	LevelVerbose = slog.Level(-2)
)

// level is one level of the reference.
type level struct {
	number int
	name   string // in box.cfg{log_level = ...} and in JSON lines
	letter byte   // in plain lines
	slog   slog.Level
}

var levels = []level{
	{0, "fatal", 'F', LevelFatal},
	{1, "syserror", '!', LevelSyserr},
	{2, "error", 'E', slog.LevelError},
	{3, "crit", 'C', LevelCrit},
	{4, "warn", 'W', slog.LevelWarn},
	{5, "info", 'I', slog.LevelInfo},
	{6, "verbose", 'V', LevelVerbose},
	{7, "debug", 'D', slog.LevelDebug},
}

// LevelByName finds a level of box.cfg: its name, or its number as text. ok is false for what is none.
func LevelByName(text string) (l slog.Level, ok bool) {
	for _, x := range levels {
		if x.name == text || strconv.Itoa(x.number) == text {
			return x.slog, true
		}
	}
	return 0, false
}

// ByLetter finds a level by the letter of plain lines; information for an unknown one.
func ByLetter(letter byte) slog.Level {
	for _, x := range levels {
		if x.letter == letter {
			return x.slog
		}
	}
	return slog.LevelInfo
}

// describe is the level of the reference that l belongs to.
func describe(l slog.Level) level {
	switch {
	case l >= LevelFatal:
		return levels[0]
	case l >= LevelSyserr:
		return levels[1]
	case l >= LevelCrit:
		return levels[3]
	case l >= slog.LevelError:
		return levels[2]
	case l >= slog.LevelWarn:
		return levels[4]
	case l >= slog.LevelInfo:
		return levels[5]
	case l >= LevelVerbose:
		return levels[6]
	}
	return levels[7]
}

// Log is where log lines go. Its Handler may be used by any number of goroutines while it is changed.
type Log struct {
	level slog.LevelVar

	mu   sync.Mutex // guards the fields below and the writes
	out  io.Writer
	stop func()
	json bool
	path string // of the file that Open opened, empty for anything else
	buf  []byte
}

// New returns a log that writes plain lines of information and above to w.
func New(w io.Writer) *Log { return &Log{out: w} }

// SetLevel sets the least level that is written.
func (l *Log) SetLevel(v slog.Level) { l.level.Set(v) }

// SetJSON chooses between JSON and plain lines.
func (l *Log) SetJSON(on bool) {
	l.mu.Lock()
	l.json = on
	l.mu.Unlock()
}

// JSON says whether the lines are JSON.
func (l *Log) JSON() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.json
}

// Rotate opens the file again that Open opened, because it may have been moved away.
func (l *Log) Rotate() error {
	l.mu.Lock()
	path := l.path
	l.mu.Unlock()
	if path == "" {
		return nil
	}
	return l.Open(path)
}

// Open makes the log go to a destination as box.cfg{log = ...} names it: a file's path (with or without "file:"), or
// "pipe:COMMAND" or "|COMMAND" for the standard input of a shell command. What was the destination is closed.
func (l *Log) Open(destination string) error {
	command, piped := strings.CutPrefix(destination, "pipe:")
	if !piped {
		command, piped = strings.CutPrefix(destination, "|")
	}
	var w io.Writer
	var stop func()
	path := ""
	if piped {
		cmd := exec.Command("/bin/sh", "-c", strings.TrimSpace(command))
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		w = in
		stop = func() {
			_ = in.Close()
			_ = cmd.Wait()
		}
	} else {
		path = strings.TrimPrefix(destination, "file:")
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		w, stop = f, func() { _ = f.Close() }
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
	}
	l.out, l.stop, l.path = w, stop, path
	return nil
}

// Close closes the destination that Open opened; later lines go to standard error.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
	}
	l.out, l.stop, l.path = os.Stderr, nil, ""
}

// Handler returns the log as a slog.Handler.
func (l *Log) Handler() slog.Handler { return &handler{log: l} }

// Keys of attributes that have a place of their own in a plain line.
const (
	KeyFiber  = "fiber" // "main/ID/NAME"
	KeySource = "source"
)

type handler struct {
	log   *Log
	attrs []slog.Attr
	group string
}

func (h *handler) Enabled(_ context.Context, v slog.Level) bool { return v >= h.log.level.Level() }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.group += name + "."
	return &c
}

// Handle writes one record as one line.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	l := h.log
	l.mu.Lock()
	defer l.mu.Unlock()
	fiber, source := "main", ""
	rest := make([]slog.Attr, 0, len(h.attrs)+r.NumAttrs())
	take := func(a slog.Attr) bool {
		switch a.Key {
		case KeyFiber:
			fiber = a.Value.String()
		case KeySource:
			source = a.Value.String()
		default:
			rest = append(rest, a)
		}
		return true
	}
	for _, a := range h.attrs {
		take(a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		return take(a)
	})
	if l.json {
		l.buf = appendJSON(l.buf[:0], r, fiber, source, rest)
	} else {
		l.buf = appendPlain(l.buf[:0], r, fiber, source, rest)
	}
	_, err := l.out.Write(l.buf)
	return err
}

func appendPlain(b []byte, r slog.Record, fiber, source string, attrs []slog.Attr) []byte {
	b = r.Time.AppendFormat(b, "2006-01-02 15:04:05.000")
	b = fmt.Appendf(b, " [%d] %s ", os.Getpid(), fiber)
	if source != "" {
		b = append(append(b, source...), ' ')
	}
	b = append(b, describe(r.Level).letter, '>', ' ')
	b = append(b, r.Message...)
	for _, a := range attrs {
		b = append(append(append(b, ' '), a.Key...), '=')
		text := a.Value.String()
		if strings.ContainsAny(text, " \t\"=") {
			text = strconv.Quote(text)
		}
		b = append(b, text...)
	}
	return append(b, '\n')
}

func appendJSON(b []byte, r slog.Record, fiber, source string, attrs []slog.Attr) []byte {
	field := func(key string, value any) {
		text, err := json.Marshal(value)
		if err != nil {
			text, _ = json.Marshal(fmt.Sprint(value))
		}
		name, _ := json.Marshal(key)
		b = append(append(append(append(b, name...), ':', ' '), text...), ',', ' ')
	}
	b = append(b, '{')
	field("time", r.Time.Format(time.RFC3339Nano))
	field("level", strings.ToUpper(describe(r.Level).name))
	if r.Message != "" {
		field("message", r.Message)
	}
	field("pid", os.Getpid())
	field("cord_name", "main")
	if fiber != "main" {
		field("fiber", fiber)
	}
	if source != "" {
		field("file", source)
	}
	for _, a := range attrs {
		if err, ok := a.Value.Any().(error); ok {
			field(a.Key, err.Error())
		} else {
			field(a.Key, a.Value.Any())
		}
	}
	return append(b[:len(b)-2], '}', '\n')
}
