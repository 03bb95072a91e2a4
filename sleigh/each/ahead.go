package each

import "context"

// What Options.CountAhead holds at the most: so many items, and one more than fits into so many bytes.
const (
	mostAhead      = 1_000_000
	mostAheadBytes = 64 << 20
)

// ahead takes entries before they are wanted, as long as it holds less than so many, of so many bytes, and tells counted how many
// there were once they have ended well. It ends with ctx, or when all are taken.
func ahead(ctx context.Context, entries <-chan entry, most, mostBytes int, counted func(n int)) <-chan entry {
	taken := make(chan entry)
	go func() {
		defer close(taken)
		var held []entry
		n, size, failed := 0, 0, false
		for entries != nil || len(held) > 0 {
			from, to, first := entries, taken, entry{}
			if len(held) == 0 {
				to = nil
			} else {
				first = held[0]
			}
			if len(held) >= most || size >= mostBytes {
				from = nil
			}
			select {
			case next, ok := <-from:
				if ok {
					failed = next.err != nil
					held, n, size = append(held, next), n+1, size+len(next.item)
					continue
				}
				entries = nil
				if !failed {
					counted(n)
				}
			case to <- first:
				held[0] = entry{} // its text is not kept
				held, size = held[1:], size-len(first.item)
			case <-ctx.Done():
				return
			}
		}
	}()
	return taken
}
