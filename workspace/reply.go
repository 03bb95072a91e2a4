package workspace

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/netspaces/netspaces/redisx"
)

// reply is what a script returned: a word, and what goes with it.
type reply struct {
	word string
	rest []any
}

func (r reply) text(i int) string {
	if i < len(r.rest) {
		switch v := r.rest[i].(type) {
		case string:
			return v
		case int64:
			return fmt.Sprint(v)
		}
	}
	return ""
}

func (r reply) number(i int) int {
	if i < len(r.rest) {
		if n, ok := r.rest[i].(int64); ok {
			return int(n)
		}
	}
	return 0
}

func (r reply) score(i int) float64 {
	score, err := strconv.ParseFloat(strings.TrimPrefix(r.text(i), "+"), 64)
	if err != nil {
		return math.Inf(1)
	}
	return score
}

// call runs a script on this workspace. GONE comes as ErrNoWorkspace, and whatever happens after Close as ErrClosed.
func (ws *Workspace) call(ctx context.Context, s *redisx.Script, keys []string, args ...any) (reply, error) {
	if ws.ctx.Err() != nil {
		return reply{}, ErrClosed
	}
	r, err := call(ctx, ws.rdb, s, keys, args...)
	if err == nil && r.word == "GONE" {
		err = ErrNoWorkspace
	}
	if err != nil && ws.ctx.Err() != nil {
		err = ErrClosed
	}
	return r, err
}

// plain runs one command on a key.
func plain(ctx context.Context, rdb *redisx.Client, command, key string, args ...any) (any, error) {
	return rdb.Run(ctx, plainScript, []string{key}, append([]any{command}, args...)...)
}

func call(ctx context.Context, rdb *redisx.Client, s *redisx.Script, keys []string, args ...any) (reply, error) {
	raw, err := rdb.Run(ctx, s, keys, args...)
	if err != nil {
		return reply{}, err
	}
	list, ok := raw.([]any)
	if !ok || len(list) == 0 {
		return reply{}, fmt.Errorf("workspace: a script replied %v", raw)
	}
	word, ok := list[0].(string)
	if !ok {
		return reply{}, fmt.Errorf("workspace: a script replied %v", raw)
	}
	return reply{word: word, rest: list[1:]}, nil
}
