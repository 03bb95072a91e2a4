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

// kind is what a command is, for its log and its end.
type kind int

const (
	oneOff     kind = iota // a command that somebody waits for
	look                   // one that changes nothing
	service                // one that is left to itself
	completion             // of a command line, which is not to be disturbed
)

// logging is how a command logs.
type logging struct {
	program        string
	of             kind
	terminal       bool // a person reads it
	verbose, quiet bool
}

func (l logging) isJSON() bool { return l.of == service && !l.terminal }

// to makes the log.
func (l logging) to(w io.Writer) *slog.Logger {
	level := slog.LevelWarn
	switch {
	case l.verbose:
		level = slog.LevelDebug
	case l.quiet:
		level = slog.LevelError
	case l.of == service:
		level = slog.LevelInfo
	}
	switch {
	case l.of == completion:
		return slog.New(slog.DiscardHandler)
	case l.isJSON():
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	case l.verbose || l.of == service:
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(&lines{program: l.program, level: level, told: &told{w: w, at: map[string]time.Time{}}})
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
