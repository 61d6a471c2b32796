package xlog

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/vfs"
)

// fixtures returns the paths of the files in testdata, which servers of the reference wrote.
func fixtures(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"testdata/*/*/*.snap", "testdata/*/*/*.xlog"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 40 {
		t.Fatalf("only %d fixtures", len(paths))
	}
	return paths
}

// rowCounts returns how many rows the reference's own tool prints for each fixture.
func rowCounts(t *testing.T) map[string]int {
	t.Helper()
	data, err := os.ReadFile("testdata/rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for line := range strings.Lines(string(data)) {
		name, n, _ := strings.Cut(strings.TrimSpace(line), " ")
		if counts[name], err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
	}
	return counts
}

// What some fixtures hold besides a number of rows.
var expected = map[string]struct {
	txns   int
	vclock string
	closed bool
	torn   bool
}{
	"tarantool-3.2.1/logs-only/00000000000000000000.snap":         {txns: 388, vclock: "{}", closed: true},
	"tarantool-3.2.1/logs-only/00000000000000000022.xlog":         {txns: 8, vclock: "{1: 22}", closed: true},
	"tarantool-3.2.1/logs-only/00000000000000000031.xlog":         {txns: 5, vclock: "{1: 31}"},
	"tarantool-3.2.1/torn-tail/00000000000000000000.xlog":         {txns: 7, vclock: "{}", torn: true},
	"tarantool-3.2.1/snapshot-and-logs/00000000000000000028.xlog": {txns: 3, vclock: "{0: 1, 1: 27}", closed: true},
	"tarantool-3.2.1/sync-and-nop/00000000000000000025.xlog":      {txns: 3, vclock: "{0: 1, 1: 24}", closed: true},
	"tarantool-3.2.1/compressed/00000000000000000049.xlog":        {txns: 1, vclock: "{1: 49}", closed: true},
	"tarantool-2.6.0/compressed/00000000000000000557.xlog":        {txns: 0, vclock: "{1: 557}", closed: true},
}

func TestFixtures(t *testing.T) {
	counts := rowCounts(t)
	for _, path := range fixtures(t) {
		name := strings.TrimPrefix(filepath.ToSlash(path), "testdata/")
		r, err := Open(vfs.OS, path, ReaderOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var rows []Row
		count, txns := 0, 0
		for {
			rows, err = r.NextTxn(rows[:0])
			if err != nil {
				break
			}
			txns++
			count += len(rows)
		}
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if want, ok := counts[name]; count != want || !ok {
			t.Errorf("%s: %d rows, want %d", name, count, want)
		}
		if want, ok := expected[name]; ok {
			if txns != want.txns || r.Meta.VClock.String() != want.vclock || r.Closed() != want.closed || r.Torn() != want.torn {
				t.Errorf("%s: %d transactions since %v, closed %v, torn %v; want %+v", name, txns, r.Meta.VClock, r.Closed(), r.Torn(), want)
			}
		}
		if s, ok := ParseName(r.Meta.Kind, filepath.Base(path)); !ok || s != r.Meta.VClock.Signature() {
			t.Errorf("%s holds %v", name, r.Meta.VClock)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Header, rows, plain blocks and the end marker that we write are those of the reference, byte for byte.
func TestFixturesAreWrittenTheSame(t *testing.T) {
	for _, path := range fixtures(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(data), path, ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := AppendMeta(nil, &r.Meta)
		if !bytes.HasPrefix(data, out) {
			t.Errorf("%s: another header:\n%s", path, out)
			continue
		}
		// Blocks are gathered by their offset; one that is compressed there is compared by its rows.
		var block []byte
		at := int64(len(out))
		plain := 0
		flush := func() {
			if len(block) == 0 {
				return
			}
			header, wrong := parseBlockHeader(data[at:])
			if wrong != "" {
				t.Fatalf("%s at %d: %s", path, at, wrong)
			}
			end := at + BlockHeaderSize + int64(header.size)
			rows := data[at+BlockHeaderSize : end]
			if header.compressed {
				if rows, err = decoder().DecodeAll(rows, nil); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(rows, block[BlockHeaderSize:]) {
					t.Errorf("%s at %d: other rows in a compressed block", path, at)
				}
			} else {
				plain++
				SealBlock(block)
				if !bytes.Equal(block, data[at:end]) {
					t.Errorf("%s at %d: another block:\n% x\n% x", path, at, block, data[at:end])
				}
			}
			block, at = nil, end
		}
		for {
			row, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Offset() != at {
				flush()
			}
			if block == nil {
				block = make([]byte, BlockHeaderSize)
			}
			block = AppendRow(block, row)
		}
		flush()
		if r.Closed() && !bytes.Equal(data[at:], AppendEnd(nil)) {
			t.Errorf("%s: another end: % x", path, data[at:])
		}
	}
}
