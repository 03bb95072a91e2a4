package sleigh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// tunnelFor is how long ssh may take from the beginning of a connection until it tells the port of the tunnel.
const tunnelFor = 30 * time.Second

// route is how workers on other hosts reach the Redis of the master.
type route struct {
	raw     string   // the address that the master uses, with password
	address *url.URL // the same, where there is a tunnel
	target  string   // what ssh is to connect it to: host:port, or the path of a socket; empty for no tunnel
}

// newRoute finds the route from the address that the master uses. Its errors have no password.
func newRoute(raw string, tunnel bool) (*route, error) {
	r := &route{raw: raw}
	scheme, rest, _ := strings.Cut(raw, "://")
	if scheme == "mem" {
		return nil, errors.New("sleigh: the Redis of the master is one that no other process reaches")
	}
	if _, kind, several := strings.Cut(scheme, "+"); several {
		if tunnel {
			return nil, fmt.Errorf("sleigh: there is no tunnel to a %s, since its servers name their own addresses", kind)
		}
		return r, nil
	}
	u, err := url.Parse(scheme + "://" + strings.ReplaceAll(rest, "+", "%2B")) // as redisx reads it
	if err != nil {
		return nil, errors.New("sleigh: the address of Redis cannot be understood")
	}
	switch {
	case scheme == "unix":
		r.target = u.Path
	case tunnel || isLoopback(u.Hostname()):
		r.target = net.JoinHostPort(cmp.Or(u.Hostname(), "localhost"), cmp.Or(u.Port(), "6379"))
	}
	r.address = u
	return r, nil
}

// isLoopback reports whether a host in an address of Redis is this machine and no other.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// link is the way of one worker.
type link struct {
	args []string                                        // for ssh
	hear func(line string) (taken, last bool)            // finds out what is needed in what ssh prints
	url  func(ctx context.Context) (url string, _ error) // waits for that
}

var allocated = regexp.MustCompile(`^Allocated port (\d+) for remote forward to `)

// through gives a worker's way to Redis.
func (r *route) through() *link {
	if r.target == "" {
		return &link{
			hear: func(string) (taken, last bool) { return false, true },
			url:  func(context.Context) (string, error) { return r.raw, nil },
		}
	}
	ports := make(chan string, 1)
	return &link{
		// A port that is free on the host, which ssh tells if it may, and if the connection is its own: one that is shared would
		// also keep the port.
		args: []string{"-o", "LogLevel=INFO", "-o", "ControlPath=none", "-R", "127.0.0.1:0:" + r.target},
		hear: func(line string) (taken, last bool) {
			if m := allocated.FindStringSubmatch(line); m != nil {
				ports <- m[1]
				return true, true
			}
			if strings.Contains(line, "remote port forwarding failed") {
				ports <- ""
				return false, true
			}
			return false, false
		},
		url: func(ctx context.Context) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, tunnelFor)
			defer cancel()
			select {
			case port := <-ports:
				if port == "" {
					return "", errors.New("the host's sshd does not allow a tunnel to Redis: see AllowTcpForwarding")
				}
				return r.by(port), nil
			case <-ctx.Done():
				return "", errors.New("ssh has not told the port of the tunnel to Redis; where it is to be quiet (-q), it does not")
			}
		},
	}
}

// by is the address of Redis at the other end of a tunnel.
func (r *route) by(port string) string {
	u := *r.address
	q := u.Query()
	switch u.Scheme {
	case "unix":
		u.Scheme, u.Path = "redis", "/"+q.Get("db")
		q.Del("db")
	case "rediss":
		if !q.Has("server_name") { // that of its certificate
			q.Set("server_name", cmp.Or(u.Hostname(), "localhost"))
		}
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	u.Host = net.JoinHostPort("127.0.0.1", port)
	return u.String()
}
