package redisx

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

const embeddedNotice = "netspaces: using an embedded Redis: its data is in memory only and goes with this program " +
	"(set REDIS_URL to use a shared one)"

const (
	expireEvery = 100 * time.Millisecond
	patience    = "1m" // with a server that shares its processor with all its clients, and loses nothing on the way
)

var (
	noticeOnce sync.Once
	noticeTo   io.Writer = os.Stderr
)

// openEmbedded starts a Redis inside this process. Unless it is to stay there, it listens on the loopback address, so that
// child processes reach it, and has a password, so that others on this machine do not.
func openEmbedded(ctx context.Context, o Options) (*Client, error) {
	m := miniredis.NewMiniRedis()
	address := url.URL{Scheme: "redis", Host: "embedded", Path: "/0", RawQuery: "read_timeout=" + patience}
	if o.InProcess {
		o.Dial = func(context.Context, string, string) (net.Conn, error) { return m.Dial() }
	} else {
		password := rand.Text()
		m.RequireAuth(password)
		if err := m.StartAddr("127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("redisx: starting the embedded Redis: %w", err)
		}
		address.User, address.Host = url.UserPassword("", password), m.Addr()
	}
	ended := make(chan struct{})
	var expiring sync.WaitGroup
	expiring.Go(func() { expire(m, ended) })
	stop := sync.OnceValue(func() error {
		close(ended)
		expiring.Wait()
		m.Close()
		return nil
	})
	c, err := openStarted(ctx, "embedded", address.String(), stop, o)
	if err != nil {
		return nil, err
	}
	if o.InProcess {
		c.url = "mem://in-process"
	}
	if !o.NoNotice {
		noticeOnce.Do(func() { _, _ = fmt.Fprintln(noticeTo, embeddedNotice) })
	}
	return c, nil
}

// expire lets time pass for keys that have one to live. miniredis' own ClockTTL would go through all keys with each
// command, and with each call in a script.
func expire(m *miniredis.Miniredis, ended <-chan struct{}) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ended:
			return
		case <-tick.C:
			now := time.Now()
			m.FastForward(now.Sub(last))
			last = now
		}
	}
}
