//go:build linux && !race

package server

import (
	"syscall"
	"unsafe"
)

// canTry tells whether readSocket and writeSocket do something.
const canTry = true

// The sockets don't block, so these calls take no longer than copying the bytes does. The scheduler is not told of them,
// because it would take the processor from a goroutine that is for some time in a call, and give it back soon after.

// readSocket reads from a socket that doesn't block.
func readSocket(fd uintptr, b []byte) (int, error) { return callSocket(syscall.SYS_READ, fd, b) }

// writeSocket writes to a socket that doesn't block.
func writeSocket(fd uintptr, b []byte) (int, error) { return callSocket(syscall.SYS_WRITE, fd, b) }

func callSocket(call, fd uintptr, b []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
