package sleigh_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/sleigh"
)

// TestTunnelRoute has addresses of Redis of all kinds: where ssh is to connect a tunnel to, and the address at its other end.
func TestTunnelRoute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		tunnel  bool
		target  string // none: directly
		there   string
	}{
		{"redis://10.0.0.7:6379", false, "", "redis://10.0.0.7:6379"},
		{"redis://:a%2Bb+c@redis.lan/3?retry=9s", false, "", "redis://:a%2Bb+c@redis.lan/3?retry=9s"},
		{"redis://10.0.0.7/2", true, "10.0.0.7:6379", "redis://127.0.0.1:4711/2"},
		{"redis://localhost", false, "localhost:6379", "redis://127.0.0.1:4711"},
		{"redis://:6380/1", false, "localhost:6380", "redis://127.0.0.1:4711/1"},
		{"redis://u:p%40%2F+@127.0.0.1:7/0?read_timeout=1m", false, "127.0.0.1:7", "redis://u:p%40%2F+@127.0.0.1:4711/0?read_timeout=1m"},
		{"redis://[::1]:7/0", false, "[::1]:7", "redis://127.0.0.1:4711/0"},
		{"unix:///tmp/a%20b/redis.sock?db=4&retry=1s", false, "/tmp/a b/redis.sock", "redis://127.0.0.1:4711/4?retry=1s"},
		{"unix://:secret@/tmp/redis.sock", true, "/tmp/redis.sock", "redis://:secret@127.0.0.1:4711/"},
		{"rediss://redis.lan:6380/0?ca=/a b+c.pem", true, "redis.lan:6380", "rediss://127.0.0.1:4711/0?ca=%2Fa%20b%2Bc.pem&server_name=redis.lan"},
		{"rediss://localhost/0?server_name=me", false, "localhost:6379", "rediss://127.0.0.1:4711/0?server_name=me"},
		{"redis+cluster://127.0.0.1:7000,127.0.0.1:7001", false, "", "redis+cluster://127.0.0.1:7000,127.0.0.1:7001"},
	} {
		target, there, err := sleigh.Route(test.address, test.tunnel, "4711")
		if err != nil || target != test.target || there != test.there {
			t.Errorf("%s: to %q, there %q, %v", test.address, target, there, err)
		}
	}
	for _, address := range []string{"mem://in-process", "redis+cluster://a,b", "redis+sentinel://a/m"} {
		if _, _, err := sleigh.Route(address, true, "1"); err == nil {
			t.Errorf("%s: no error", address)
		}
	}
	if _, _, err := sleigh.Route("redis://:secret@host:none", true, "1"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestWrongPlatform(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Log("other than linux/amd64: only those that fit nowhere")
	} else if err := sleigh.WrongPlatform("Linux x86_64\n"); err != nil {
		t.Error(err)
	}
	for _, uname := range []string{"", "Linux", "Linux vax", "Plan9 x86_64"} {
		if err := sleigh.WrongPlatform(uname); err == nil {
			t.Errorf("%q fits", uname)
		}
	}
}

// TestSieve writes lines in pieces of each length: those that are for the program do not come through, all others do.
func TestSieve(t *testing.T) {
	t.Parallel()
	const text = "one\nfor us\ntwo\r\nlast\nfor us\n\nthree"
	for size := 1; size <= len(text); size++ {
		var through bytes.Buffer
		write, end := sleigh.NewSieve(&through, "for us", "last")
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			write(rest[:n])
			rest = rest[n:]
		}
		end()
		if got := through.String(); got != "one\ntwo\r\nfor us\n\nthree" {
			t.Errorf("in pieces of %d: %q", size, got)
		}
	}
	var through bytes.Buffer
	write, end := sleigh.NewSieve(&through, "for us", "last")
	write("begun")
	end()
	if got := through.String(); got != "begun\n" {
		t.Errorf("got %q", got)
	}
}
