package sleigh_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

var root = sleigh.Register("root", func(ctx context.Context, x float64) (float64, error) {
	if x < 0 {
		sleigh.Log(ctx).Warn("there is no such root", "x", x)
		return 0, nil
	}
	y := 1.0
	for i := range 20 {
		sleigh.Progress(ctx, i, 20) // Status shows it
		y = (y + x/y) / 2
	}
	return y, nil
})

// What workers print and log comes to the master: by default to its stderr, else as lines to a function of its own.
func ExampleLog() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.InProcess(2), Output: func(l sleigh.Line) {
		if l.Stream == sleigh.Logged && l.Level >= slog.LevelWarn {
			fmt.Printf("element %d: %s\n", l.Index, l.Text)
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Stop(ctx) }()
	roots, err := root.EachElem(ctx, s, slices.Values([]float64{4, -1, 9}), nil)
	fmt.Println(roots, err)
	// Output:
	// element 1: there is no such root x=-1
	// [2 0 3] <nil>
}

// Progress may be called as often as one likes.
func ExampleProgress() {
	s, end := team(1)
	defer end()
	roots, err := root.EachElem(context.Background(), s, slices.Values([]float64{25}), nil)
	fmt.Println(roots, err)
	// Output: [5] <nil>
}

func ExampleLine_String() {
	fmt.Print(sleigh.Line{Worker: 3, Host: "dasher", Index: 7, Stream: sleigh.Stdout, Text: "seven is done"})
	fmt.Print(sleigh.Line{Worker: 3, Host: "dasher", Index: 7, Stream: sleigh.Logged, Level: slog.LevelError, Text: "no reins left=0"})
	// Output:
	// worker 3 (dasher): seven is done
	// worker 3 (dasher): ERROR no reins left=0
}
