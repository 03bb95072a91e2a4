//go:build unix

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// whenResized calls f each time that the terminal has another size, until ctx ends.
func whenResized(ctx context.Context, f func()) {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	for {
		select {
		case <-resized:
			f()
		case <-ctx.Done():
			return
		}
	}
}
