package each

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
)

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

func records(r io.Reader, end byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			item, err := readRecord(in, end)
			if errors.Is(err, io.EOF) && item == "" {
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield("", fmt.Errorf("item %d: %w", n, err))
				return
			}
			if !yield(item, nil) || err != nil {
				return
			}
		}
	}
}

// readRecord gives a record without what ends it. With io.EOF it is the last one, which nothing ended; empty, there is none.
func readRecord(in *bufio.Reader, end byte) (string, error) {
	var long []byte
	for {
		part, err := in.ReadSlice(end)
		size := len(long) + len(part)
		if err == nil {
			size--
		}
		if size > MaxItem {
			return "", fmt.Errorf("it is longer than %d bytes", MaxItem)
		}
		switch {
		case err == nil && long == nil:
			return string(part[:len(part)-1]), nil
		case err == nil:
			long = append(long, part[:len(part)-1]...)
			return string(long), nil
		}
		long = append(long, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return string(long), err
		}
	}
}
