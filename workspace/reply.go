package workspace

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
)

// reply is what a script returned: a word, and what goes with it.
type reply struct {
	word string
	rest []any
	kept *departure // of a reply that stays in its lane: to be told, or its lane to be freed
}

// unpack takes a reply that stands in one text: "length:text length:text …", without the blanks.
func unpack(packed string) (r reply, ok bool) {
	for packed != "" {
		length, rest, _ := strings.Cut(packed, ":")
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 || n > len(rest) {
			return reply{}, false
		}
		if r.word == "" {
			r.word = rest[:n]
		} else {
			r.rest = append(r.rest, rest[:n])
		}
		packed = rest[n:]
	}
	return r, r.word == "KEPT" && len(r.rest) >= 2 || r.word == "CLAIM" && len(r.rest) >= 6
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
		switch v := r.rest[i].(type) {
		case int64:
			return int(v)
		case string:
			n, _ := strconv.Atoi(v)
			return n
		}
	}
	return 0
}

// size is how many bytes the texts have.
func (r reply) size() int {
	size := 0
	for _, v := range r.rest {
		text, _ := v.(string)
		size += len(text)
	}
	return size
}

// texts takes a reply that is a list of texts.
func texts(raw any, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	fields, _ := raw.([]any)
	list := make([]string, len(fields))
	for i := range fields {
		list[i], _ = fields[i].(string)
	}
	return list, nil
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
	if _, unknown := errors.AsType[*redisx.UnknownError](err); err != nil && !unknown && ws.ctx.Err() != nil {
		err = ErrClosed
	}
	return r, err
}

// plain runs one command on a key.
func plain(ctx context.Context, rdb *redisx.Client, command, key string, args ...any) (any, error) {
	raw, err := rdb.Run(ctx, plainScript, []string{key}, append([]any{command}, args...)...)
	return raw, explain(err)
}

func call(ctx context.Context, rdb *redisx.Client, s *redisx.Script, keys []string, args ...any) (reply, error) {
	raw, err := rdb.Run(ctx, s, keys, args...)
	if err != nil {
		return reply{}, explain(err)
	}
	r, ok := replyOf(raw)
	if !ok {
		return reply{}, fmt.Errorf("workspace: a script replied %v", raw)
	}
	return r, nil
}

func replyOf(raw any) (r reply, ok bool) {
	list, _ := raw.([]any)
	if len(list) == 0 {
		return reply{}, false
	}
	word, ok := list[0].(string)
	return reply{word: word, rest: list[1:]}, ok
}

// explain makes a typed error of what a script or Redis says of data that is not as it should be.
func explain(err error) error {
	redisErr, ok := errors.AsType[redis.Error](err)
	if !ok {
		return err
	}
	text := redisErr.Error()
	if _, what, found := strings.Cut(text, "NWSDAMAGED "); found {
		return fmt.Errorf("%w: %s", ErrDamaged, what)
	}
	if strings.Contains(text, "not an integer") || strings.Contains(text, "would overflow") {
		return fmt.Errorf("%w: a number is none: %w", ErrDamaged, err)
	}
	if strings.Contains(text, "WRONGTYPE") {
		return fmt.Errorf("%w: a key has a wrong type; see them with redis-cli --scan: %w", ErrDamaged, err)
	}
	return err
}

func versionError(name, version string) error {
	return fmt.Errorf("workspace %q: %w: it has version %s, this program works with %s; use programs of the same version",
		name, ErrVersion, version, protocolVersion)
}

// publishCommand is how scripts reach those who wait: in a cluster, by a message that stays in its shard.
func publishCommand(rdb *redisx.Client) string {
	if rdb.Cluster() {
		return "SPUBLISH"
	}
	return "PUBLISH"
}
