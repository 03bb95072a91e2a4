package main

import "time"

// span is a time as people read it: 340ms, 2.1s, 3m5s, 26h10m.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	text := d.Round(time.Minute).String()
	return text[:len(text)-len("0s")]
}

// ago is how long ago that was; nothing for a time that is not known.
func ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return span(max(time.Since(t), 0))
}
