//go:build !unix

package server

import "errors"

// canTryRead tells whether readSocket does something.
const canTryRead = false

// readSocket is never called.
func readSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
