//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The compiler optimizes what a profile shows to be run often. One for our server is taken under all the loads that are
// compared, and kept beside its main package, where go build finds it.

const (
	profileTime = 8 * time.Second // of each load
	profileLead = time.Second     // from the start of a load to that of its profile
)

var profilePoint = point{4, 64}

// writeProfile drives the loads of our server, one after another, and writes a profile of them all to a file.
func writeProfile(o options, list []load, base string) error {
	// The binary's path is in the profile, so it gets one that says nothing.
	binary := filepath.Join(base, "lycosa")
	if err := copyFile(binary, o.binary); err != nil {
		return err
	}
	o.binary = binary
	own := list[:0:0]
	for _, l := range list {
		if l.server == nameLycosa {
			l.against = side{nameLycosa, l.name, 1}
			own = append(own, l)
		}
	}
	f := full
	f.measured = profileLead + profileTime
	d, err := newDriver(o, f, own, base)
	if err != nil {
		return err
	}
	defer d.stop()
	s := d.servers[nameLycosa]
	args := []string{"tool", "pprof", "-proto", "-output", o.profile}
	for i, l := range own {
		progress("profile of %s", l.name)
		path := filepath.Join(base, fmt.Sprint("profile", i))
		ended := make(chan error, 1)
		go func() { ended <- fetchProfile(s.profiles, path) }()
		_, err := s.run(l, d.pool(l), profilePoint, f)
		if e := <-ended; err == nil {
			err = e
		}
		if err == nil {
			err = d.tidy(l)
		}
		if err != nil {
			return fmt.Errorf("profile of %s: %w", l.name, err)
		}
		args = append(args, path)
	}
	progress("")
	merge := exec.Command("go", args...)
	if out, err := merge.CombinedOutput(); err != nil {
		return fmt.Errorf("merging profiles: %w\n%s", err, out)
	}
	return nil
}

// fetchProfile gets a profile of the server that serves profiles at an address.
func fetchProfile(address, path string) error {
	time.Sleep(profileLead)
	r, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, profileTime/time.Second))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", r.Status)
	}
	return writeFile(path, r.Body, 0o600)
}

// freeAddress returns an address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func copyFile(to, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return writeFile(to, f, 0o700)
}

func writeFile(path string, from io.Reader, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
