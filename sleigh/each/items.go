package each

import "io"
import "iter"

// MaxItem is how many bytes an item may have. One that is an argument of a command may have far less: Linux allows 128 KiB.
const MaxItem = 8 << 20

// Items gives some items.
func Items(items ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Lines gives the lines of a text as they are read, without their newlines. The last one may lack it. An empty line is an
// empty item, and a carriage return is a part of the line, as in GNU parallel. It ends with an error where reading fails, and
// at a line longer than MaxItem. It can be ranged over once.
func Lines(r io.Reader) iter.Seq2[string, error] { return records(r, '\n') }

// Records is Lines for items that end with NUL, as find -print0 writes them.
func Records(r io.Reader) iter.Seq2[string, error] { return records(r, 0) }
