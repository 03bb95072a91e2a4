package redistest

import (
	"bytes"
	"math/rand/v2"
	"time"
)

// Rates say how often the network fails by chance. Each is a probability, from 0 to 1, for every single request.
type Rates struct {
	LoseRequest float64       // the connection breaks before the request has reached the server
	LoseReply   float64       // the server runs the request, and the connection breaks in place of the reply
	Delay       float64       // the request is held up
	MaxDelay    time.Duration // the longest delay
}

// Counts are how many faults there have been.
type Counts struct {
	LostRequests, LostReplies, Delays int
}

// fate is what happens to one request. Nil is none of it.
type fate struct {
	loseRequest, loseReply bool
	delay                  time.Duration
	done                   chan struct{} // closed when it has happened; nil if nobody waits
}

// trap waits for a request.
type trap struct {
	match []byte
	fate  *fate
}

// faults decide about requests. A Proxy's lock guards them.
type faults struct {
	traps  []trap
	rng    *rand.Rand // nil while nothing happens by chance
	rates  Rates
	counts Counts
}

// set lays a trap for the next request that has match in it.
func (f *faults) set(match []byte, what fate) <-chan struct{} {
	what.done = make(chan struct{})
	f.traps = append(f.traps, trap{bytes.Clone(match), &what})
	return what.done
}

// judge decides about a request.
func (f *faults) judge(request []byte) *fate {
	for i, t := range f.traps {
		if bytes.Contains(request, t.match) {
			f.traps = append(f.traps[:i:i], f.traps[i+1:]...)
			return t.fate
		}
	}
	if f.rng == nil {
		return nil
	}
	// Three numbers are drawn in any case, so that one rate does not shift what another one hits.
	atRequest, atReply, atDelay := f.rng.Float64(), f.rng.Float64(), f.rng.Float64()
	by := &fate{loseRequest: atRequest < f.rates.LoseRequest}
	by.loseReply = !by.loseRequest && atReply < f.rates.LoseReply
	if atDelay < f.rates.Delay && f.rates.MaxDelay > 0 {
		by.delay = 1 + time.Duration(f.rng.Int64N(int64(f.rates.MaxDelay)))
		f.counts.Delays++
	}
	return by
}

// happened notes that a request or reply was lost.
func (f *faults) happened(by *fate) {
	if by.loseRequest {
		f.counts.LostRequests++
	} else {
		f.counts.LostReplies++
	}
	if by.done != nil {
		close(by.done)
	}
}
