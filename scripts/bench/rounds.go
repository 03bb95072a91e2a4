package main

import "time"

// rounds counts the repeats of a family, and keeps what they gave.
type rounds struct {
	most    int
	budget  time.Duration // after which no more are begun that would not fit; 0: as many as most
	done    int
	began   time.Time
	samples map[string][]sample
}

// sample is what one round gave for a row.
type sample struct{ ours, theirs, ratio float64 }

// next reports whether there is to be another round. There is at least one.
func (r *rounds) next() bool {
	if r.done == 0 {
		r.began = time.Now()
	} else {
		spent := time.Since(r.began)
		if r.done == r.most || r.budget > 0 && spent+spent/time.Duration(r.done) > r.budget {
			return false
		}
	}
	r.done++
	return true
}

func (r *rounds) add(row string, ours, theirs float64) {
	if r.samples == nil {
		r.samples = map[string][]sample{}
	}
	r.samples[row] = append(r.samples[row], sample{ours, theirs, ours / theirs})
}

// addTimes is add for durations, in seconds.
func (r *rounds) addTimes(row string, ours, theirs time.Duration) {
	r.add(row, ours.Seconds(), theirs.Seconds())
}

// addRates is add for how many there were in a second.
func (r *rounds) addRates(row string, n int, ours, theirs time.Duration) {
	r.add(row, float64(n)/ours.Seconds(), float64(n)/theirs.Seconds())
}

// addSpeedup is add for times where the ratio is to say how many times as fast ours is.
func (r *rounds) addSpeedup(row string, ours, theirs time.Duration) {
	r.addTimes(row, ours, theirs)
	all := r.samples[row]
	all[len(all)-1].ratio = theirs.Seconds() / ours.Seconds()
}

// addWorse adds what this round gave for that one of two rows that is further from its goal.
func (r *rounds) addWorse(row, one, other string) {
	worse, last := one, func(row string) sample { return r.samples[row][len(r.samples[row])-1] }
	if goals[other].met(last(other).ratio) < goals[one].met(last(one).ratio) {
		worse = other
	}
	r.samples[row] = append(r.samples[row], last(worse))
}
