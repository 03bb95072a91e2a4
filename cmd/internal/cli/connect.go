package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/netspaces/netspaces/redisx"
)

// Connect opens the Redis that the settings name. It is an error where they name none: an embedded server would be empty,
// and gone at the end of the command. Its other errors are those of redisx.Open, and say where the address is from.
func (r *Run) Connect(ctx context.Context) (*redisx.Client, error) {
	if strings.TrimSpace(r.settings.redis) == "" {
		return nil, &Error{
			Code:   CodeNoRedis,
			Err:    errors.New("there is no address of a Redis"),
			Advice: "Set REDIS_URL, such as redis://localhost:6379, or give --redis, or put redis = \"…\" into the config file.",
		}
	}
	return r.ConnectOrEmbed(ctx)
}

// ConnectOrEmbed is Connect that gives an embedded server where the settings name none.
func (r *Run) ConnectOrEmbed(ctx context.Context) (*redisx.Client, error) {
	rdb, err := redisx.Open(ctx, r.settings.redis, &redisx.Options{Logger: r.Log, NoNotice: true})
	if err != nil {
		return nil, &Error{Err: err, Advice: fmt.Sprintf("The address is from %s.", r.settings.redisOrigin)}
	}
	r.rdb.Store(rdb)
	r.Log.Debug("connected", "redis", rdb.String(), "address from", r.settings.redisOrigin)
	return rdb, nil
}
