package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// How many lines, of how many bytes, are stored in one call at the most.
const (
	batchLines = 1000
	batchBytes = 1 << 20
)

// store is the command store.
type store struct {
	how       reading
	file      string
	lines     bool
	pieceSize size
}

func newStore() *cobra.Command {
	s := &store{}
	cmd := &cobra.Command{
		Use:        "store WS VAR [VALUE...|-]",
		SuggestFor: []string{"put", "push", "set", "add", "write"},
		Short:      "Store values into a variable",
		Example: `  nws store weather temperature 21.5 22
  nws store weather station '{"name": "Alpha", "height": 480}'
  nws store weather note "no wind"           # no JSON: a string
  date | nws store weather seen              # one value, from stdin
  seq 1000 | nws store jobs todo --lines     # a value for each line
  nws store films dune --file dune.mkv --piece-size 1MiB`,
		Long: `A VALUE is JSON if it parses, else a string. Without one, or with -, the value is what stdin has; the newline at
its end is not part of a string. A file is stored as it is.

A workspace that is missing is made, and stays until 'nws rm' deletes it. After -- nothing is a flag: store WS VAR -- -5.`,
		Args:              cli.Args,
		ValidArgsFunction: completeNames(),
		RunE:              inWorkspace(true, s.check, s.run),
	}
	flags := cmd.Flags()
	flags.BoolVar(&s.how.raw, "raw", false, "store bytes as they are, whether or not they are JSON")
	flags.BoolVar(&s.how.text, "string", false, "store strings, also of what is JSON")
	flags.StringVar(&s.file, "file", "", "store what is in this `FILE` (- is stdin), as it is")
	flags.BoolVar(&s.lines, "lines", false, "store each line of stdin, or of the file, as a value")
	flags.Var(&s.pieceSize, "piece-size", "store the file in pieces of this `size`, such as 1MiB; a value has 64 MiB at most")
	_ = cmd.MarkFlagFilename("file")
	return cmd
}

// check finds what does not go together on the command line.
func (s *store) check(_ *cli.Run, args []string) error {
	values := args[1:]
	switch {
	case len(values) > 0 && s.file != "":
		return cli.Usagef("either --file or values, not both")
	case len(values) > 0 && s.lines && !isDash(values):
		return cli.Usagef("either --lines or values, not both")
	case s.pieceSize > 0 && s.file == "":
		return cli.Usagef("--piece-size goes with --file")
	case s.pieceSize > 0 && (s.how.text || s.lines):
		return cli.Usagef("--piece-size does not go with --string or --lines")
	case s.how.raw && s.how.text:
		return cli.Usagef("either --raw or --string, not both")
	case len(values) == 0 && s.file == "" && !s.lines && term.IsTerminal(int(os.Stdin.Fd())):
		return cli.Usagef("VALUE is missing; - reads it from the terminal, up to Ctrl-D")
	}
	return nil
}

func isDash(values []string) bool { return len(values) == 1 && values[0] == "-" }

func (s *store) fromStdin(values []string) bool {
	return s.file == "-" || s.file == "" && (len(values) == 0 || isDash(values))
}

func (s *store) run(ctx context.Context, r *cli.Run, ws *workspace.Workspace, args []string) error {
	name, values := args[0], args[1:]
	if !s.fromStdin(values) && s.file == "" {
		var all []any
		for _, text := range values {
			value, err := s.how.value([]byte(text))
			if err != nil {
				return &cli.Error{Code: cli.CodeUsage, Err: fmt.Errorf("%q: %w", text, err)}
			}
			all = append(all, value)
		}
		return ws.StoreAll(ctx, name, all...)
	}
	in := io.Reader(nil)
	if s.fromStdin(values) {
		in = r.Input(ctx)
	} else {
		file, err := os.Open(s.file)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	switch {
	case s.lines:
		n, err := s.storeLines(ctx, ws, name, bufio.NewReaderSize(in, batchBytes))
		r.Log.Debug("stored", "lines", n)
		if err != nil && n > 0 {
			return fmt.Errorf("%d lines were stored: %w", n, err)
		}
		return err
	case s.how.raw || s.file != "" && !s.how.text:
		return s.storePieces(ctx, ws, name, in)
	}
	text, err := io.ReadAll(io.LimitReader(in, workspace.MaxValue+2))
	if err != nil {
		return err
	}
	if s.file == "" {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	value, err := s.how.value(text)
	if err != nil {
		return err
	}
	return ws.Store(ctx, name, value)
}

// storePieces stores what in has as one value, or as several if there is a size. An empty file is an empty value.
func (s *store) storePieces(ctx context.Context, ws *workspace.Workspace, name string, in io.Reader) error {
	for first := true; ; first = false {
		_, err := ws.StoreFile(ctx, name, in, int64(s.pieceSize))
		switch {
		case errors.Is(err, io.EOF) && first:
			return ws.Store(ctx, name, []byte{})
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case s.pieceSize == 0:
			return nil
		}
	}
}

// storeLines stores lines as soon as they come: those that are there already in one call. It returns how many it has stored.
func (s *store) storeLines(ctx context.Context, ws *workspace.Workspace, name string, in *bufio.Reader) (stored int, err error) {
	for {
		var batch []any
		size, readErr := 0, error(nil)
		for more := true; more && readErr == nil; {
			var line []byte
			line, readErr = readLine(in, workspace.MaxValue)
			if errors.Is(readErr, workspace.ErrValue) {
				readErr = fmt.Errorf("line %d: %w", stored+len(batch)+1, readErr)
			}
			if readErr != nil && len(line) == 0 {
				break
			}
			value, err := s.how.value(bytes.TrimSuffix(line, []byte("\n")))
			if err != nil {
				return stored, fmt.Errorf("line %d: %w", stored+len(batch)+1, err)
			}
			batch, size = append(batch, value), size+len(value)
			waiting, _ := in.Peek(in.Buffered())
			more = bytes.IndexByte(waiting, '\n') >= 0 && len(batch) < batchLines && size < batchBytes
		}
		if len(batch) > 0 {
			if err := ws.StoreAll(ctx, name, batch...); err != nil {
				return stored, err
			}
			stored += len(batch)
		}
		if errors.Is(readErr, io.EOF) {
			return stored, nil
		}
		if readErr != nil {
			return stored, readErr
		}
	}
}

// readLine reads a line with its newline, which the last one may lack. Of one that has more than most bytes it reads no more.
func readLine(in *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(bytes.TrimSuffix(part, []byte("\n"))) > most {
			return nil, fmt.Errorf("%w: it has more than %d bytes", workspace.ErrValue, most)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
