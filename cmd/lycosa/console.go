//go:build cgo

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/peterh/liner"
	"golang.org/x/term"
)

const (
	prompt         = "lycosa> "
	promptContinue = "      > "
	historyFile    = ".lycosa_history"
)

// lineReader reads lines with a prompt.
type lineReader interface {
	Prompt(prompt string) (string, error)
}

// console reads Lua from the terminal, runs it, and prints what comes back, until the end of the input.
func (p *process) console() {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		p.converse(&plainReader{bufio.NewReader(os.Stdin)}, func(string) {})
		return
	}
	fmt.Printf("Lycosa, compatible with Tarantool\ntype 'help' for interactive help\n")
	line := liner.NewLiner()
	defer func() { _ = line.Close() }()
	line.SetCtrlCAborts(true)
	line.SetMultiLineMode(true)
	line.SetCompleter(p.complete)
	history := ""
	if home, err := os.UserHomeDir(); err == nil {
		history = filepath.Join(home, historyFile)
		if f, err := os.Open(history); err == nil {
			_, _ = line.ReadHistory(f)
			_ = f.Close()
		}
	}
	p.converse(line, line.AppendHistory)
	if history == "" {
		return
	}
	if f, err := os.OpenFile(history, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err == nil {
		_, _ = line.WriteHistory(f)
		_ = f.Close()
	}
}

// converse reads and runs statements, each of which may take several lines.
func (p *process) converse(in lineReader, remember func(string)) {
	var text strings.Builder
	for {
		ask := prompt
		if text.Len() > 0 {
			ask = promptContinue
		}
		line, err := in.Prompt(ask)
		if errors.Is(err, liner.ErrPromptAborted) {
			text.Reset()
			continue
		}
		if err != nil {
			return
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(line)
		statement := text.String()
		if strings.TrimSpace(statement) == "" {
			text.Reset()
			continue
		}
		answer, complete := p.evaluate(statement)
		if !complete {
			continue
		}
		text.Reset()
		remember(statement)
		fmt.Print(answer)
	}
}

// evaluate runs a statement of the console. complete is false when more lines are needed.
func (p *process) evaluate(statement string) (answer string, complete bool) {
	type result struct {
		answer   string
		complete bool
	}
	done := make(chan result, 1)
	p.db.Box.Cord.Lock()
	p.state.Evaluate(statement, func(answer string, complete bool) {
		p.state.FlushOutput()
		done <- result{answer, complete}
	})
	p.db.Box.Cord.Unlock()
	r := <-done
	return r.answer, r.complete
}

// complete lists what the word at the end of a line can become.
func (p *process) complete(line string) []string {
	p.db.Box.Cord.Lock()
	defer p.db.Box.Cord.Unlock()
	return p.state.Complete(line)
}

// plainReader reads lines from what is no terminal.
type plainReader struct{ r *bufio.Reader }

// Prompt reads a line; nothing is printed.
func (p *plainReader) Prompt(string) (string, error) {
	line, err := p.r.ReadString('\n')
	if err == io.EOF && line != "" {
		return line, nil
	}
	return strings.TrimSuffix(line, "\n"), err
}
