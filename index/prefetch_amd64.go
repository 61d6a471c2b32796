package index

import "unsafe"

// prefetch asks the processor to bring lines of memory, of 64 bytes each, into its cache. It doesn't wait for them, and any
// address will do.
//
//go:noescape
func prefetch(p unsafe.Pointer, lines int)
