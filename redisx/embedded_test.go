package redisx

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestEmbedded(t *testing.T) {
	for _, address := range []string{"", "mem://", " mem://\n"} {
		rdb := mustOpen(t, address)
		if rdb.String() != "embedded" {
			t.Errorf("%q calls itself %q", address, rdb.String())
		}
		if err := rdb.Redis().Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Error(err)
		}
	}
}

func TestEmbeddedEnds(t *testing.T) {
	rdb, err := Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err = Open(t.Context(), rdb.URL(), nil)
	if !errors.Is(err, ErrNoServer) {
		t.Errorf("after Close: %v", err)
	}
}

func TestEmbeddedPassword(t *testing.T) {
	rdb := mustOpen(t, "")
	u, err := url.Parse(rdb.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	if len(password) < 20 || strings.Contains(rdb.String(), password) {
		t.Fatalf("password %q, shown as %q", password, rdb.String())
	}

	u.User = nil
	if _, err := Open(t.Context(), u.String(), nil); !errors.Is(err, ErrAuth) {
		t.Errorf("without the password: %v", err)
	}
	u.User = url.UserPassword("", "hunter2")
	_, err = Open(t.Context(), u.String(), nil)
	if !errors.Is(err, ErrAuth) || errors.Is(err, ErrNoServer) {
		t.Errorf("with a wrong password: %v", err)
	}
	mustNotTell(t, err, "hunter2")
}

// TestEmbeddedChild connects another process, and looks for the password in the arguments of all.
func TestEmbeddedChild(t *testing.T) {
	rdb := mustOpen(t, "")
	c := spawn(t, "open", rdb.URL())
	said := c.hear()
	u, err := url.Parse(rdb.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	if want := "redis://" + u.Host + "/0 " + rdb.URL(); said != want {
		t.Errorf("the child says %q", said)
	}
	if commandLineHas(t, password) {
		t.Error("the password is in the arguments of a process")
	}
	c.end()
	if c.stderr.Len() > 0 {
		t.Errorf("on stderr: %s", c.stderr.String())
	}
}

// TestEmbeddedClock checks that keys expire by themselves.
func TestEmbeddedClock(t *testing.T) {
	rdb := mustOpen(t, "").Redis()
	if err := rdb.Set(t.Context(), "k", "v", 20*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key has expired", func() bool { return errors.Is(rdb.Get(t.Context(), "k").Err(), redis.Nil) })
}

func TestEmbeddedNotice(t *testing.T) {
	var got bytes.Buffer
	before := noticeTo
	noticeOnce, noticeTo = sync.Once{}, &got
	t.Cleanup(func() { noticeTo = before })
	quiet, err := Open(t.Context(), "mem://", &Options{NoNotice: true})
	if err != nil || got.Len() > 0 {
		t.Fatalf("with NoNotice it says: %q, %v", got.String(), err)
	}
	defer quiet.Close()
	mustOpen(t, "")
	mustOpen(t, "mem://")
	if text := got.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "in memory only") {
		t.Errorf("it says: %q", text)
	}
}

func TestEmbeddedCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
