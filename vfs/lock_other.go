//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package vfs

import (
	"errors"
	"os"
)

func flock(d *os.File) error {
	return &os.PathError{Op: "flock", Path: d.Name(), Err: errors.ErrUnsupported}
}
