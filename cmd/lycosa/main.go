//go:build cgo

// Command lycosa runs a Lua script on a database with its server, as `tarantool script.lua` does, or a console.
//
//	lycosa [options] [script.lua [arguments]]
//	lycosa cat [options] FILE...
//	lycosa check DIR...
//
// Without a script it is a console. See usage for the options.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
)

const usage = `Usage: lycosa [options] [script.lua [arguments]]
       lycosa cat [options] FILE...    print the rows of journals and checkpoints
       lycosa check DIR...             say what is in data directories, and what is wrong with them

  -e CODE      run Lua code
  -l NAME      require a module before anything else
  --watch      load the script anew when it or a module of it has changed, as SIGHUP does
  --pprof ADDR serve profiles of the process over HTTP at ADDR
  -i           a console after the script or the code
  -v           print the version
  -h           print this

Without a script and without -e: a console, or a script from standard input when that is no terminal.
`

// action is one -e or -l, in the order of the command line.
type action struct {
	code   string // Lua
	module string // for -l
}

// command is what the command line asks for.
type command struct {
	actions     []action
	interactive bool
	watch       bool   // load the script anew when its files change
	pprof       string // address of the HTTP server of profiles, empty for none
	script      string // empty for none, "-" for standard input
	args        []string
}

func main() {
	if code, found := runSubcommand(os.Args[1:]); found {
		os.Exit(code)
	}
	c, done, code := parse(os.Args[1:])
	if done {
		os.Exit(code)
	}
	os.Exit(run(c))
}

// parse reads the command line. done is true when everything is said already.
func parse(args []string) (c command, done bool, code int) {
	value := func(name string) (string, bool) {
		if len(args) == 0 {
			fmt.Fprintf(os.Stderr, "lycosa: option %s needs a value\n%s", name, usage)
			return "", false
		}
		v := args[0]
		args = args[1:]
		return v, true
	}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "-" {
		name := args[0]
		args = args[1:]
		switch name {
		case "-v", "-V", "--version":
			fmt.Printf("Lycosa %s\nCompatible with Tarantool %s\n", lycosa.Version, box.CompatibleVersion)
			return c, true, 0
		case "-h", "--help":
			fmt.Print(usage)
			return c, true, 0
		case "-i":
			c.interactive = true
		case "--watch":
			c.watch = true
		case "--pprof":
			v, ok := value(name)
			if !ok {
				return c, true, 1
			}
			c.pprof = v
		case "-e", "-l":
			v, ok := value(name)
			if !ok {
				return c, true, 1
			}
			if name == "-e" {
				c.actions = append(c.actions, action{code: v})
			} else {
				c.actions = append(c.actions, action{module: v})
			}
		case "--":
			goto script
		default:
			fmt.Fprintf(os.Stderr, "lycosa: unknown option %s\n%s", name, usage)
			return c, true, 1
		}
	}
script:
	if len(args) > 0 {
		c.script, c.args = args[0], args[1:]
	}
	return c, false, 0
}
