package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// program is what the commands of a root command share. They find it in their context.
type program struct {
	settings   *settings
	interrupts *interrupts
}

type programKey struct{}

func programOf(cmd *cobra.Command) *program { return cmd.Context().Value(programKey{}).(*program) }

// Main runs a program by its command line, and returns its exit code. It adds to root the flags that all commands have, help,
// completion and --version.
func Main(root *cobra.Command) int {
	p := &program{settings: &settings{}, interrupts: listenToSignals()}
	p.settings.define(root)
	root.Version = version()
	root.SilenceErrors, root.SilenceUsage = true, true
	setHelp(root)

	cmd, err := root.ExecuteContextC(context.WithValue(p.interrupts.ctx, programKey{}, p))
	if err == nil {
		return CodeOK
	}
	v := judge(explainUsage(cmd, err))
	if v.message != "" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", root.Name(), redact(plain(v.message)))
	}
	if v.advice != "" {
		fmt.Fprintln(os.Stderr, redact(v.advice))
	}
	return v.code
}

// plain is a message without the names of the packages that it is from, which say nothing to the users of a command.
func plain(message string) string {
	for _, name := range []string{"redisx: ", "workspace: ", "sleigh: ", "each: "} {
		message = strings.ReplaceAll(strings.TrimPrefix(message, name), ": "+name, ": ")
	}
	return message
}
