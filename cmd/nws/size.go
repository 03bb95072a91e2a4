package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

// size is a flag for a number of bytes.
type size int64

var units = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"kB", 1e3}, {"MB", 1e6}, {"K", 1 << 10}, {"M", 1 << 20}, {"B", 1}, {"", 1},
}

func (s *size) Set(text string) error {
	for _, unit := range units {
		digits, found := strings.CutSuffix(text, unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 1 || n > workspace.MaxValue/unit.bytes {
			break
		}
		*s = size(n * unit.bytes)
		return nil
	}
	return fmt.Errorf("not a size of 1 to %d bytes, such as 1000, 64KiB or 1MiB", workspace.MaxValue)
}

func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

func (s *size) Type() string { return "size" }
