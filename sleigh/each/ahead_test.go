package each

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// It reads on while it holds little, tells at once how many there were, and gives them in their order.
func TestAhead(t *testing.T) {
	for name, test := range map[string]struct {
		items []string
		err   error
		read  int // before anything is taken
		count int // that is told then; -1 for none
	}{
		"few":   {[]string{"a", "b", "c"}, nil, 3, 3},
		"none":  {nil, nil, 0, 0},
		"many":  {[]string{"a", "b", "c", "d", "e", "f"}, nil, 4, -1},
		"large": {[]string{"a", "1234567", "123", "d"}, nil, 3, -1},
		"wrong": {[]string{"a", "b"}, errors.New("unreadable"), 3, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				entries := make(chan entry)
				read, count := 0, -1
				go func() {
					defer close(entries)
					for _, item := range test.items {
						entries <- entry{item: item}
						read++
					}
					if test.err != nil {
						entries <- entry{err: test.err}
						read++
					}
				}()
				taken := ahead(t.Context(), entries, 4, 10, func(n int) { count = n })
				synctest.Wait()
				if read != test.read || count != test.count {
					t.Errorf("it has read %d and counted %d; want %d, %d", read, count, test.read, test.count)
				}
				var items []string
				var err error
				for next := range taken {
					if err = next.err; err == nil {
						items = append(items, next.item)
					}
				}
				if !slices.Equal(items, test.items) || !errors.Is(err, test.err) {
					t.Errorf("it gave %q, %v; want %q, %v", items, err, test.items, test.err)
				}
				if want := len(test.items); test.err == nil && count != want {
					t.Errorf("at the end it has counted %d, want %d", count, want)
				}
			})
		})
	}
}

// It ends with the context, whether it is to read or to give.
func TestAheadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		entries := make(chan entry)
		taken := ahead(ctx, entries, 4, 10, func(int) { t.Error("it counts") })
		entries <- entry{item: "a"}
		cancel()
		synctest.Wait()
		for range taken { // perhaps a
		}
	})
}
