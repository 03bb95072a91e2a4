package workspace_test

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// bubble is a world with a clock of its own: it stands still while anybody has something to do, and then goes on to the
// next moment at which something happens. A round trip takes no time. So the times in these tests are exact.
type bubble struct {
	*testing.T
	ctx    context.Context
	server *server
	name   string // the workspace's
}

// inBubble runs a test with a server of its own.
func inBubble(t *testing.T, test func(b *bubble)) {
	t.Helper()
	t.Parallel()
	name := path.Base(t.Name())
	synctest.Test(t, func(t *testing.T) {
		s, err := newServer()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.redis.Close)
		test(&bubble{T: t, ctx: context.Background(), server: s, name: name})
	})
}

func (b *bubble) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bubble) wantErr(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("error %v, want %v", err, want)
	}
}

// now is the time since the test began.
func (b *bubble) now() time.Duration { return time.Since(b.server.began) }

// until lets time go by up to a moment, and all happen that happens in it.
func (b *bubble) until(at time.Duration) {
	b.Helper()
	if at < b.now() {
		b.Fatalf("it is %v, later than %v", b.now(), at)
	}
	time.Sleep(at - b.now())
	synctest.Wait()
}

// client opens a client on a machine of its own.
func (b *bubble) client() (*redisx.Client, *machine) {
	b.Helper()
	m := b.server.machine()
	rdb, err := redisx.Open(b.ctx, "redis://bubble", &redisx.Options{Dial: m.dial})
	b.must(err)
	b.Cleanup(func() {
		m.mend()
		if err := rdb.Close(); err != nil {
			b.Error(err)
		}
	})
	return rdb, m
}

// owner opens the workspace on a machine of its own, and owns it.
func (b *bubble) owner(opts *workspace.Options) (*workspace.Workspace, *machine) {
	b.Helper()
	rdb, m := b.client()
	ws, err := workspace.Open(b.ctx, rdb, b.name, opts)
	b.must(err)
	if !ws.Mine() {
		b.Fatal("somebody else owns it")
	}
	return ws, m
}

// user opens the workspace on a machine of its own, and does not own it.
func (b *bubble) user() (*workspace.Workspace, *machine) {
	b.Helper()
	rdb, m := b.client()
	ws, err := workspace.Use(b.ctx, rdb, b.name, false)
	b.must(err)
	return ws, m
}

// key is one of the workspace's keys, as the table in keys.go has it.
func (b *bubble) key(kind string, variable ...string) string {
	return strings.Join(append([]string{"nws:{" + b.name + "}", kind}, variable...), ":")
}

// there says whether the workspace is.
func (b *bubble) there() bool { return b.server.redis.Exists(b.key("ws")) }

// moment is what the server's clock says, counted from the beginning of the test, of a time in ms that stands in Redis.
func (b *bubble) moment(ms float64) time.Duration {
	return time.UnixMilli(int64(ms)).Sub(b.server.began)
}

// sign is when a client last gave a sign of life.
func (b *bubble) sign(ws *workspace.Workspace) time.Duration {
	b.Helper()
	score, err := b.server.redis.ZScore(b.key("live"), ws.Client())
	b.must(err)
	return b.moment(score)
}

// lease is when the owner's lease ends.
func (b *bubble) lease() time.Duration {
	b.Helper()
	ms, err := strconv.ParseFloat(b.server.redis.HGet(b.key("ws"), "lease"), 64)
	b.must(err)
	return b.moment(ms)
}

func (b *bubble) store(ws *workspace.Workspace, variable string, values ...any) {
	b.Helper()
	b.must(ws.StoreAll(b.ctx, variable, values...))
}

// holds checks what is in a variable, by taking it all.
func (b *bubble) holds(ws *workspace.Workspace, variable string, want ...string) {
	b.Helper()
	var got []string
	for {
		var text []byte
		ok, err := ws.TryFetch(b.ctx, variable, &text)
		b.must(err)
		if !ok {
			break
		}
		got = append(got, string(text))
	}
	if !slices.Equal(got, want) {
		b.Fatalf("variable %q gave %q, want %q", variable, got, want)
	}
}

// holdsSome checks what comes first in a variable, by taking it.
func (b *bubble) holdsSome(ws *workspace.Workspace, variable string, want ...string) {
	b.Helper()
	for _, value := range want {
		var text []byte
		ok, err := ws.TryFetch(b.ctx, variable, &text)
		b.must(err)
		if string(text) != value {
			b.Fatalf("variable %q gave %v %q, want %q", variable, ok, text, value)
		}
	}
}

// wantTimes checks when something happened.
func (b *bubble) wantTimes(what string, got []time.Duration, want ...time.Duration) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s at %v, want %v", what, got, want)
	}
}

// call is one that may block, in a goroutine of its own.
type call struct {
	b      *bubble
	cancel context.CancelFunc
	done   chan struct{}
	at     time.Duration // when it ended
	value  string
	claim  *workspace.Claim
	err    error
}

// begin starts a call, and returns when it waits or has ended.
func (b *bubble) begin(f func(ctx context.Context, c *call)) *call {
	ctx, cancel := context.WithCancel(b.ctx)
	c := &call{b: b, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		f(ctx, c)
		c.at = b.now()
	}()
	b.Cleanup(func() {
		cancel()
		<-c.done
	})
	synctest.Wait()
	return c
}

func (b *bubble) fetch(ws *workspace.Workspace, variable string) *call {
	return b.begin(func(ctx context.Context, c *call) {
		var text []byte
		c.err = ws.Fetch(ctx, variable, &text)
		c.value = string(text)
	})
}

func (b *bubble) find(ws *workspace.Workspace, variable string) *call {
	return b.begin(func(ctx context.Context, c *call) {
		var text []byte
		c.err = ws.Find(ctx, variable, &text)
		c.value = string(text)
	})
}

func (b *bubble) claim(ws *workspace.Workspace, variable string, lease time.Duration) *call {
	return b.begin(func(ctx context.Context, c *call) {
		c.claim, c.err = ws.Claim(ctx, variable, &workspace.ClaimOptions{Lease: lease})
	})
}

// waits checks that it has not ended.
func (c *call) waits() {
	c.b.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		c.b.Fatalf("it does not wait: at %v it got %q, %v", c.at, c.value, c.err)
	default:
	}
}

// ended checks that it has ended, and when.
func (c *call) ended(at time.Duration) {
	c.b.Helper()
	synctest.Wait()
	select {
	case <-c.done:
	default:
		c.b.Fatalf("at %v it still waits", c.b.now())
	}
	if c.at != at {
		c.b.Errorf("it ended at %v, want %v", c.at, at)
	}
}

// gets checks that it got a value, and when.
func (c *call) gets(value string, at time.Duration) {
	c.b.Helper()
	c.ended(at)
	c.b.must(c.err)
	if c.value != value {
		c.b.Fatalf("it got %q, want %q", c.value, value)
	}
}

// fails checks that it failed, and when.
func (c *call) fails(want error, at time.Duration) {
	c.b.Helper()
	c.ended(at)
	if !errors.Is(c.err, want) {
		c.b.Fatalf("error %v, want %v", c.err, want)
	}
}
