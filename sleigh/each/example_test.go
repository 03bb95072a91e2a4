package each_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

// Each line is an item. Programs whose workers are processes call AllowCommands and sleigh.Main first thing in main.
func Example() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		panic(err)
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(2)})
	if err != nil {
		panic(err)
	}
	defer s.Stop(ctx) //nolint:errcheck // The program ends.

	lines := strings.NewReader("/photos/sea.raw\n/photos/night sky.raw\n")
	convert := each.Command{Args: []string{"echo", "convert", "{}", "{.}.jpg"}}
	summary, err := each.Run(ctx, s, each.Lines(lines), convert, &each.Options{Stdout: os.Stdout, Stderr: os.Stderr, KeepOrder: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(summary.Done, "done,", summary.Failed, "failed")
	// Output:
	// convert /photos/sea.raw /photos/sea.jpg
	// convert /photos/night sky.raw /photos/night sky.jpg
	// 2 done, 0 failed
}

// What a command printed, and how it ended, may be taken one by one.
func ExampleRun() {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, "mem://", nil)
	if err != nil {
		panic(err)
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.InProcess(2)})
	if err != nil {
		panic(err)
	}
	defer s.Stop(ctx) //nolint:errcheck // The program ends.

	_, err = each.Run(ctx, s, each.Items("3", "0"), each.Command{Args: []string{"sh", "-c", "echo {#}; exit {}"}}, &each.Options{
		KeepOrder: true,
		OnResult: func(r each.Result) error {
			fmt.Printf("%s: %q, exit code %d\n", r.Command, r.Stdout, r.Exit)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// sh -c 'echo 1; exit 3': "1\n", exit code 3
	// sh -c 'echo 2; exit 0': "2\n", exit code 0
}
