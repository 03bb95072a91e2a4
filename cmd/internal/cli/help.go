package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setHelp has all commands of root explain themselves the same way.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd.OutOrStdout(), cmd) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { writeHelp(cmd.OutOrStderr(), cmd); return nil })
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.HasSubCommands() && !cmd.Runnable() {
			cmd.Args = nil
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return unknownCommand(cmd, args[0])
				}
				return cmd.Help()
			}
		}
	}
}

// writeHelp puts the examples first: they are what most people look for.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	var page strings.Builder
	section := func(title, body string) {
		if body = strings.Trim(body, "\n"); body != "" {
			fmt.Fprintf(&page, "\n%s:\n%s\n", title, body)
		}
	}
	fmt.Fprintln(&page, cmd.Short)
	section("Examples", cmd.Example)
	usage := "  " + cmd.UseLine()
	if !cmd.Runnable() {
		usage = "  " + cmd.CommandPath() + " COMMAND [flags]"
	}
	section("Usage", usage)
	if cmd.Long != "" {
		fmt.Fprintf(&page, "\n%s\n", strings.TrimSpace(cmd.Long))
	}
	var commands strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			fmt.Fprintf(&commands, "  %-*s %s\n", sub.NamePadding(), sub.Name(), sub.Short)
		}
	}
	section("Commands", commands.String())
	columns, _ := newScreen(os.Stdout, false, nil).Size()
	section("Flags", flagUsages(cmd.LocalFlags(), columns))
	section("Flags of all commands", flagUsages(cmd.InheritedFlags(), columns))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&page, "\n'%s COMMAND --help' says more about a command.\n", cmd.CommandPath())
	}
	_, _ = io.WriteString(w, page.String())
}

// flagUsages lists flags, within that many columns if it is not 0. Other than pflag's it says nothing of --json=true.
func flagUsages(flags *pflag.FlagSet, columns int) string {
	var names, usages []string
	width := 0
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(flag)
		name := "      --" + flag.Name
		if flag.Shorthand != "" {
			name = "  -" + flag.Shorthand + ", --" + flag.Name
		}
		switch {
		case flag.Value.Type() == "bool":
		case flag.NoOptDefVal != "":
			name += "[=" + kind + "]"
		default:
			name += " " + kind
		}
		if value := flag.DefValue; value != "" && value != "0" && value != "false" && value != "[]" && flag.Value.Type() != "bool" {
			usage += " (default " + value + ")"
		}
		names, usages = append(names, name), append(usages, usage)
		width = max(width, len(name))
	})
	var all strings.Builder
	for i, name := range names {
		usage := usages[i]
		if room := columns - width - 2; columns > 0 && room >= 20 {
			usage = strings.ReplaceAll(text.WrapSoft(usage, room), "\n", "\n"+strings.Repeat(" ", width+2))
		}
		fmt.Fprintf(&all, "%-*s  %s\n", width, name, usage)
	}
	return all.String()
}

// newHelp is the command help, which cobra's own lets end well for a command that is not there.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...]",
		Short: "Say more about a command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if about, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range about.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[len(args)-max(1, len(rest))])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// explainUsage adds to an error of the command line what was probably meant, and where to find help.
func explainUsage(cmd *cobra.Command, err error) error {
	var name string
	if _, failed := fmt.Sscanf(err.Error(), "unknown command %q", &name); failed == nil && !isUsage(err) { // it is cobra's own
		err = unknownCommand(cmd, name)
	}
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name, short := missing.GetSpecifiedName(), missing.GetSpecifiedShortnames()
		if meant := nearestFlag(cmd, name); meant != "" && short == "" {
			err = Usagef("%w. Did you mean --%s?", err, meant)
		} else if strings.Trim(short, "0123456789.") == "" && short != "" {
			err = Usagef("%w. After -- nothing is a flag: -- -%s", err, short)
		}
	}
	if isUsage(err) {
		return &Error{Err: err, Code: CodeUsage, Advice: fmt.Sprintf("Try '%s --help'.", cmd.CommandPath())}
	}
	return err
}

// isUsage also knows those errors which cobra makes itself, of flags that are required or exclude each other.
func isUsage(err error) bool {
	_, ok := errors.AsType[*usageError](err)
	text := err.Error()
	return ok || strings.HasPrefix(text, "required flag(s)") || strings.HasPrefix(text, "if any flags in the group") ||
		strings.HasPrefix(text, "at least one of the flags in the group")
}

func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = distance(name)
	if meant := slices.Compact(cmd.SuggestionsFor(name)); len(meant) > 0 {
		return Usagef("unknown command %q. Did you mean %s?", name, strings.Join(meant, " or "))
	}
	return Usagef("unknown command %q", name)
}

// distance is how many letters of a name may be wrong: two, or one of a short name, which too many others are like.
func distance(name string) int { return max(1, min(2, len(name)/2)) }

// nearestFlag finds the flag that somebody meant who mistyped it, or none.
func nearestFlag(cmd *cobra.Command, name string) string {
	// cobra knows how far names are from each other, but only those of commands.
	names := &cobra.Command{SuggestionsMinimumDistance: distance(name)}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	for _, meant := range names.SuggestionsFor(name) {
		return meant
	}
	return ""
}
