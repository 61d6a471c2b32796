package fiber

import (
	"sync"
	"testing"
	"time"
)

func TestPostRunsInOrder(t *testing.T) {
	c := NewCord()
	defer c.Stop()
	var got []int
	var wg sync.WaitGroup
	wg.Add(100)
	for i := range 100 {
		c.Post(func() { got = append(got, i); wg.Done() })
	}
	wg.Wait()
	c.Lock()
	defer c.Unlock()
	for i, v := range got {
		if i != v {
			t.Fatalf("position %d holds %d", i, v)
		}
	}
}

func TestTimersRunByTime(t *testing.T) {
	c := NewCord()
	defer c.Stop()
	var order []string
	done := make(chan struct{})
	c.Lock()
	c.After(20*time.Millisecond, func() { order = append(order, "late"); close(done) })
	c.After(time.Millisecond, func() { order = append(order, "early") })
	stopped := c.After(2*time.Millisecond, func() { order = append(order, "stopped") })
	if !stopped.Stop() || stopped.Stop() {
		t.Error("the first Stop is in time, the second is not")
	}
	c.Unlock()
	<-done
	c.Lock()
	defer c.Unlock()
	if len(order) != 2 || order[0] != "early" || order[1] != "late" {
		t.Fatal(order)
	}
}

func TestParkAndWake(t *testing.T) {
	tests := []struct {
		name     string
		timeout  time.Duration
		wake     bool
		timedOut bool
	}{
		{"woken", -1, true, false},
		{"woken before its time", time.Hour, true, false},
		{"not woken", time.Millisecond, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := NewCord()
			defer c.Stop()
			done := make(chan bool)
			c.Lock()
			f := c.New("f", func(f *Fiber) {
				out := f.TimedOut()
				f.End()
				go func() { done <- out }()
			})
			f.Park(test.timeout)
			if test.wake && !f.Wake() {
				t.Error("a parked fiber can be woken")
			}
			c.Unlock()
			if got := <-done; got != test.timedOut {
				t.Errorf("timed out: %v", got)
			}
			c.Lock()
			defer c.Unlock()
			if f.Wake() || c.Find(f.ID) != nil || c.Len() != 0 {
				t.Error("an ended fiber is gone")
			}
		})
	}
}

func BenchmarkReady(b *testing.B) {
	c := NewCord()
	defer c.Stop()
	done := make(chan struct{})
	n := 0
	c.Lock()
	f := c.New("f", func(f *Fiber) {
		n++
		if n == b.N {
			close(done)
			return
		}
		f.Park(-1)
		f.Wake()
	})
	f.Park(-1)
	f.Wake()
	c.Unlock()
	<-done
}
