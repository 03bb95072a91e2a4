package sleigh

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// deafPlace starts a process that closes its standard input, and ends some time after.
type deafPlace struct{}

func (deafPlace) prepare(ctx, _ context.Context, _ member, printed *tail) (*child, error) {
	closed := make(chan struct{})
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "exec <&-; echo closed; sleep 0.3; echo why >&2; exit 204")
	cmd.Stderr = printed
	cmd.Stdout = &sieve{to: io.Discard, take: func(string) (taken, last bool) {
		close(closed)
		return true, true
	}}
	return &child{
		cmd: cmd,
		redis: func(ctx context.Context) (string, error) {
			select {
			case <-closed:
				return "redis://127.0.0.1", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		},
		ended: explain,
	}, nil
}

// TestProcessDeaf has a worker that ends before it reads what it is to do: what is told is how it ended, not the closed pipe.
func TestProcessDeaf(t *testing.T) {
	t.Parallel()
	p := &processes{place: deafPlace{}, output: io.Discard, ended: func() {}, kill: t.Context()}
	e := p.run(t.Context(), t.Context(), member{})
	if e.err != nil || e.killed || e.cause != explain(noProgram) || strings.TrimSpace(e.stderr) != "why" {
		t.Errorf("got %+v", e)
	}
}
