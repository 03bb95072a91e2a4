package main

import (
	"context"
	"iter"
	"sync"
)

// readAhead takes all items as soon as they come, and keeps them until they are asked for, so that it is known early how
// many there are. It ends with ctx, also while none come.
func readAhead(ctx context.Context, items iter.Seq2[string, error], known func(total int)) iter.Seq2[string, error] {
	type item struct {
		text string
		err  error
	}
	var mu sync.Mutex
	var queue []item
	more := make(chan struct{}, 1) // has a value if there is something new
	ended := false
	wake := func() {
		select {
		case more <- struct{}{}:
		default:
		}
	}
	read := sync.OnceFunc(func() {
		go func() { // which nobody waits for: it may be reading from a terminal or a pipe
			total := 0
			for text, err := range items {
				mu.Lock()
				queue = append(queue, item{text, err})
				mu.Unlock()
				wake()
				total++
			}
			known(total)
			mu.Lock()
			ended = true
			mu.Unlock()
			wake()
		}()
	})
	return func(yield func(string, error) bool) {
		read()
		for {
			mu.Lock()
			some, over := queue, ended
			queue = nil
			mu.Unlock()
			for _, i := range some {
				if !yield(i.text, i.err) {
					return
				}
			}
			if over && len(some) == 0 {
				return
			}
			if len(some) > 0 {
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}
}
