//go:build unix && (!linux || race)

package server

import (
	"errors"
	"syscall"
)

// canTry tells whether readSocket and writeSocket do something.
const canTry = true

// readSocket reads from a socket that doesn't block.
func readSocket(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

// writeSocket writes to a socket that doesn't block.
func writeSocket(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), b)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
