package redisx

import (
	"fmt"
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
	"local:// (a private redis-server), mem:// or nothing (embedded)"

const passwordHint = `a password's special characters must be written as % and two hex digits (@ is %40, : %3A, / %2F, ? %3F, # %23, % %25)`

// bareHost is what somebody most likely means as host:port or host:port/db.
var bareHost = regexp.MustCompile(`^([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}(/[0-9]*)?$`)

var schemeName = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// target is an address that has been understood.
type target struct {
	label   string // for people: without user and password
	url     string
	options *redis.Options
	secrets []string // what no message may contain
}

// parseURL understands redis, rediss and unix addresses. Its errors are ErrURL and repeat nothing of an address that it
// could not split with certainty: what looks like a host may be half of a password.
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
	switch scheme = strings.ToLower(scheme); scheme {
	case "redis", "rediss", "unix":
	case "mem", "local":
		return nil, badURL(scheme + ":// takes nothing after it")
	default:
		return nil, badURL(scheme + ":// is not a scheme for Redis")
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The error would repeat the whole address, or the part with the password.
		return nil, badURL("it cannot be split into its parts; the port must be a number, and " + passwordHint)
	}
	if reason := doubtful(u, scheme, rest); reason != "" {
		return nil, badURL(reason)
	}

	t := &target{url: raw}
	if u.User != nil {
		t.secrets = secrets(u.User, rest[:strings.LastIndex(rest, "@")])
	}
	if t.options, err = redis.ParseURL(raw); err != nil {
		return nil, badURL(strings.TrimPrefix(t.clean(err).Error(), "redis: "))
	}
	if err := tune(t.options); err != nil {
		return nil, err
	}
	t.label = label(scheme, t.options)
	return t, nil
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

func label(scheme string, o *redis.Options) string {
	switch {
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
