package cli

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The same warning is repeated now and then only, and never with a password.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		log := logging{program: "prog"}.to(&out).With("part", 1)
		for range 100 {
			log.Warn("lost", "error", errors.New("no way to redis://:pw@host"))
			log.Info("a detail")
			time.Sleep(time.Second)
		}
		log.Warn("another", "in", time.Second)
		want := strings.Repeat(`prog: lost part="1" error="no way to redis://***@host"`+"\n", 4) + `prog: another part="1" in="1s"` + "\n"
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", &out, want)
		}
		out.Reset()
		quiet := logging{program: "prog", quiet: true}.to(&out)
		quiet.Warn("lost")
		quiet.Error("broken")
		if out.String() != "prog: broken\n" {
			t.Errorf("quiet: %s", &out)
		}
	})
}
