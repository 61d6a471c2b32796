//go:build !unix

package server

import "errors"

// canTry tells whether readSocket and writeSocket do something.
const canTry = false

// readSocket is never called.
func readSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

// writeSocket is never called.
func writeSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
