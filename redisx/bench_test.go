package redisx

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/redis/go-redis/v9"
)

// BenchmarkRun compares a round trip of Run with that of go-redis alone, on a real server.
func BenchmarkRun(b *testing.B) {
	rdb, err := Open(b.Context(), "local://", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = rdb.Close() })
	plain := rdb.Redis().(*redis.Client)
	echo := NewScript("echo", `return ARGV[1]`)
	keys := []string{"k"}
	if _, err := rdb.Run(b.Context(), echo, keys, "x"); err != nil {
		b.Fatal(err)
	}
	run := map[string]func() error{
		"raw": func() error { return plain.EvalSha(b.Context(), echo.sha, keys, "x").Err() },
		"Run": func() error { _, err := rdb.Run(b.Context(), echo, keys, "x"); return err },
	}
	for _, goroutines := range []int{1, 64} {
		for _, name := range []string{"raw", "Run"} {
			b.Run(fmt.Sprintf("goroutines=%d/%s", goroutines, name), func(b *testing.B) {
				if goroutines == 1 {
					for b.Loop() {
						if err := run[name](); err != nil {
							b.Fatal(err)
						}
					}
					return
				}
				b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := run[name](); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
