package each_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// Each item has its command once, and output comes in order if that is wanted.
func TestRun(t *testing.T) {
	for name, launch := range map[string]sleigh.Launcher{"goroutines": sleigh.InProcess(3), "processes": sleigh.Local(2)} {
		t.Run(name, func(t *testing.T) {
			s := start(t, launch)
			echo := each.Command{Args: []string{"echo", "{}", "+", "{#}"}}
			p, sum := run(t, s, echo, each.Options{KeepOrder: true}, "a", "", "b c", "\xff\xfe", "$x")
			if want := "a + 1\n + 2\nb c + 3\n\xff\xfe + 4\n$x + 5\n"; p.stdout.String() != want || p.stderr.Len() > 0 {
				t.Errorf("stdout %q, stderr %q", &p.stdout, &p.stderr)
			}
			if sum.Done != 5 || sum.Failed != 0 || sum.Skipped != 0 || sum.Submitted != 5 || sum.Elapsed <= 0 {
				t.Errorf("%+v", sum)
			}

			p, sum = run(t, s, sh(`echo out $1; echo err $1 >&2; exit $1`), each.Options{Tag: true}, "0", "1", "2")
			out, err := sorted(p.stdout.String()), sorted(p.stderr.String())
			if out != "0\tout 0\n1\tout 1\n2\tout 2\n" || err != "0\terr 0\n1\terr 1\n2\terr 2\n" || sum.Failed != 2 || sum.Done != 3 {
				t.Errorf("%q, %q, %+v", out, err, sum)
			}
		})
	}
}

func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}
