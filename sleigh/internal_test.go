package sleigh

import (
	"context"

	"github.com/netspaces/netspaces/workspace"
)

// For tests of the package's own.
var (
	ProgressOf = progressOf
	Cut        = cut
)

const (
	PageBytes = pageBytes
	MostPages = mostPages
	LineBytes = lineBytes
	MostBytes = mostBytes
	TellEvery = tellEvery
)

// StoreLines stores lines as a worker does.
func StoreLines(ctx context.Context, ws *workspace.Workspace, rank int, client string, before, left int, texts ...string) (stored int, err error) {
	var lines []printed
	for _, text := range texts {
		lines = append(lines, printed{Stream: Stdout, Text: text})
	}
	text, n := pageOf(rank, "host", client, before, left, lines)
	return n, storePage(ctx, ws, text)
}
