package cli

import (
	"errors"
	"time"

	"github.com/spf13/pflag"
)

// DurationVar defines a flag for a time: 90s, 1m30s, or a plain number of seconds as timeout(1) takes them. It cannot be
// negative.
func DurationVar(flags *pflag.FlagSet, p *time.Duration, name string, value time.Duration, usage string) {
	*p = value
	flags.Var((*duration)(p), name, usage)
}

type duration time.Duration

var errDuration = errors.New("not a time such as 90s, 1m30s or 5 (seconds)")

func (d *duration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil {
		parsed, err = time.ParseDuration(text + "s")
	}
	if err != nil || parsed < 0 {
		return errDuration
	}
	*d = duration(parsed)
	return nil
}

func (d *duration) String() string {
	if *d == 0 {
		return "" // shown as no default
	}
	return time.Duration(*d).String()
}

func (d *duration) Type() string { return "time" }
