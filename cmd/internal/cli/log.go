package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// repeatEvery is how often a person is told the same.
const repeatEvery = 30 * time.Second

// newLog makes the log of a command: everything with --verbose; else warnings, as lines for people.
func newLog(w io.Writer, program string, verbose, quiet bool) *slog.Logger {
	if verbose {
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	h := &lines{program: program, level: slog.LevelWarn, told: &told{w: w, at: map[string]time.Time{}}}
	if quiet {
		h.level = slog.LevelError
	}
	return slog.New(h)
}

// lines writes records as other messages of a command look. What is said again and again, as while Redis is away, is
// written now and then.
type lines struct {
	program string
	level   slog.Level
	attrs   []slog.Attr
	told    *told
}

type told struct {
	mu sync.Mutex
	w  io.Writer
	at map[string]time.Time // message -> when it was written last
}

func (h *lines) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *lines) Handle(_ context.Context, record slog.Record) error {
	h.told.mu.Lock()
	defer h.told.mu.Unlock()
	if last, ok := h.told.at[record.Message]; ok && record.Time.Sub(last) < repeatEvery {
		return nil
	}
	h.told.at[record.Message] = record.Time
	var line strings.Builder
	fmt.Fprintf(&line, "%s: %s", h.program, record.Message)
	add := func(attr slog.Attr) bool {
		fmt.Fprintf(&line, " %s=%q", attr.Key, attr.Value.Resolve().String())
		return true
	}
	for _, attr := range h.attrs {
		add(attr)
	}
	record.Attrs(add)
	_, err := fmt.Fprintln(h.told.w, redact(line.String()))
	return err
}

func (h *lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(slices.Clone(h.attrs), attrs...)
	return &with
}

// WithGroup leaves out the group: a line for people has no need of it.
func (h *lines) WithGroup(string) slog.Handler { return h }
