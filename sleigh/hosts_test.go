package sleigh_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
)

func TestHostTrouble(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		bad, good [2]int // done, failed
		want      bool
	}{
		"all fail there, none elsewhere": {[2]int{10, 10}, [2]int{10, 0}, true},
		"too few":                        {[2]int{9, 9}, [2]int{100, 0}, false},
		"not known elsewhere":            {[2]int{100, 100}, [2]int{9, 0}, false},
		"five times as often":            {[2]int{100, 50}, [2]int{100, 10}, true},
		"less than that":                 {[2]int{100, 50}, [2]int{100, 11}, false},
		"seldom, and little elsewhere":   {[2]int{1000, 10}, [2]int{10, 0}, false},
		"none fails":                     {[2]int{1000, 0}, [2]int{1000, 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var h sleigh.Hosts
			h.Note("f", "good", tc.good[0], tc.good[1])
			h.Note("g", "good", 1000, 0) // another function tells nothing
			h.Note("f", "bad", tc.bad[0], tc.bad[1])
			got := h.Troubles()
			if (len(got) == 1 && got[0].Host == "bad" && got[0].Func == "f" && got[0].Failed == tc.bad[1]) != tc.want || len(got) > 1 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestHostIsNamed has a function that fails on one of two hosts. Not parallel, as it changes the names of hosts.
func TestHostIsNamed(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	joined := 0
	defer sleigh.SetHostname(func() string {
		mu.Lock()
		defer mu.Unlock()
		joined++
		return fmt.Sprint(host, "-", joined)
	})()
	var log lockedBuffer
	s := start(t, open(t, "mem://"), &sleigh.Options{Launch: sleigh.InProcess(2), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	hosts, err := identify.EachWorker(testContext(t), s, 0)
	if err != nil || len(hosts) != 2 || hosts[0].Host == hosts[1].Host {
		t.Fatalf("got %v, %v", hosts, err)
	}
	bad := hosts[1].Host
	for range 100 { // until both have had enough
		_, err := failsOn.EachElem(testContext(t), s, func(yield func(string) bool) {
			for range 40 {
				if !yield(bad) {
					return
				}
			}
		}, &sleigh.JobOptions{Chunk: 1})
		if err != nil && !errors.As(err, new(sleigh.TaskErrors)) {
			t.Fatal(err)
		}
		st, err := s.Status(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Hosts) > 0 {
			if st.Hosts[0].Host != bad || st.Hosts[0].Func != "failsOn" || len(st.Hosts) > 1 {
				t.Errorf("got %+v", st.Hosts)
			}
			break
		}
	}
	if n := strings.Count(log.String(), "a function fails on one host and not on others"); n != 1 || !strings.Contains(log.String(), bad) {
		t.Errorf("the log names it %d times: %s", n, log.String())
	}
}

var failsOn = sleigh.Register("failsOn", func(ctx context.Context, host string) (int, error) {
	if sleigh.WorkerFrom(ctx).Host() == host {
		return 0, errors.New("no such file")
	}
	return 0, nil
})

// lockedBuffer takes what a log or a process says.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
