package redisx

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestInProcess has a whole client and its server live by the clock of a bubble.
func TestInProcess(t *testing.T) {
	for range 2 { // nothing of one bubble may be left over for the next
		synctest.Test(t, func(t *testing.T) {
			rdb, err := Open(t.Context(), "mem://", &Options{InProcess: true})
			if err != nil {
				t.Fatal(err)
			}
			clock := NewScript("clock", `return redis.call('time')[1]`)
			seconds := func() string {
				reply, err := rdb.Run(t.Context(), clock, nil)
				if err != nil {
					t.Fatal(err)
				}
				return reply.(string)
			}
			e := newEar()
			stop := rdb.Listen("inbox", e.listener())
			synctest.Wait()
			if e.ups.Load() != 1 {
				t.Fatalf("subscribed %d times", e.ups.Load())
			}
			if got := seconds(); got != "946684800" { // where each bubble begins
				t.Errorf("Redis says it is %s", got)
			}
			if err := rdb.Redis().Set(t.Context(), "k", "v", time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if got := seconds(); got != "946688400" {
				t.Errorf("after an hour Redis says it is %s", got)
			}
			if err := rdb.Redis().Get(t.Context(), "k").Err(); !errors.Is(err, redis.Nil) {
				t.Errorf("a key of a minute after an hour: %v", err)
			}
			if err := rdb.Redis().Publish(t.Context(), "inbox", "hello").Err(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if len(e.heard) != 1 || e.downs.Load() != 0 {
				t.Errorf("after an hour %d messages, and %d times lost", len(e.heard), e.downs.Load())
			}
			stop()
			if err := rdb.Close(); err != nil {
				t.Error(err)
			}
			if _, err := Open(context.Background(), rdb.URL(), nil); !errors.Is(err, ErrURL) {
				t.Errorf("another process: %v", err)
			}
		})
	}
}
