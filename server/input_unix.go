//go:build unix

package server

import (
	"errors"
	"syscall"
)

// canTryRead tells whether readSocket does something.
const canTryRead = true

// readSocket reads from a socket that doesn't block.
func readSocket(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
