package sleigh_test

import (
	"math"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	var m sleigh.Meter
	now := time.Unix(1000, 0)
	want := func(rate float64) {
		t.Helper()
		if got := m.Rate(now); math.Abs(got-rate) > 1e-9 {
			t.Errorf("the rate is %v, want %v", got, rate)
		}
	}
	want(0)
	for range 40 { // 8 in a second, for 5 s
		m.Note(now, 1)
		now = now.Add(time.Second / 8)
	}
	want(8)
	now = now.Add(3 * time.Second)
	want(5)
	for range 150 { // 10 in a second, for 15 s: the rest is forgotten
		now = now.Add(time.Second / 10)
		m.Note(now, 1)
	}
	if got := m.Rate(now); got < 9.9 || got > 10.5 {
		t.Errorf("the rate is %v, want some 10", got)
	}
	now = now.Add(time.Hour)
	want(0)
}
