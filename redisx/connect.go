package redisx

import (
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// slotsFor is how long what a cluster said of its slots is believed at most. Redirections renew it at once.
const slotsFor = 10 * time.Second

// connect makes the client for an address. It connects when it is first used.
func (t *target) connect(o Options) *Client {
	options := *t.options
	options.Dialer = lateFailure(t.dialer(o.Dial))
	c := &Client{label: t.label, url: t.url, retry: o.Retry, clean: t.clean, log: o.Logger, closing: make(chan struct{}),
		closers: map[*func()]struct{}{}}
	if t.retry != 0 {
		c.retry = t.retry
	}
	switch t.mode {
	case clusterMode:
		rdb := redis.NewClusterClient(t.clusterOptions(&options))
		c.rdb, c.cluster = rdb, newCluster(rdb, &options)
	case sentinelMode:
		// Each client watches for failovers, and leaves the old master at once then.
		c.rdb = redis.NewFailoverClient(t.failoverOptions(&options))
		c.single = newBatcher(func() *redis.Client { return redis.NewFailoverClient(t.failoverOptions(alone(options))) })
	default:
		once := options // NewClient fills in what is missing
		c.rdb = redis.NewClient(&once)
		c.single = newBatcher(func() *redis.Client { return redis.NewClient(alone(options)) })
	}
	c.listening = newHub(c.rdb, o.Logger, t.clean)
	return c
}

func (t *target) clusterOptions(o *redis.Options) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: t.addrs, ClusterStateReloadInterval: slotsFor,
		ClientName: o.ClientName, Dialer: o.Dialer, Protocol: o.Protocol, Username: o.Username, Password: o.Password,
		MaxRetries: o.MaxRetries, MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, DialerRetries: o.DialerRetries, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		PoolFIFO: o.PoolFIFO, PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout,
		MinIdleConns: o.MinIdleConns, MaxIdleConns: o.MaxIdleConns, MaxActiveConns: o.MaxActiveConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
		ReadBufferSize: o.ReadBufferSize, WriteBufferSize: o.WriteBufferSize, PipelinePoolSize: o.PipelinePoolSize,
		TLSConfig: o.TLSConfig, DisableIdentity: o.DisableIdentity,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func (t *target) failoverOptions(o *redis.Options) *redis.FailoverOptions {
	return &redis.FailoverOptions{
		MasterName: t.master, SentinelAddrs: t.addrs,
		SentinelUsername: t.sentinelUsername, SentinelPassword: t.sentinelPassword,
		ClientName: o.ClientName, Dialer: o.Dialer, Protocol: o.Protocol,
		Username: o.Username, Password: o.Password, DB: o.DB,
		MaxRetries: o.MaxRetries, MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
		DialTimeout: o.DialTimeout, DialerRetries: o.DialerRetries, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		PoolFIFO: o.PoolFIFO, PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout,
		MinIdleConns: o.MinIdleConns, MaxIdleConns: o.MaxIdleConns, MaxActiveConns: o.MaxActiveConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
		ReadBufferSize: o.ReadBufferSize, WriteBufferSize: o.WriteBufferSize, PipelinePoolSize: o.PipelinePoolSize,
		TLSConfig: o.TLSConfig, DisableIdentity: o.DisableIdentity,
	}
}
