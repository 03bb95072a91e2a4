package cli

import (
	"context"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/spf13/cobra"
)

// completeWithin is how long a person waits for the names that a shell offers.
const completeWithin = 700 * time.Millisecond

// Complete makes what cobra asks for completions of arguments out of f, which gives the words for the next argument after
// args. Where no Redis answers quickly, there are none.
func Complete(f func(ctx context.Context, rdb *redisx.Client, args []string) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		r, err := newRun(cmd, completion)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		rdb, err := r.Connect(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer rdb.Close()
		words, err := f(ctx, rdb, args)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}
