package each_test

import (
	"testing"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// The cost of a command that does nothing.
func BenchmarkTrue(b *testing.B) {
	s := start(b, sleigh.Local(4))
	run(b, s, each.Command{Args: []string{"true"}}, each.Options{}, make([]string, 100)...)
	b.ResetTimer()
	run(b, s, each.Command{Args: []string{"true"}}, each.Options{}, make([]string, b.N)...)
}
