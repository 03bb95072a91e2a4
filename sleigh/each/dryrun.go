package each

import (
	"context"
	"iter"
)

// dryRun writes the commands.
func (w *writer) dryRun(ctx context.Context, items iter.Seq2[string, error], command Command) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	entries := read(ctx, items)
	for seq := 1; ; seq++ {
		var next entry
		ok := false
		select {
		case next, ok = <-entries:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !ok || next.err != nil {
			return next.err
		}
		e := command.element(seq, next.item, w.o)
		if w.log.has.has(seq) {
			w.summary.Skipped++
		} else if err := w.tell(&e); err != nil {
			return err
		}
	}
}

// tell writes the command of an element.
func (w *writer) tell(e *element) error {
	command := quote(expand(e.Args, string(e.Item), e.Seq, e.Pipe))
	text := []byte(command + "\n")
	if w.o.Tag {
		text = tagged(string(e.Item), text)
	}
	_, err := w.o.Stdout.Write(text)
	if err == nil && w.o.OnResult != nil {
		err = w.o.OnResult(Result{Seq: e.Seq, Item: string(e.Item), Command: command, Worker: -1})
	}
	return err
}
