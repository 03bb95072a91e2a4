package each_test

import (
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

func TestParseHalt(t *testing.T) {
	for text, want := range map[string]string{
		"never": "never", "0": "never", "1": "soon,fail=1", "2": "now,fail=1", "-1": "soon,success=1", "-2": "now,success=1", "5%": "soon,fail=5%",
		"now,fail=3": "now,fail=3", "soon,success=100%": "soon,success=100%", "now,done=7": "now,done=7",
	} {
		h, err := each.ParseHalt(text)
		if err != nil || h.String() != want {
			t.Errorf("%s: %v, %v", text, h, err)
		}
	}
	for _, text := range []string{
		"", "3", "now", "now,fail", "now,fail=", "now,fail=0", "now,fail=x", "later,fail=1", "soon,lost=1", "soon,fail=101%", "soon,fail=-1", "soon,fail=1%%",
		"0%", "200%", "never,fail=1", "soon,=1", "now,never=1",
	} {
		if h, err := each.ParseHalt(text); err == nil {
			t.Errorf("%q is taken for %v", text, h)
		}
	}
}

// It says when to stop by what is done, and not sooner.
func TestHalt(t *testing.T) {
	for text, want := range map[string]struct{ least, most int }{
		"soon,fail=2": {10, 150}, "now,fail=2": {10, 10}, "soon,success=8": {10, 150}, "now,done=12": {12, 12}, "soon,done=10%": {30, 200}, "never": {300, 300},
	} {
		t.Run(text, func(t *testing.T) {
			s := start(t, sleigh.InProcess(2))
			h, err := each.ParseHalt(text)
			if err != nil {
				t.Fatal(err)
			}
			items := make([]string, 300)
			for i := range items {
				items[i] = "0"
				if i%5 == 4 {
					items[i] = "1"
				}
			}
			_, sum := run(t, s, sh("exit $1"), each.Options{Halt: h, KeepOrder: true}, items...)
			if sum.Done < want.least || sum.Done > want.most || sum.Failed != sum.Done/5 || sum.Halted != (text != "never") {
				t.Errorf("%+v", sum)
			}
		})
	}
}
