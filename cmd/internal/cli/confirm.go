package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

var errDeclined = errors.New("nothing was done")

// Confirm asks on the terminal, and returns nil if the answer is yes. Where stdin is no terminal it asks nobody, and returns
// an error with CodeUsage that names --force. It blocks until there is an answer or ctx ends.
func (r *Run) Confirm(ctx context.Context, format string, args ...any) error {
	question := fmt.Sprintf(format, args...)
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return &Error{
			Code:   CodeUsage,
			Err:    fmt.Errorf("there is no terminal to ask: %s", question),
			Advice: "Give --force to do it without being asked.",
		}
	}
	fmt.Fprintf(r.Stderr, "%s [y/N] ", question)
	answers := make(chan string, 1)
	go func() { // A read of the terminal cannot be ended.
		line, _ := bufio.NewReader(r.Stdin).ReadString('\n')
		answers <- line
	}()
	select {
	case answer := <-answers:
		if !strings.HasSuffix(answer, "\n") { // Ctrl-D
			fmt.Fprintln(r.Stderr)
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		}
		return errDeclined
	case <-ctx.Done():
		fmt.Fprintln(r.Stderr)
		return ctx.Err()
	}
}
