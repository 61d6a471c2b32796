//go:build !amd64 && !arm64

package index

import "unsafe"

// prefetch does nothing: here there is no way to ask the processor for memory ahead of time.
func prefetch(unsafe.Pointer, int) {}
