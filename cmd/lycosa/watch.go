//go:build cgo

package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lycosadb/lycosa/lua"
)

// pollInterval is how often --watch looks at the files.
const pollInterval = 300 * time.Millisecond

// runScript runs the script of the command line, which can be loaded anew afterwards. false: it has failed, and the
// process ends.
func (p *process) runScript(c command) bool {
	p.db.Box.Cord.Lock()
	script := p.state.NewScript(c.script, c.args)
	done := make(chan error, 1)
	err := script.Load(func(_ lua.Changes, err error) { done <- err })
	p.db.Box.Cord.Unlock()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	go p.watch(script, c.watch, signals)
	if err == nil {
		err = <-done
	}
	if err != nil {
		p.fatal(err)
		return false
	}
	return true
}

// watch loads the script anew when it, or a module that it requires, has changed: at SIGHUP, which also opens the log
// anew, and when poll is set at any time.
func (p *process) watch(script *lua.Script, poll bool, signals <-chan os.Signal) {
	var ticks <-chan time.Time
	if poll {
		ticker := time.NewTicker(pollInterval)
		defer ticker.Stop()
		ticks = ticker.C
	}
	ended := make(chan struct{}, 1)
	loading, wanted := false, false
	for {
		select {
		case <-signals:
			if err := p.log.Rotate(); err != nil {
				slog.New(p.log.Handler()).Error("the log could not be opened anew", "error", err)
			}
			wanted = true
		case <-ticks:
			wanted = true
		case <-ended:
			loading = false
		}
		if wanted && !loading {
			wanted = false
			if script.Changed() {
				loading = p.reload(script, func() { ended <- struct{}{} })
			}
		}
	}
}

// reload loads the script anew and says in the log how that went. It returns false when nothing was begun; otherwise it
// calls ended.
func (p *process) reload(script *lua.Script, ended func()) bool {
	log := slog.New(p.log.Handler())
	p.db.Box.Cord.Lock()
	defer p.db.Box.Cord.Unlock()
	if !script.Loaded() {
		return false // the first load goes on
	}
	err := script.Load(func(c lua.Changes, err error) {
		p.state.FlushOutput()
		if err != nil {
			log.Error(script.Path() + " could not be loaded anew, nothing has changed: " + lua.Describe(err))
		} else {
			log.Info(script.Path()+" was loaded anew", "handlers", c.Set, "deleted", c.Deleted)
		}
		ended()
	})
	if err != nil {
		log.Error(script.Path() + " could not be loaded anew, nothing has changed: " + lua.Describe(err))
		return false
	}
	return true
}
