package main

import (
	"fmt"
	"time"
)

// unit is what a number counts.
type unit string

const (
	perSecond unit = "/s"
	inSeconds unit = "s"
	inBytes   unit = "B"
	share     unit = ""
)

// format gives three digits, and a prefix.
func (u unit) format(x float64) string {
	switch u {
	case inSeconds:
		return short(time.Duration(x * float64(time.Second)))
	case share:
		return fmt.Sprintf("%.3f", x)
	}
	for _, p := range []struct {
		prefix string
		factor float64
	}{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if x >= p.factor {
			return digits(x/p.factor) + " " + p.prefix + string(u)
		}
	}
	return digits(x) + " " + string(u)
}

// digits gives three of them, or all before the point.
func digits(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// three gives three digits without a power of ten.
func three(x float64) string {
	if x >= 1000 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// short is a duration in three digits.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return digits(d.Seconds()) + " s"
	case d >= time.Millisecond:
		return digits(d.Seconds()*1e3) + " ms"
	}
	return digits(d.Seconds()*1e6) + " µs"
}
