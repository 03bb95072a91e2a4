package each

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

const (
	readAhead    = 16      // items that are read before they are wanted
	mostExpected = 200_000 // items that are kept for what may come of them
)

// feed makes elements of the items, as they are wanted.
type feed struct {
	command Command
	o       *Options
	done    numbers         // items that are skipped
	halt    string          // variable
	stopped context.Context // when it has ended, no more are given
	counted func()          // is called once it is known early how many items there are; nil: they are not read ahead for that

	mu       sync.Mutex
	seq      int             // of the last item
	skipped  int             // of these, that were not even handed out
	next     int             // index of the next element
	expected map[int]element // by their indexes, those whose results have not come
	total    int             // items of the sequence; -1 while that is not known
	err      error           // of the sequence
}

// entry is what a sequence gives.
type entry struct {
	item string
	err  error
}

// read reads items in a goroutine of its own, which is left to itself where the sequence waits when ctx ends.
func read(ctx context.Context, items iter.Seq2[string, error]) <-chan entry {
	entries := make(chan entry, readAhead)
	go func() {
		defer close(entries)
		defer func() {
			if p := recover(); p != nil {
				select {
				case entries <- entry{err: fmt.Errorf("the sequence of items panicked: %v", p)}:
				case <-ctx.Done():
				}
			}
		}()
		for item, err := range items {
			select {
			case entries <- entry{item, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return entries
}

// elements gives what is to be handed out.
func (f *feed) elements(ctx context.Context, items iter.Seq2[string, error]) iter.Seq[element] {
	return func(yield func(element) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		entries := read(ctx, items)
		if f.counted != nil {
			entries = ahead(ctx, entries, mostAhead, mostAheadBytes, f.count)
		}
		for {
			var next entry
			ok := false
			select {
			case next, ok = <-entries:
			case <-f.stopped.Done():
			case <-ctx.Done():
			}
			e, more := f.take(next, ok && ctx.Err() == nil && f.stopped.Err() == nil)
			switch {
			case !more:
				return
			case e != nil && !yield(*e):
				return
			}
		}
	}
}

// take makes an element of an item; nil if it is skipped.
func (f *feed) take(next entry, ok bool) (e *element, more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !ok || next.err != nil {
		f.total, f.err = f.seq, next.err
		return nil, false
	}
	f.seq++
	skip := f.done.has(f.seq)
	if skip && f.o.Name == "" {
		f.skipped++
		return nil, true
	}
	element := f.command.element(f.seq, next.item, f.o)
	element.Skip, element.Halt = skip, f.halt // a job with a name knows its elements by their indexes: all have to be there
	if !f.o.Detach {
		f.expected[f.next] = element
		delete(f.expected, f.next-mostExpected) // it was done by the last master
	}
	f.next++
	return &element, true
}

// expect gives the element of an index, once.
func (f *feed) expect(index int) element {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.expected[index]
	if !ok {
		e.Seq = index + 1
	}
	delete(f.expected, index)
	return e
}

// count notes how many items there are, before the last of them is an element.
func (f *feed) count(items int) {
	f.mu.Lock()
	f.total = items
	f.mu.Unlock()
	f.counted()
}

// items says how many items there are, or -1 while that is not known, and how many were not even handed out.
func (f *feed) items() (items, skipped int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total, f.skipped
}

func (f *feed) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// gather reads all items.
func gather(ctx context.Context, items iter.Seq2[string, error]) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all []string
	entries := read(ctx, items)
	for {
		select {
		case next, ok := <-entries:
			if !ok || next.err != nil {
				return all, next.err
			}
			all = append(all, next.item)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
