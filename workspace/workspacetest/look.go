package workspacetest

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// each calls f for the server, or for each master of a cluster, one after the other.
func (s *site) each(f func(rdb *redis.Client) error) error {
	if cluster, ok := s.admin.(*redis.ClusterClient); ok {
		gate := make(chan struct{}, 1)
		return cluster.ForEachMaster(context.Background(), func(_ context.Context, rdb *redis.Client) error {
			gate <- struct{}{}
			defer func() { <-gate }()
			return f(rdb)
		})
	}
	return f(s.admin.(*redis.Client))
}

// look gives the keys that are there. Of a shared server these are those of the test's workspace and of those nested in
// it, and their entries in the list of all workspaces.
func (s *site) look() (keys []string, err error) {
	ctx := context.Background()
	pattern := "*"
	if s.server.Shared {
		pattern = "nws:{" + s.name() + "}*"
		names, err := s.admin.ZRange(ctx, "nws:names", 0, -1).Result()
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if tag, _, _ := strings.Cut(name, "/"); tag == s.name() {
				keys = append(keys, "nws:names "+name)
			}
		}
	}
	err = s.each(func(rdb *redis.Client) error {
		found, err := rdb.Keys(ctx, pattern).Result()
		keys = append(keys, found...)
		return err
	})
	slices.Sort(keys)
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "nws:counter" }) // it stays for ever
	return keys, err
}

func (s *site) keys() []string {
	s.Helper()
	keys, err := s.look()
	s.must(err)
	return keys
}

// channels are those of the test's workspace that somebody listens to.
func (s *site) channels() (channels []string) {
	s.Helper()
	pattern := "nws:{" + s.name() + "}*"
	s.must(s.each(func(rdb *redis.Client) error {
		list := rdb.PubSubChannels
		if s.rdb.Cluster() {
			list = rdb.PubSubShardChannels
		}
		found, err := list(s.ctx, pattern).Result()
		channels = append(channels, found...)
		return err
	}))
	return channels
}

// flushScripts has all servers forget all scripts.
func (s *site) flushScripts() error {
	return s.each(func(rdb *redis.Client) error { return rdb.ScriptFlush(s.ctx).Err() })
}
