package sleigh

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Log returns a logger whose records go to the master, with the element of the function that was given ctx: see
// Options.Output and Options.LogLevel. Outside of a function it is slog's default. It never blocks for longer than it takes
// to write a line down.
//
// In a worker process, slog's default does the same with its methods that take a context, where the program has not set
// another one.
func Log(ctx context.Context) *slog.Logger {
	el := elementFrom(ctx)
	if el == nil {
		return slog.Default()
	}
	return slog.New(newHandler(el.e.w, el))
}

// handler has records go to the master.
type handler struct {
	w      *Worker
	el     *element     // nil: that of the context, if there is one
	text   slog.Handler // writes attributes
	buffer *recordBuffer
}

// recordBuffer is what attributes are written into. It is shared by handlers that come from each other.
type recordBuffer struct {
	sync.Mutex
	bytes.Buffer
}

func newHandler(w *Worker, el *element) *handler {
	b := &recordBuffer{}
	return &handler{w: w, el: el, buffer: b, text: slog.NewTextHandler(&b.Buffer, &slog.HandlerOptions{Level: slog.Level(-1 << 30)})}
}

// Enabled is of slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.w.level }

// WithAttrs is of slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.text = h.text.WithAttrs(attrs)
	return &with
}

// WithGroup is of slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	with := *h
	with.text = h.text.WithGroup(name)
	return &with
}

// Handle is of slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	attrs, err := h.attrs(ctx, r)
	if err != nil {
		return err
	}
	el := h.el
	if el == nil {
		el = elementFrom(ctx)
	}
	h.w.logged(printed{At: r.Time, Stream: Logged, Level: r.Level, Text: cut(r.Message+attrs, 0)}, el)
	return nil
}

// attrs is the attributes of a record as text, each after a blank.
func (h *handler) attrs(ctx context.Context, r slog.Record) (string, error) {
	bare := slog.NewRecord(time.Time{}, r.Level, "", 0)
	r.Attrs(func(a slog.Attr) bool {
		bare.AddAttrs(a)
		return true
	})
	h.buffer.Lock()
	defer h.buffer.Unlock()
	h.buffer.Reset()
	if err := h.text.Handle(ctx, bare); err != nil {
		return "", err
	}
	_, attrs, _ := strings.Cut(h.buffer.String(), ` msg=""`)
	return strings.TrimSuffix(attrs, "\n"), nil
}

// logged puts a record down after what was printed before it.
func (w *Worker) logged(p printed, el *element) {
	if c := w.capture; c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.pipe.drain()
		if el == nil {
			el = c.only()
		}
	}
	w.out.add(p.by(el))
}
