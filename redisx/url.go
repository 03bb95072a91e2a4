package redisx

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	dialTimeout  = 5 * time.Second
	replyTimeout = 5 * time.Second
	poolSize     = 4        // calls travel together, so few connections are needed
	bufferBytes  = 64 << 10 // a pipeline's worth
	maxConns     = 10_000   // that the address may ask for; go-redis panics at absurd numbers
)

// forms are the addresses that Open takes, in the words of an error message.
const forms = "redis://[[user]:password@]host[:port][/db], rediss://… (the same by TLS), unix:///path/to/socket, " +
	"redis+cluster://[[user]:password@]host:port,host:port, redis+sentinel://[[user]:password@]host:port,host:port/master[/db], " +
	"rediss+cluster://…, rediss+sentinel://…, local:// (a private redis-server), mem:// or nothing (embedded)"

const passwordHint = `a password's special characters must be written as % and two hex digits (@ is %40, : %3A, / %2F, ? %3F, # %23, % %25)`

// bareHost is what somebody most likely means as host:port or host:port/db.
var bareHost = regexp.MustCompile(`^([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}(/[0-9]*)?$`)

var schemeName = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// mode is how many servers there are.
type mode string

const (
	singleMode   mode = ""
	clusterMode  mode = "cluster"
	sentinelMode mode = "sentinel"
)

// target is an address that has been understood.
type target struct {
	label   string // for people: without user and password
	url     string
	mode    mode
	options *redis.Options
	retry   time.Duration
	secrets []string // what no message may contain

	addrs                              []string // of a cluster's nodes or of the sentinels
	master                             string   // its name among the sentinels
	sentinelUsername, sentinelPassword string
}

// parseURL understands all addresses of servers that are there already. Its errors are ErrURL and repeat nothing of an
// address that it could not split with certainty: what looks like a host may be half of a password.
func parseURL(raw string) (*target, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	switch {
	case !found && bareHost.MatchString(raw):
		return nil, badURL("it has no scheme; did you mean redis://" + raw + " ?")
	case !found && strings.HasPrefix(raw, "/"):
		return nil, badURL("the path of a socket needs unix:// before it")
	case !found || !schemeName.MatchString(strings.ToLower(scheme)):
		return nil, badURL("it does not begin with a scheme such as redis://")
	}
	scheme = strings.ToLower(scheme)
	base, extra, _ := strings.Cut(scheme, "+")
	t := &target{url: raw, mode: mode(extra)}
	switch scheme {
	case "redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel":
	case "mem", "local":
		return nil, badURL(scheme + ":// takes nothing after it")
	default:
		return nil, badURL(scheme + ":// is not a scheme for Redis")
	}

	var hosts string
	if t.mode != singleMode {
		var user, tail string
		user, hosts, tail = splitHosts(rest)
		host, _, _ := strings.Cut(hosts, ",")
		rest = user + host + tail
	}
	u, err := url.Parse(base + "://" + strings.ReplaceAll(rest, "+", "%2B"))
	if err != nil {
		// The error would repeat the whole address, or the part with the password.
		return nil, badURL("it cannot be split into its parts; the port must be a number, and " + passwordHint)
	}
	if reason := doubtful(u, base, rest); reason != "" {
		return nil, badURL(reason)
	}
	if u.User != nil {
		t.secrets = secrets(u.User, rest[:strings.LastIndex(rest, "@")])
	}
	if t.mode != singleMode {
		if t.addrs, err = addresses(hosts, t.mode); err != nil {
			return nil, badURL(err.Error())
		}
		if reason := t.takePath(u); reason != "" {
			return nil, badURL(reason)
		}
	}
	if err := t.takeOptions(u, base == "rediss"); err != nil {
		return nil, badURL(err.Error())
	}
	if err := tune(t.options); err != nil {
		return nil, err
	}
	t.label = t.makeLabel(scheme)
	return t, nil
}

// splitHosts gives the user with the @ behind it, the hosts and what follows them. Passwords come with their special
// characters written as %.
func splitHosts(rest string) (user, hosts, tail string) {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest, tail = rest[:i], rest[i:]
	}
	i := strings.LastIndex(rest, "@") + 1
	return rest[:i], rest[i:], tail
}

// addresses gives each of several hosts its port.
func addresses(hosts string, m mode) ([]string, error) {
	port := "6379"
	if m == sentinelMode {
		port = "26379"
	}
	var all []string
	for host := range strings.SplitSeq(hosts, ",") {
		u, err := url.Parse("redis://" + host)
		if err != nil || u.Host != host || u.Hostname() == "" {
			return nil, errors.New("its hosts must be host:port, with a comma between two")
		}
		if reason := doubtful(u, "redis", host); reason != "" {
			return nil, errors.New(reason)
		}
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), port)
		}
		all = append(all, host)
	}
	return all, nil
}

// takePath leaves the number of a database in the path.
func (t *target) takePath(u *url.URL) (reason string) {
	if t.mode == clusterMode {
		return ""
	}
	path := strings.TrimPrefix(u.Path, "/")
	t.master, path, _ = strings.Cut(path, "/")
	if t.master == "" {
		return "it does not name the master that the sentinels watch: redis+sentinel://host:port/master"
	}
	u.Path, u.RawPath = "/"+path, ""
	return ""
}

// takeOptions understands the query, and the rest by go-redis.
func (t *target) takeOptions(u *url.URL, encrypted bool) error {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("what stands behind the ? cannot be understood; " + passwordHint)
	}
	t.sentinelUsername, t.sentinelPassword = take(q, "sentinel_username"), take(q, "sentinel_password")
	if t.sentinelUsername+t.sentinelPassword != "" {
		if t.mode != sentinelMode {
			return errors.New("sentinel_username and sentinel_password are for redis+sentinel:// only")
		}
		t.secrets = append(t.secrets, secrets(url.UserPassword(t.sentinelUsername, t.sentinelPassword), "")...)
	}
	if retry := take(q, "retry"); retry != "" {
		if t.retry, err = time.ParseDuration(retry); err != nil || t.retry == 0 {
			return errors.New("retry is a time such as 30s, or -1s for none")
		}
	}
	for _, name := range []string{"max_retries", "min_retry_backoff", "max_retry_backoff", "protocol"} {
		if q.Has(name) {
			return fmt.Errorf("%s cannot be chosen: calls are tried again for as long as ?retry= says, by RESP 2", name)
		}
	}
	config, err := takeTLS(q, encrypted)
	if err != nil {
		return t.clean(err)
	}
	u.RawQuery = q.Encode()
	if t.options, err = redis.ParseURL(u.String()); err != nil {
		if t.sentinelPassword != "" {
			return errors.New("what stands behind the ? cannot be understood; " + passwordHint) // may be half of it
		}
		return errors.New(strings.TrimPrefix(t.clean(err).Error(), "redis: "))
	}
	t.options.TLSConfig = config
	if t.mode == clusterMode && t.options.DB != 0 {
		return errors.New("a cluster has database 0 only")
	}
	return nil
}

// doubtful gives the reason why an address that can be parsed does not mean what it says.
func doubtful(u *url.URL, scheme, rest string) string {
	if strings.Contains(rest, "#") || strings.Contains(u.RawQuery, "@") {
		return passwordHint
	}
	if scheme == "unix" {
		if u.Host != "" {
			return "unix:// needs a third slash before the path: unix:///path/to/socket"
		}
		return ""
	}
	if strings.Contains(u.Path, "@") {
		return passwordHint
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "a port is a number from 1 to 65535"
		}
	}
	return ""
}

// tune sets what the address does not say, and what it must not say otherwise.
func tune(o *redis.Options) error {
	for _, n := range []int{o.DB, o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.MaxConcurrentDials} {
		if n < 0 || n > maxConns {
			return badURL(fmt.Sprintf("its numbers must lie between 0 and %d", maxConns))
		}
	}
	o.Protocol = 2
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.ContextTimeoutEnabled = false
	// A script that is sent again must know it; go-redis' retries do not tell.
	o.MaxRetries = -1
	o.DialerRetries = 1
	// Pipelines would otherwise have connections of their own, beside those of single calls.
	o.PipelinePoolSize = -1
	o.ReadBufferSize, o.WriteBufferSize = bufferBytes, bufferBytes

	if o.PoolSize == 0 {
		o.PoolSize = poolSize
	}
	if o.DialTimeout <= 0 {
		o.DialTimeout = dialTimeout
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = replyTimeout
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = replyTimeout
	}
	return nil
}

func (t *target) makeLabel(scheme string) string {
	o := t.options
	switch {
	case t.mode == clusterMode:
		return scheme + "://" + strings.Join(t.addrs, ",")
	case t.mode == sentinelMode:
		return fmt.Sprintf("%s://%s/%s/%d", scheme, strings.Join(t.addrs, ","), t.master, o.DB)
	case scheme != "unix":
		return fmt.Sprintf("%s://%s/%d", scheme, o.Addr, o.DB)
	case o.DB != 0:
		return fmt.Sprintf("unix://%s?db=%d", o.Addr, o.DB)
	default:
		return "unix://" + o.Addr
	}
}

func badURL(reason string) error {
	return fmt.Errorf("%w: %s\nAccepted: %s", ErrURL, reason, forms)
}
