package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// Args checks the number of arguments by the words of cmd.Use: "store WS VAR [VALUE...|-]" takes two or more. Words in brackets
// may be left out; one with dots may be repeated.
func Args(cmd *cobra.Command, args []string) error {
	var needed []string
	most := 0
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if !strings.HasPrefix(word, "[") {
			needed = append(needed, word)
		}
		if strings.Contains(word, "...") {
			most = len(args)
		}
		most++
	}
	switch {
	case len(args) == len(needed)-1:
		return Usagef("%s is missing", needed[len(args)])
	case len(args) < len(needed):
		return Usagef("%s are missing", strings.Join(needed[len(args):], " and "))
	case len(args) > most:
		return Usagef("too many arguments: %q", args[most])
	}
	return nil
}
