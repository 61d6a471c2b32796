package main

import (
	"fmt"
	"time"
)

// settle is how long a server is left alone before its memory is looked at.
const settle = 3 * time.Second

// burst is how many requests an active connection has in flight.
const burst = 16

// connections opens connections that have asked something once and wait, then others that ask all the time.
func connections(all *servers) error {
	s, err := all.start()
	if err != nil {
		return err
	}
	fmt.Printf("\n| connections | RSS, MB | at most | KB a connection |\n| --- | --- | --- | --- |\n")
	empty, _, err := memory(s)
	if err != nil {
		return err
	}
	report := func(what string, n int) error {
		now, most, err := memory(s)
		if err == nil {
			fmt.Printf("| %s | %.0f | %.0f | %.1f |\n", what, megabytes(now), megabytes(most), float64(now-empty)/1024/float64(max(n, 1)))
		}
		return err
	}
	if err := report("none", 0); err != nil {
		return err
	}
	waiting, err := dialMany(s.Socket, idle)
	defer func() { waiting.close() }()
	if err != nil {
		return err
	}
	for _, l := range waiting {
		if err := l.ask(selectByKey(7), 1); err != nil {
			return err
		}
	}
	if err := report(fmt.Sprintf("%d that have asked once", idle), idle); err != nil {
		return err
	}
	time.Sleep(settle)
	if err := report("the same, a little later", idle); err != nil {
		return err
	}
	asking, err := dialMany(s.Socket, active)
	defer func() { asking.close() }()
	if err != nil {
		return err
	}
	got, err := drive(asking, selectByKey(7), burst)
	if err != nil {
		return err
	}
	if err := report(fmt.Sprintf("and %d that ask, %d requests in flight each", active, burst), idle+active); err != nil {
		return err
	}
	time.Sleep(settle)
	if err := report("the same, a little later", idle+active); err != nil {
		return err
	}
	_, most, err := memory(s)
	if err != nil {
		return err
	}
	if megabytes(most) > limit {
		return fmt.Errorf("the server took %.0f MB, more than the limit of %.0f", megabytes(most), limit)
	}
	fmt.Printf("\n%.0f answers a second to %d connections beside %d that wait.\n", got.rate(), active, idle)
	return nil
}
