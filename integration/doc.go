// Package integration tests the built binary from the outside: what its command line does, and what a client that
// nobody here wrote, github.com/tarantool/go-tarantool/v2, gets from it.
//
// The servers of the tests listen on unix sockets in directories of their own. A test knows that its server is ready by
// a line that the script prints, and that it has ended by the end of its output.
package integration
