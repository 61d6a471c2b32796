//go:build cgo

package lua

import (
	"testing"

	"github.com/lycosadb/lycosa/box"
)

// newBare makes a State on a database without anything in it, and holds the lock until the test ends.
func newBare(t testing.TB) *State {
	t.Helper()
	t.Chdir(t.TempDir())
	b := box.New(box.Config{})
	b.Cord.Lock()
	s, err := New(b, Options{})
	if err != nil {
		b.Cord.Unlock()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		b.Cord.Unlock()
		b.Cord.Stop()
	})
	return s
}
