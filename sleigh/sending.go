package sleigh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// sumFunction gives the SHA-256 of a file.
const sumFunction = `sum() { { sha256sum || shasum -a 256; } <"$1" 2>/dev/null | cut -c 1-64; }; `

// sendScript takes a program of the SHA-256 $1, unless it is there. See workerScript for how it is written.
const sendScript = `umask 077; d=$HOME/.cache/netspaces; f=$d/$1; ` + sumFunction +
	`echo "netspaces: host $(uname -sm)"; ` +
	`if [ -x "$f" ] && [ "$(sum "$f")" = "$1" ]; then touch "$f"; echo "netspaces: there"; exit 0; fi; ` +
	`mkdir -p "$d" && t=$(mktemp "$f.XXXXXX") || exit 1; ` +
	`find "$d" -maxdepth 1 -type f -name "[0-9a-f]*" -mtime +30 -exec rm -f {} + 2>/dev/null; ` +
	`echo "netspaces: wanted"; ` +
	`if cat >"$t" && [ "$(sum "$t")" = "$1" ]; then chmod 700 "$t" && mv -f "$t" "$f" && echo "netspaces: there" && exit 0; fi; ` +
	`rm -f "$t"; echo "netspaces: the program did not arrive whole, or there is neither sha256sum nor shasum" >&2; exit 1`

// remoteProgram is where sendScript puts it.
func remoteProgram(sum string) string { return "~/.cache/netspaces/" + sum }

// sending is one of the program to a host.
type sending struct {
	done   chan struct{} // closed when it is over
	err    error
	stderr string
}

// send sends the program to the host, if it is not there. Those who ask at the same time share one sending.
func (h *sshHost) send(ctx context.Context, printed *tail) error {
	h.mu.Lock()
	s := h.sending
	first := s == nil
	if first {
		s = &sending{done: make(chan struct{})}
		h.sending = s
	}
	h.mu.Unlock()
	if !first {
		select {
		case <-s.done:
			printed.recall(s.stderr)
			return s.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.err = h.transfer(ctx, printed)
	s.stderr = printed.String()
	if s.err != nil {
		h.forget()
	}
	close(s.done)
	return s.err
}

// forget has the program sent again, when it is needed next.
func (h *sshHost) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sending = nil
}

func (h *sshHost) transfer(ctx context.Context, printed *tail) error {
	leaveDoor, err := h.enter(ctx)
	if err != nil {
		return err
	}
	defer leaveDoor()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := h.command(ctx, nil, sendScript, h.sum)
	ownGroup(cmd)
	cmd.Stderr, cmd.WaitDelay = printed, outputFor
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	there, err := h.converse(stdin, stdout, printed)
	_ = stdin.Close()
	if err != nil {
		cancel()
	}
	ended := cmd.Wait()
	switch {
	case err != nil:
		return err
	case there:
		return nil
	}
	var exit *exec.ExitError
	if errors.As(ended, &exit) && exit.ExitCode() == sshFailed {
		return errors.New(explain(sshFailed))
	}
	return fmt.Errorf("the program was not sent: %v", cmd.ProcessState)
}

// converse is the other side of sendScript. What ends early is seen by how its ssh ends.
func (h *sshHost) converse(stdin io.WriteCloser, stdout io.Reader, printed io.Writer) (there bool, err error) {
	for in := bufio.NewReader(stdout); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return false, nil //nolint:nilerr // See above.
		}
		said, ours := strings.CutPrefix(strings.TrimSpace(line), "netspaces: ")
		uname, isHost := strings.CutPrefix(said, "host ")
		switch {
		case !ours:
			_, _ = io.WriteString(printed, line)
		case isHost:
			if err := wrongPlatform(h.name, uname); err != nil {
				return false, err
			}
		case said == "there":
			return true, nil
		case said == "wanted":
			if err := h.pour(stdin); err != nil {
				return false, err
			}
		}
	}
}

// pour writes the program.
func (h *sshHost) pour(stdin io.WriteCloser) error {
	file, err := openProgram()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	h.crew.s.log.Info("the program is being sent", "host", h.name)
	_, _ = io.Copy(stdin, file) // where this fails, ssh has ended, and how tells more
	_ = stdin.Close()
	return nil
}
