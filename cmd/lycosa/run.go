//go:build cgo

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/lua"
	"github.com/lycosadb/lycosa/say"
)

// shutdownTime is how long connections get to end what they are at.
const shutdownTime = 3 * time.Second

// process is one run of the program.
type process struct {
	db    *lycosa.DB
	state *lua.State
	log   *say.Log

	once sync.Once
	exit chan int // the exit code, once somebody has asked for the end
}

// run does what the command line asks for and returns the exit code.
func run(c command) int {
	if c.pprof != "" {
		if err := serveProfiles(c.pprof); err != nil {
			fmt.Fprintln(os.Stderr, "lycosa: --pprof:", err)
			return 1
		}
	}
	p := &process{log: say.New(os.Stderr), exit: make(chan int, 1)}
	logger := slog.New(p.log.Handler())
	db, err := lycosa.Open(lycosa.Options{Unconfigured: true, Log: logger})
	if err != nil {
		fmt.Fprintln(os.Stderr, "lycosa:", err)
		return 1
	}
	p.db = db
	args := append([]string{c.script}, c.args...)
	if c.script == "" {
		args = []string{os.Args[0]}
	}
	db.Box.Cord.Lock()
	startConsole := func(done func()) {
		go func() {
			p.console()
			done()
		}()
	}
	p.state, err = lua.New(db.Box, lua.Options{
		Args: args, Exit: p.end, Log: logger, Lines: p.log, Server: db.Server, Console: startConsole,
	})
	if err == nil {
		err = p.state.SetArg(os.Args[0], args)
	}
	db.Box.Cord.Unlock()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lycosa:", err)
		return 1
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for range signals {
			p.shutdown()
		}
	}()
	go p.main(c)
	code := <-p.exit
	p.close()
	return code
}

// end asks for the end of the process. It is called by Lua, under the cord's lock, and waits for nothing.
func (p *process) end(code int) {
	p.once.Do(func() { p.exit <- code & 0xff })
}

// shutdown ends the process as os.exit(0) does: triggers of shutdown run first.
func (p *process) shutdown() {
	p.db.Box.Cord.Post(func() { p.state.Shutdown(0) })
}

// main runs the actions, the script and the console, in a goroutine of its own.
func (p *process) main(c command) {
	for _, a := range c.actions {
		text := a.code
		name := "=-e"
		if a.module != "" {
			text, name = fmt.Sprintf("%s = require(%q)", a.module, a.module), "=-l"
		}
		if !p.runChunk([]byte(text), name, nil) {
			return
		}
	}
	switch {
	case c.script == "-" || c.script == "" && len(c.actions) == 0 && !c.interactive && !term.IsTerminal(int(os.Stdin.Fd())):
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			p.fatal(err)
			return
		}
		if !p.runChunk(text, "=stdin", c.args) {
			return
		}
	case c.script != "":
		if !p.runScript(c) {
			return
		}
	}
	if c.interactive || c.script == "" && len(c.actions) == 0 && term.IsTerminal(int(os.Stdin.Fd())) {
		p.console()
		p.shutdown()
		return
	}
	p.awaitIdle()
}

// runChunk runs a chunk in a fiber and waits for its end. false: it has failed, and the process ends.
func (p *process) runChunk(text []byte, name string, args []string) bool {
	done := make(chan error, 1)
	p.db.Box.Cord.Lock()
	err := p.state.Run(text, name, args, func(_ []byte, _ int, err error) { done <- err })
	p.db.Box.Cord.Unlock()
	if err == nil {
		err = <-done
	}
	if err != nil {
		p.fatal(err)
		return false
	}
	return true
}

// fatal reports the error that ends the process.
func (p *process) fatal(err error) {
	fmt.Fprintln(os.Stderr, lua.Describe(err))
	slog.New(p.log.Handler()).Log(context.Background(), say.LevelFatal, "fatal error, exiting the event loop")
	p.db.Box.Cord.Lock()
	p.state.Shutdown(1)
	p.db.Box.Cord.Unlock()
}

// awaitIdle ends the process when there is nothing left to do: no configured database and no fiber.
func (p *process) awaitIdle() {
	p.db.Box.Cord.Lock()
	defer p.db.Box.Cord.Unlock()
	p.state.WhenIdle(func() { p.state.Shutdown(0) })
}

// close lets clients and log end.
func (p *process) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := p.db.Close(ctx); err != nil {
		slog.New(p.log.Handler()).Warn("shutdown", "error", err)
	}
	p.state.FlushOutput()
	p.log.Close()
}
