package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Live shows a text that changes on stdout. On a terminal it is redrawn in place, also when the terminal gets another size,
// and what does not fit is cut. Elsewhere each text is printed below the last, if it is another one.
type Live struct {
	screen *Screen
	done   func()

	mu     sync.Mutex
	draw   func(width int) string
	drawn  []int // how wide each line is that stands on the terminal
	last   string
	closed bool
}

const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearRest  = "\x1b[J"
)

// Live begins to show something. Close must be called before the command ends. The cursor is hidden until then.
func (r *Run) Live(ctx context.Context) *Live {
	l := &Live{screen: r.Stdout}
	if !r.Stdout.Terminal {
		l.done = func() {}
		return l
	}
	_, _ = io.WriteString(l.screen, hideCursor)
	restore := func() { _, _ = io.WriteString(l.screen, showCursor) }
	r.interrupts.atExit(restore)
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		whenResized(ctx, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.draw != nil && !l.closed {
				_ = l.redraw()
			}
		})
	})
	l.done = func() {
		cancel()
		watching.Wait()
		r.interrupts.atExit(nil)
	}
	return l
}

// Show shows what draw gives for that many columns; 0 stands for any number. It is called again when the terminal has
// another size. Its lines end with a newline.
func (l *Live) Show(draw func(width int) string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draw = draw
	return l.redraw()
}

func (l *Live) redraw() error {
	width, height := l.screen.Size()
	frame := l.draw(width)
	if !l.screen.Terminal {
		if frame == l.last {
			return nil
		}
		if l.last != "" {
			frame = "\n" + frame
		}
		l.last = strings.TrimPrefix(frame, "\n")
		_, err := io.WriteString(l.screen, frame)
		return err
	}
	lines := strings.Split(strings.TrimSuffix(frame, "\n"), "\n")
	if most := max(height-1, 1); len(lines) > most { // the cursor's line is below
		lines = append(lines[:most-1], fmt.Sprintf("… %d more lines", len(lines)-most+1))
	}
	var out strings.Builder
	// A terminal that has become narrower has broken the lines that were there.
	up := 0
	for _, drawn := range l.drawn {
		up += max(1, (drawn+width-1)/width)
	}
	if up = min(up, height-1); up > 0 {
		fmt.Fprintf(&out, "\x1b[%dA", up)
	}
	out.WriteString("\r" + clearRest)
	l.drawn = l.drawn[:0]
	for _, line := range lines {
		if text.StringWidthWithoutEscSequences(line) > width {
			line = text.Snip(line, width, "…")
		}
		l.drawn = append(l.drawn, text.StringWidthWithoutEscSequences(line))
		out.WriteString(line + "\r\n")
	}
	_, err := io.WriteString(l.screen, out.String())
	return err
}

// Close leaves what was shown last where it is, and the cursor below. A second call does nothing.
func (l *Live) Close() {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	l.mu.Unlock()
	if !closed {
		l.done()
	}
}
