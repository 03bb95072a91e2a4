package redisx

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// counted says how many members a set has, right after they were read.
func counted(ctx context.Context, rdb *Client, key string) (members []string, count any, err error) {
	read := redis.NewStringSliceCmd(ctx, "smembers", key)
	script := NewScript("count", `return redis.call('scard', KEYS[1])`)
	count, err = rdb.RunAfter(ctx, read, script, []string{key})
	return read.Val(), count, err
}

func TestRunAfter(t *testing.T) {
	for name, url := range map[string]string{"embedded": "mem://", "server": redistest.Start(t).URL()} {
		t.Run(name, func(t *testing.T) {
			rdb := mustOpen(t, url)
			var all sync.WaitGroup
			for i := range 50 { // some travel together, with calls of others
				all.Go(func() {
					if _, err := rdb.Run(t.Context(), join, []string{"k"}, i); err != nil {
						t.Error(err)
					}
					members, count, err := counted(t.Context(), rdb, "k")
					if err != nil || len(members) == 0 {
						t.Errorf("%q, %v, %v", members, count, err)
					}
				})
			}
			all.Wait()
			if err := rdb.Redis().ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			if members, count, err := counted(t.Context(), rdb, "k"); err != nil || len(members) != 50 || count != int64(50) {
				t.Errorf("%d members, counted %v, %v", len(members), count, err)
			}
			if err := rdb.Redis().Set(t.Context(), "text", "x", 0).Err(); err != nil {
				t.Fatal(err)
			}
			read := redis.NewStringSliceCmd(t.Context(), "smembers", "text")
			_, err := rdb.RunAfter(t.Context(), read, NewScript("one", "return 1"), []string{"text"})
			if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
				t.Errorf("reading what is no set: %v", err)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if _, _, err := counted(ended, rdb, "k"); !errors.Is(err, context.Canceled) {
				t.Errorf("after the end of the context: %v", err)
			}
			_ = rdb.Close()
			if _, _, err := counted(t.Context(), rdb, "k"); !errors.Is(err, redis.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
}

// Where a slot moves, the two might come to two nodes, and so are refused.
func TestRunAfterInACluster(t *testing.T) {
	servers := redistest.StartCluster(t, 3, 1)
	rdb := mustOpen(t, servers.URL())
	for _, key := range keysOfMasters(servers, 3) {
		if _, err := rdb.Run(t.Context(), join, []string{key}, "x"); err != nil {
			t.Fatal(err)
		}
		if members, count, err := counted(t.Context(), rdb, key); err != nil || len(members) != 1 || count != int64(1) {
			t.Errorf("%q, counted %v, %v", members, count, err)
		}
	}
	key := keysOfMasters(servers, 1)[0]
	move := servers.BeginMove(key)
	move.MoveKeys(1)
	if _, _, err := counted(t.Context(), rdb, key); !isRedirect(err) {
		t.Errorf("while its slot moves: %v", err)
	}
	move.Finish()
}
