//go:build !unix

package cli

import "context"

// whenResized never calls f: such a system does not tell. The next frame has the right size.
func whenResized(ctx context.Context, _ func()) { <-ctx.Done() }
