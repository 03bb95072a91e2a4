package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress is a bar with rate and time left. Where w is no terminal it shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, chunks int) progress {
	f, ok := w.(*os.File)
	return progress{progressbar.NewOptions(chunks,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(ok && chunks > 0 && term.IsTerminal(int(f.Fd()))),
		progressbar.OptionSetDescription("primes"),
		progressbar.OptionSetItsString("chunks"),
		progressbar.OptionShowIts(),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// show is told how many chunks are done. That a bar can't be drawn is no reason to stop.
func (p progress) show(done int) { _ = p.bar.Set(done) }

// clear leaves an empty line.
func (p progress) clear() { _ = p.bar.Clear() }
