package redisx

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseURL(t *testing.T) {
	tests := []struct{ url, label, addr, user, password string }{
		{"redis://localhost:6379", "redis://localhost:6379/0", "localhost:6379", "", ""},
		{"redis://", "redis://localhost:6379/0", "localhost:6379", "", ""},
		{"redis://10.0.0.7/3", "redis://10.0.0.7:6379/3", "10.0.0.7:6379", "", ""},
		{"redis://[::1]:7000", "redis://[::1]:7000/0", "[::1]:7000", "", ""},
		{"redis://:hunter2@host:1", "redis://host:1/0", "host:1", "", "hunter2"},
		{"rediss://bob:h%40%2F%23@host:1/2", "rediss://host:1/2", "host:1", "bob", "h@/#"},
		{"REDIS://Host:1", "redis://Host:1/0", "Host:1", "", ""},
		{"unix:///run/redis.sock", "unix:///run/redis.sock", "/run/redis.sock", "", ""},
		{"unix://bob:hunter2@/run/a@b.sock?db=4", "unix:///run/a@b.sock?db=4", "/run/a@b.sock", "bob", "hunter2"},
	}
	for _, tt := range tests {
		got, err := parseURL(tt.url)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		o := got.options
		if got.label != tt.label || o.Addr != tt.addr || o.Username != tt.user || o.Password != tt.password ||
			got.url != tt.url {
			t.Errorf("%s: got %q, %q, %q, %q, %q", tt.url, got.label, o.Addr, o.Username, o.Password, got.url)
		}
		if tls := strings.HasPrefix(tt.url, "rediss"); tls != (o.TLSConfig != nil) {
			t.Errorf("%s: TLS is %v", tt.url, !tls)
		}
	}
}

func TestParseURLOfMany(t *testing.T) {
	tests := []struct {
		url, label, addrs, master string
		user, password, sentinel  string
		db                        int
		tls                       bool
	}{
		{url: "redis+cluster://a:7000,b", label: "redis+cluster://a:7000,b:6379", addrs: "a:7000 b:6379"},
		{url: "rediss+cluster://bob:h%40%2C@a,[::1]:7001/0?read_timeout=9s", label: "rediss+cluster://a:6379,[::1]:7001",
			addrs: "a:6379 [::1]:7001", user: "bob", password: "h@,", tls: true},
		{url: "redis+sentinel://s1,s2:1/main", label: "redis+sentinel://s1:26379,s2:1/main/0", addrs: "s1:26379 s2:1",
			master: "main"},
		{url: "redis+sentinel://:hunter2@[::1]/main/3?sentinel_password=a+b%26c",
			label: "redis+sentinel://[::1]:26379/main/3",
			addrs: "[::1]:26379", master: "main", password: "hunter2", sentinel: "a+b&c", db: 3},
		{url: "REDISS+SENTINEL://s/main?sentinel_username=x&sentinel_password=hunter2&retry=3s",
			label: "rediss+sentinel://s:26379/main/0",
			addrs: "s:26379", master: "main", sentinel: "hunter2", tls: true},
	}
	for _, tt := range tests {
		got, err := parseURL(tt.url)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		o := got.options
		if got.label != tt.label || strings.Join(got.addrs, " ") != tt.addrs || got.master != tt.master || got.url != tt.url {
			t.Errorf("%s: got %q, %q, %q, %q", tt.url, got.label, got.addrs, got.master, got.url)
		}
		if o.Username != tt.user || o.Password != tt.password || got.sentinelPassword != tt.sentinel || o.DB != tt.db ||
			(o.TLSConfig != nil) != tt.tls {
			t.Errorf("%s: got %q, %q, %q, %d, %v",
				tt.url, o.Username, o.Password, got.sentinelPassword, o.DB, o.TLSConfig != nil)
		}
	}
}

func TestParseURLOptions(t *testing.T) {
	got, err := parseURL("redis://h?read_timeout=9s&pool_size=7&dial_timeout=0&retry=3s")
	if err != nil {
		t.Fatal(err)
	}
	o := got.options
	if o.ReadTimeout != 9*time.Second || o.PoolSize != 7 || got.retry != 3*time.Second {
		t.Errorf("the address is not heeded: %v, %d", o.ReadTimeout, o.PoolSize)
	}
	if o.MaxRetries != -1 || o.DialerRetries != 1 || o.Protocol != 2 || o.PipelinePoolSize != -1 {
		t.Errorf("the address overrides what must be so: %d, %d, %d, %d",
			o.MaxRetries, o.DialerRetries, o.Protocol, o.PipelinePoolSize)
	}
	if o.WriteTimeout != replyTimeout || o.DialTimeout != dialTimeout {
		t.Errorf("defaults are missing: %v, %v", o.WriteTimeout, o.DialTimeout)
	}
}

func TestBadURL(t *testing.T) {
	const password = "hunter2"
	tests := []struct{ url, says string }{
		{"redis://h?max_retries=5", "max_retries cannot be chosen"},
		{"redis://h?protocol=3", "protocol cannot be chosen"},
		{"localhost:6379", "did you mean redis://localhost:6379 ?"},
		{"10.0.0.7:6379/2", "did you mean redis://10.0.0.7:6379/2 ?"},
		{"[::1]:6379", "did you mean redis://[::1]:6379 ?"},
		{"localhost", "does not begin with a scheme"},
		{"bob:hunter2@host:6379", "does not begin with a scheme"},
		{"redis:hunter2@host", "does not begin with a scheme"},
		{"hunter2@redis://host", "does not begin with a scheme"},
		{"/run/redis.sock", "needs unix://"},
		{"http://:hunter2@host:80", "http:// is not a scheme for Redis"},
		{"redis+ring://:hunter2@host", "redis+ring:// is not a scheme"},
		{"redis+sentinel://:hunter2@host", "does not name the master"},
		{"redis+sentinel://:hunter2@host/main/hunter2", "left out"},
		{"redis+sentinel://:hunter2@host/main?sentinel_password=a&hunter2=1", "%40"},
		{"redis+sentinel://host/main?sentinel_password=hunter2%zz", "%40"},
		{"redis+sentinel://host/main?sentinel_password=hunter2@", "%40"},
		{"redis://host?sentinel_password=hunter2", "for redis+sentinel:// only"},
		{"redis+cluster://:hunter2@host/3", "database 0 only"},
		{"redis+cluster://:hunter2@a:1,b:x", "host:port"},
		{"redis+cluster://:hunter2@a:1,,b:2", "host:port"},
		{"redis+cluster://:hunter2@a:1,b:99999", "1 to 65535"},
		{"redis+cluster://:hunter2/x@a,b", "%2F"},
		{"redis+cluster://:hunter2?x@a,b", "%3F"},
		{"redis+cluster://:hunter2#x@a,b", "%23"},
		{"unix+cluster:///run/redis.sock", "is not a scheme"},
		{"redis://:hunter2@host?retry=soon", "such as 30s"},
		{"mem://hunter2", "takes nothing"},
		{"local:///tmp", "takes nothing"},
		{"redis://:hunter2@host:port", "port must be a number"},
		{"redis://:hunter2@host:99999", "1 to 65535"},
		{"redis://:hunter2@host:0", "1 to 65535"},
		{"redis://:hunter2%zz@host", "%40"},
		{"redis://:hunter2%@host", "%40"},
		{"redis://:hunter2 x@host", "%40"},
		{"redis://:hunter2@ho st", "split"},
		{"redis://:hunter2\x00@host", "split"},
		{"redis://:hunter2#x@host", "%23"},
		{"redis://hunter2#x@host", "%23"},
		{"redis://:hunter2/x@host", "%2F"},
		{"redis://hunter2/x@host", "%2F"},
		{"redis://:1/hunter2@host", "%2F"},
		{"redis://:hunter2?x@host", "%3F"},
		{"redis://hunter2?x@host", "%3F"},
		{"redis://:hunter2@host/x", "invalid database number"},
		{"redis://:hunter2@host/1/2", "invalid URL path"},
		{"redis://:hunter2@host/-1", "between 0 and"},
		{"redis://:hunter2@host/hunter2", "left out"},
		{"redis://:hunter2@host?no_such=1", "unexpected option: no_such"},
		{"redis://:hunter2@host?db=hunter2", "left out"},
		{"redis://:hunter2@host?pool_size=-3", "between 0 and"},
		{"redis://:hunter2@host?pool_size=99999999999", "between 0 and"},
		{"redis://:%68unter2@host?read_timeout=%68unter2", "left out"},
		{"unix://hunter2/x", "third slash"},
		{"unix://", "empty unix socket path"},
		{"unix://:hunter2#x@/run/redis.sock", "%23"},
	}
	for _, tt := range tests {
		_, err := Open(t.Context(), tt.url, nil)
		if !errors.Is(err, ErrURL) {
			t.Errorf("%q: %v", tt.url, err)
			continue
		}
		if errors.Is(err, ErrNoServer) || errors.Is(err, ErrAuth) {
			t.Errorf("%q is of two kinds", tt.url)
		}
		for _, want := range []string{tt.says, "redis://[[user]:password@]host", "unix:///", "local://", "mem://"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: no %q in %q", tt.url, want, err)
			}
		}
		mustNotTell(t, err, password)
	}
}

// mustNotTell fails where any way to print the error, or what it wraps, contains the secret.
func mustNotTell(t *testing.T, err error, secret string) {
	t.Helper()
	if err == nil {
		return
	}
	if text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err); strings.Contains(text, secret) {
		t.Errorf("told: %s", text)
	}
	switch e := err.(type) { //nolint:errorlint // Walks the chain link by link.
	case interface{ Unwrap() error }:
		mustNotTell(t, e.Unwrap(), secret)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			mustNotTell(t, inner, secret)
		}
	}
}
