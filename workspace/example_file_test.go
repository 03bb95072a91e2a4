package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

// A file of any size goes in pieces.
func ExampleWorkspace_StoreFile() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	film := strings.NewReader("clouds, clouds, sun")
	for {
		n, err := ws.StoreFile(ctx, "film", film, 8) // 1<<20 is a good size
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		fmt.Println(n)
	}
	_, err := ws.StoreFile(ctx, "film", film, workspace.MaxValue+1)
	fmt.Println(errors.Is(err, workspace.ErrValue))
	// Output:
	// 8
	// 8
	// 3
	// true
}

func ExampleWorkspace_FetchFile() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	_, err := ws.StoreFile(ctx, "photo", strings.NewReader("clouds\n"), 0) // all of it
	check(err)
	n, err := ws.FetchFile(ctx, "photo", os.Stdout) // waits
	fmt.Println(n, err)
	// Output:
	// clouds
	// 7 <nil>
}

func ExampleWorkspace_FindFile() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	_, err := ws.StoreFile(ctx, "photo", strings.NewReader("clouds"), 0)
	check(err)
	for range 2 {
		var photo bytes.Buffer
		_, err := ws.FindFile(ctx, "photo", &photo) // waits, and leaves it there
		check(err)
		fmt.Println(photo.String())
	}
	// Output:
	// clouds
	// clouds
}

func ExampleWorkspace_TryFetchFile() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	_, err := ws.StoreFile(ctx, "photo", strings.NewReader("clouds\n"), 0)
	check(err)
	for range 2 {
		n, ok, err := ws.TryFetchFile(ctx, "photo", os.Stdout)
		fmt.Println(n, ok, err)
	}
	// Output:
	// clouds
	// 7 true <nil>
	// 0 false <nil>
}

func ExampleWorkspace_TryFindFile() {
	ctx := context.Background()
	ws, done := weather()
	defer done()

	_, err := ws.StoreFile(ctx, "photo", strings.NewReader("clouds\n"), 0)
	check(err)
	for range 2 {
		n, ok, err := ws.TryFindFile(ctx, "photo", os.Stdout)
		fmt.Println(n, ok, err)
	}
	// Output:
	// clouds
	// 7 true <nil>
	// clouds
	// 7 true <nil>
}
