package sleigh

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
)

const (
	hostFailures = 10 // a host is not suspected for less
	hostRatio    = 5  // nor if others fail nearly as often
)

// HostTrouble is a host on which a function fails far more often than on all others together.
type HostTrouble struct {
	Host       string  `json:"host"`
	Func       string  `json:"func"`
	Done       int     `json:"done"`   // elements that ran there
	Failed     int     `json:"failed"` // of these
	OthersRate float64 `json:"othersRate"`
}

// hosts counts what comes of each function on each host.
type hosts struct {
	mu     sync.Mutex
	counts map[hostFunc]*hostCount
}

type hostFunc struct{ fn, host string }

type hostCount struct {
	done, failed int
	named        bool // in the log
}

// note notes elements that ran on a host, and logs that if they fail there and not elsewhere.
func (h *hosts) note(log *slog.Logger, fn, host string, done, failed int) {
	if t, bad := h.count(fn, host, done, failed); bad {
		log.Warn("a function fails on one host and not on others", "host", host, "func", fn,
			"failed", t.Failed, "of", t.Done, "rateElsewhere", t.OthersRate)
	}
}

// count counts elements that ran on a host, and reports whether that is to be named, for the first time.
func (h *hosts) count(fn, host string, done, failed int) (t HostTrouble, bad bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts == nil {
		h.counts = map[hostFunc]*hostCount{}
	}
	c := h.counts[hostFunc{fn, host}]
	if c == nil {
		c = &hostCount{}
		h.counts[hostFunc{fn, host}] = c
	}
	c.done += done
	c.failed += failed
	if failed == 0 || c.named {
		return t, false
	}
	t, c.named = h.trouble(fn, host)
	return t, c.named
}

// trouble judges a host. h.mu is held.
func (h *hosts) trouble(fn, host string) (HostTrouble, bool) {
	here := h.counts[hostFunc{fn, host}]
	t := HostTrouble{Host: host, Func: fn, Done: here.done, Failed: here.failed}
	var done, failed int
	for at, c := range h.counts {
		if at.fn == fn && at.host != host {
			done += c.done
			failed += c.failed
		}
	}
	if done < hostFailures || here.failed < hostFailures {
		return t, false
	}
	t.OthersRate = float64(failed) / float64(done)
	// One that has not failed in so few might have in some more.
	return t, float64(here.failed)/float64(here.done) >= hostRatio*max(t.OthersRate, 1/float64(done+1))
}

// troubles lists the hosts that are in trouble now.
func (h *hosts) troubles() []HostTrouble {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []HostTrouble
	for at := range h.counts {
		if t, bad := h.trouble(at.fn, at.host); bad {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b HostTrouble) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Func, b.Func)) })
	return all
}
