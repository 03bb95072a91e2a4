package main

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]size{
		"1": 1, "1000": 1000, "7B": 7, "1K": 1 << 10, "2KiB": 2 << 10, "1kB": 1000, "64MiB": 64 << 20, "64M": 64 << 20, "1MB": 1e6,
		"": 0, "0": 0, "-1": 0, "65MiB": 0, "1G": 0, "much": 0, "1.5M": 0, "9223372036854775807MiB": 0,
	} {
		var s size
		if err := s.Set(text); s != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %d, %v, want %d", text, s, err, want)
		}
	}
}
