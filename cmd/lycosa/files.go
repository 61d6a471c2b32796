//go:build cgo

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// subcommands are the words that are no scripts. A script of such a name is run as ./NAME.
var subcommands = map[string]func(args []string, out, errs io.Writer) (code int){
	"cat":   catFiles,
	"check": checkDirs,
}

const catUsage = `Usage: lycosa cat [options] FILE...

Prints the rows of journals and checkpoints. Damaged parts are left out and reported; the exit code is 1 then.

  --format=FORMAT  yaml (a document a row, the default) or json (a line a row)
  --space=ID       rows of this space only; may be repeated, or a list with commas
  --replica=ID     rows that this instance has written only; likewise
  --from=LSN       rows from this lsn on
  --to=LSN         rows before this lsn
  --show-system    rows of system spaces too
`

const checkUsage = `Usage: lycosa check DIR...

Reads all journals and checkpoints of directories and says what is in them and what is wrong with them. It changes
nothing. The exit code is 1 when something is wrong.
`

// numbers is an option with a list of numbers.
type numbers []uint32

func (n *numbers) String() string { return fmt.Sprint(*n) }

func (n *numbers) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseUint(strings.TrimSpace(part), 10, 32)
		if err != nil {
			return fmt.Errorf("%q is no number of 32 bits", part)
		}
		*n = append(*n, uint32(v))
	}
	return nil
}

// catFiles prints the rows of files.
func catFiles(args []string, out, errs io.Writer) int {
	var o xlog.PrintOptions
	options := flag.NewFlagSet("cat", flag.ContinueOnError)
	options.SetOutput(errs)
	options.Usage = func() { fmt.Fprint(errs, catUsage) }
	format := options.String("format", "yaml", "")
	options.Var((*numbers)(&o.Spaces), "space", "")
	options.Var((*numbers)(&o.Replicas), "replica", "")
	options.Int64Var(&o.From, "from", 0, "")
	options.Int64Var(&o.To, "to", 0, "")
	options.BoolVar(&o.ShowSystem, "show-system", false, "")
	files, code := parseOptions(options, args)
	if code >= 0 {
		return code
	}
	switch *format {
	case "yaml":
	case "json":
		o.Format = xlog.JSON
	default:
		fmt.Fprintf(errs, "lycosa cat: unknown format %q\n%s", *format, catUsage)
		return 2
	}
	for _, name := range files {
		if !catFile(name, o, out, errs) {
			code = 1
		}
	}
	return max(code, 0)
}

// catFile prints the rows of a file and reports whether all of it was good.
func catFile(name string, o xlog.PrintOptions, out, errs io.Writer) bool {
	good := true
	complain := func(err error) {
		good = false
		fmt.Fprintf(errs, "lycosa cat: %s: %v\n", name, err)
	}
	r, err := xlog.Open(vfs.OS, name, xlog.ReaderOptions{Force: true, Warn: complain})
	if err != nil {
		complain(err)
		return false
	}
	defer func() { _ = r.Close() }()
	if err := xlog.Print(out, r, o); err != nil {
		complain(err)
	}
	return good
}

// checkDirs reports on directories.
func checkDirs(args []string, out, errs io.Writer) int {
	options := flag.NewFlagSet("check", flag.ContinueOnError)
	options.SetOutput(errs)
	options.Usage = func() { fmt.Fprint(errs, checkUsage) }
	dirs, code := parseOptions(options, args)
	if code >= 0 {
		return code
	}
	for _, dir := range dirs {
		if len(dirs) > 1 {
			fmt.Fprintf(out, "%s:\n", dir)
		}
		report, err := xlog.CheckDir(vfs.OS, dir)
		if err == nil {
			err = report.Print(out)
		}
		if err != nil {
			fmt.Fprintf(errs, "lycosa check: %v\n", err)
		}
		if err != nil || !report.OK() {
			code = 1
		}
	}
	return max(code, 0)
}

// parseOptions reads the options of a subcommand, which may stand among the names that it wants, and returns the names. A
// code that is not negative is the exit code: everything is said then.
func parseOptions(options *flag.FlagSet, args []string) (names []string, code int) {
	for {
		switch err := options.Parse(args); {
		case err == flag.ErrHelp:
			return nil, 0
		case err != nil:
			return nil, 2
		}
		if options.NArg() == 0 {
			break
		}
		names = append(names, options.Arg(0))
		args = options.Args()[1:]
	}
	if len(names) == 0 {
		options.Usage()
		return nil, 2
	}
	return names, -1
}

// runSubcommand does what a subcommand asks for, if the command line begins with one.
func runSubcommand(args []string) (code int, found bool) {
	if len(args) == 0 || subcommands[args[0]] == nil {
		return 0, false
	}
	return subcommands[args[0]](args[1:], os.Stdout, os.Stderr), true
}
