//go:build cgo

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fixtures = "../../testdata/conformance/fixtures/tarantool-3.2.1/"

func TestCat(t *testing.T) {
	log := fixtures + "snapshot-and-logs/00000000000000000028.xlog"
	damaged := filepath.Join(t.TempDir(), "00000000000000000022.xlog")
	content, err := os.ReadFile(fixtures + "logs-only/00000000000000000022.xlog")
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-10] ^= 1
	if err := os.WriteFile(damaged, content, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		args     []string
		code     int
		out, err string // each line must be there
		rows     int
	}{
		{name: "all", args: []string{log}, out: "HEADER:\n  lsn: 28\n  replica_id: 1\n  type: UPDATE", rows: 6},
		{name: "json", args: []string{"--format", "json", log}, out: `{"HEADER":{"lsn":28,`, rows: 6},
		{name: "one row", args: []string{"--format=json", "--from=29", "--to=30", log}, out: `"lsn":29`, rows: 1},
		{name: "options at the end", args: []string{log, "--format=json", "--from=29", "--to", "30"}, out: `"lsn":29`, rows: 1},
		{name: "two files", args: []string{"--format=json", log, log}, rows: 12},
		{name: "no such space", args: []string{"--space=999,1000", log}, rows: 0},
		{name: "no such replica", args: []string{"--replica=5", log}, rows: 0},
		{name: "no file", args: []string{"nothing.xlog"}, code: 1, err: "No such file"},
		{name: "damaged", args: []string{damaged}, code: 1, err: "checksum", rows: -1},
		{name: "bad number", args: []string{"--space=x", log}, code: 2, err: "is no number"},
		{name: "bad format", args: []string{"--format=xml", log}, code: 2, err: "unknown format"},
		{name: "bad option", args: []string{"--what", log}, code: 2, err: "not defined"},
		{name: "nothing", code: 2, err: "Usage"},
		{name: "help", args: []string{"-h"}, code: 0, err: "Usage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out, errs strings.Builder
			if code := catFiles(test.args, &out, &errs); code != test.code {
				t.Errorf("exit code %d, want %d; %s", code, test.code, errs.String())
			}
			if !strings.Contains(out.String(), test.out) {
				t.Errorf("printed %s\nwant     %s", out.String(), test.out)
			}
			if !strings.Contains(errs.String(), test.err) || test.err == "" && errs.Len() > 0 {
				t.Errorf("error %q, want %q", errs.String(), test.err)
			}
			if rows := strings.Count(out.String(), "HEADER"); test.rows >= 0 && rows != test.rows {
				t.Errorf("%d rows, want %d", rows, test.rows)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "00000000000000000000.snap"), []byte("nonsense\n\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		out  string
	}{
		{"good", []string{fixtures + "logs-only"}, 0, "00000000000000000022.xlog  {1: 22}"},
		{"several", []string{fixtures + "logs-only", fixtures + "types"}, 0, "types:\n"},
		{"torn", []string{fixtures + "torn-tail"}, 0, "torn"},
		{"bad", []string{bad}, 1, "problem: "},
		{"none", []string{filepath.Join(bad, "nothing")}, 1, ""},
		{"nothing", nil, 2, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out, errs strings.Builder
			if code := checkDirs(test.args, &out, &errs); code != test.code {
				t.Errorf("exit code %d, want %d; %s%s", code, test.code, out.String(), errs.String())
			}
			if !strings.Contains(out.String(), test.out) {
				t.Errorf("printed %s\nwant     %s", out.String(), test.out)
			}
		})
	}
}
