// Package soak strains handlers of requests for a while: many connections send all kinds of requests at once, to handlers
// in Lua and in Go that answer, pass on, fail, wait, wrap each other and answer in several packets, while these handlers are
// set anew all the time. Every request must get exactly its answer, and nothing must be left behind.
//
// It consists of tests. The time that they take is set by the flag -soak of the test binary: go test ./soak -soak 2m.
package soak
