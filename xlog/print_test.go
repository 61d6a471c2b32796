package xlog

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/iproto"
	_ "github.com/lycosadb/lycosa/mpext" // extension values are printed as text
	"github.com/lycosadb/lycosa/vfs"
)

var update = flag.Bool("update", false, "rewrite the files of expected output")

func printFile(t *testing.T, path string, o PrintOptions) string {
	t.Helper()
	r, err := Open(vfs.OS, path, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if err := Print(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s: printed\n%s", name, text)
	}
}

func TestPrint(t *testing.T) {
	for _, c := range []struct {
		name, file string
		options    PrintOptions
	}{
		{"all.yaml", "snapshot-and-logs/00000000000000000034.xlog", PrintOptions{ShowSystem: true}},
		{"user.yaml", "snapshot-and-logs/00000000000000000034.xlog", PrintOptions{}},
		{"types.yaml", "types/00000000000000000048.xlog", PrintOptions{}},
		{"types.json", "types/00000000000000000048.xlog", PrintOptions{Format: JSON}},
		{"sync.json", "sync-and-nop/00000000000000000008.xlog", PrintOptions{Format: JSON}},
		{"raft.yaml", "sync-and-nop/00000000000000000025.xlog", PrintOptions{}},
		{"space.json", "snapshot-and-logs/00000000000000000028.xlog", PrintOptions{Format: JSON, Spaces: []uint32{513, 280}}},
		{"range.json", "logs-only/00000000000000000022.xlog", PrintOptions{Format: JSON, From: 25, To: 28, ShowSystem: true}},
		{"replica.json", "snapshot-and-logs/00000000000000000028.xlog", PrintOptions{Format: JSON, Replicas: []uint32{0}}},
	} {
		golden(t, "print/"+c.name, printFile(t, "testdata/tarantool-3.2.1/"+c.file, c.options))
	}
	if text := printFile(t, "testdata/tarantool-3.2.1/types/00000000000000000084.xlog", PrintOptions{}); text != "" {
		t.Errorf("an empty log prints %q", text)
	}
}

// Every row of every fixture is a line of JSON.
func TestPrintJSON(t *testing.T) {
	counts := rowCounts(t)
	for _, path := range fixtures(t) {
		text := printFile(t, path, PrintOptions{Format: JSON, ShowSystem: true})
		n := 0
		for line := range strings.Lines(text) {
			n++
			var row struct {
				HEADER struct {
					Type string
					LSN  *int64
				}
				BODY map[string]any
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil || row.HEADER.LSN == nil || row.BODY == nil && row.HEADER.Type != "NOP" {
				t.Errorf("%s: %v: %s", path, err, line)
			}
		}
		if want := counts[strings.TrimPrefix(filepath.ToSlash(path), "testdata/")]; n != want {
			t.Errorf("%s: %d lines, want %d", path, n, want)
		}
	}
}

func TestPrintValues(t *testing.T) {
	for _, c := range []struct{ raw, yaml, json string }{
		{"\xc0", "null", "null"},
		{"\xff", "-1", "-1"},
		{"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615", "18446744073709551615"},
		{"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "nan", `"nan"`},
		{"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", "-inf", `"-inf"`},
		{"\xca\x3d\xcc\xcc\xcd", "0.1", "0.1"},
		{"\xa2it", "'it'", `"it"`},
		{"\xa4it's", "'it''s'", `"it's"`},
		{"\xa5\"\\\n\t\x01", `"\"\\\n\t\u0001"`, `"\"\\\n\t\u0001"`},
		{"\xa2\xff\xfe", "!!binary //4=", `"//4="`},
		{"\xc4\x02\xff\xfe", "!!binary //4=", `"//4="`},
		{"\x92\x01\x90", "[1, []]", "[1,[]]"},
		{"\x82\x01\xa1a\xa1b\x80", "{1: 'a', 'b': {}}", `{"1":"a","b":{}}`},
		{"\xd5\x77\x01\x02", "'ext 119: 0102'", `"ext 119: 0102"`},
		{"\xc7\x03\x01\x01\x01\x5d", "-1.5", `"-1.5"`},
		{strings.Repeat("\x91", 600) + "\x01", strings.Repeat("[", 501) + "null" + strings.Repeat("]", 501), strings.Repeat("[", 501) + "null" + strings.Repeat("]", 501)},
	} {
		yaml, _ := printer{}.value(nil, []byte(c.raw), 0)
		text, _ := printer{json: true}.value(nil, []byte(c.raw), 0)
		if string(yaml) != c.yaml || string(text) != c.json {
			t.Errorf("%q: %s and %s, want %s and %s", c.raw, yaml, text, c.yaml, c.json)
		}
	}
}

func FuzzPrint(f *testing.F) {
	f.Add([]byte{0x82, 0x10, 0xcd, 2, 0, 0x21, 0x92, 5, 0xa1, 0x61})
	f.Add([]byte{0x81, 0x21, 0xd6, 4, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, body []byte) {
		row := Row{Type: iproto.TypeInsert, LSN: 1, TSN: 1, Flags: FlagCommit, Body: body}
		if line := appendRowJSON(nil, &row); !json.Valid(line) {
			t.Errorf("%q", line)
		}
		appendRowYAML(nil, &row)
	})
}
