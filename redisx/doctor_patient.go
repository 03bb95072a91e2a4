package redisx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// patient is one server that Doctor looks at: the only one, or a master of a cluster.
type patient struct {
	name      string // its address, where there are several
	user      string // as whom the client is there
	clustered bool   // the client goes to a cluster
	sentinel  bool   // the client asks sentinels for the master
	rdb       *redis.Client
	tag       string            // a hash tag whose slot it serves; "" if it serves none
	hello     map[string]string // what HELLO says; every user may ask that
	info      map[string]string // what INFO says
	infoErr   error
	offset    offset // of its clock, at first
}

const scratchTag = "doctor"

// maxTags bounds the search for hash tags that reach each master; with a thousand masters a master's is missed once in
// e^-10 cases.
const maxTags = 10_000

// patients connects to all servers there are to look at. Its connections are closed by end, and when ctx ends, since
// go-redis does not look at ctx while it reads.
func (c *Client) patients(ctx context.Context) (all []*patient, end func(), connection Check) {
	rdb, err := c.again()
	if err != nil {
		return nil, func() {}, Check{State: CheckFailed, Detail: brief(err)}
	}
	closing := sync.OnceFunc(func() { _ = rdb.Close() })
	attached := context.AfterFunc(ctx, closing)
	end = func() {
		attached()
		closing()
	}
	common := patient{user: userOf(c.url), sentinel: strings.Contains(c.url, "+sentinel://")}
	if all, err = gather(ctx, rdb, common); err != nil {
		return nil, end, c.unreachable(ctx, err)
	}
	return all, end, Check{State: CheckOK, Detail: c.label}
}

// gather finds the servers behind rdb and asks each what several checks look at. common is what holds for all.
func gather(ctx context.Context, rdb redis.UniversalClient, common patient) (all []*patient, err error) {
	var clients []*redis.Client
	tags := map[*redis.Client]string{}
	switch rdb := rdb.(type) {
	case *redis.Client:
		clients, tags[rdb] = []*redis.Client{rdb}, scratchTag
		err = rdb.Ping(ctx).Err()
	case *redis.ClusterClient:
		common.clustered = true
		clients, err = masters(ctx, rdb)
		for i := 0; i < maxTags && err == nil && len(tags) < len(clients); i++ {
			tag := scratchTag + strconv.Itoa(i)
			if master, masterErr := rdb.MasterForKey(ctx, "{"+tag+"}"); masterErr == nil && tags[master] == "" {
				tags[master] = tag
			}
		}
	default:
		err = fmt.Errorf("%w: a %T", errors.ErrUnsupported, rdb)
	}
	if err != nil {
		return nil, err
	}
	for _, client := range clients {
		p := common
		p.rdb, p.tag = client, tags[client]
		if common.clustered {
			p.name = client.Options().Addr
		}
		p.ask(ctx)
		all = append(all, &p)
	}
	slices.SortFunc(all, func(a, b *patient) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// masters pings each.
func masters(ctx context.Context, rdb *redis.ClusterClient) (all []*redis.Client, err error) {
	var mu sync.Mutex
	err = rdb.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		mu.Lock()
		all = append(all, master)
		mu.Unlock()
		return master.Ping(ctx).Err()
	})
	return all, err
}

// again is a client like that of c, for which the deadline of a context holds.
func (c *Client) again() (redis.UniversalClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, redis.ErrClosed
	}
	switch rdb := c.rdb.(type) {
	case *redis.ClusterClient:
		o := *rdb.Options()
		o.ContextTimeoutEnabled, o.MaxRetries = true, -1
		return redis.NewClusterClient(&o), nil
	case *redis.Client:
		o := *rdb.Options()
		o.ContextTimeoutEnabled, o.MaxRetries = true, -1
		return redis.NewClient(&o), nil
	default:
		return nil, fmt.Errorf("%w: a %T", errors.ErrUnsupported, rdb)
	}
}

// unreachable says why there is no connection, as Open does.
func (c *Client) unreachable(ctx context.Context, err error) Check {
	if errors.Is(ctx.Err(), context.Canceled) {
		return Check{State: CheckFailed, Detail: ctx.Err().Error()}
	}
	t, urlErr := parseURL(c.url)
	if urlErr != nil {
		return Check{State: CheckFailed, Detail: brief(err)}
	}
	t.label = c.label
	if ctx.Err() != nil { // err is that of a connection which was closed over that
		err = ctx.Err()
	}
	detail, advice, _ := strings.Cut(explain(err, t).Error(), "\n")
	return Check{State: CheckFailed, Detail: detail, Advice: advice}
}

// ask gets what several checks look at.
func (p *patient) ask(ctx context.Context) {
	p.offset, _ = p.clockOffset(ctx) // a clock that cannot be read is told by its check
	p.hello = map[string]string{}
	if reply, err := p.rdb.Do(ctx, "HELLO", 2).Slice(); err == nil {
		for pair := range slices.Chunk(reply, 2) {
			p.hello[fmt.Sprint(pair[0])] = fmt.Sprint(pair[len(pair)-1])
		}
	}
	text, err := p.rdb.Info(ctx).Result()
	p.info, p.infoErr = parseInfo(text), err
}

func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if field, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[field] = value
		}
	}
	return info
}

// number is a field of INFO; false if it is not there.
func (p *patient) number(field string) (int64, bool) {
	n, err := strconv.ParseInt(p.info[field], 10, 64)
	return n, err == nil
}

// untold is the verdict where INFO does not say what a check wants to know.
func (p *patient) untold() Check {
	switch {
	case p.infoErr != nil:
		return notTold("INFO", p.infoErr)
	case p.isEmbedded():
		return Check{State: CheckNA, Detail: "an embedded server does not say"}
	default:
		return Check{State: CheckNA, Detail: "INFO does not say"}
	}
}

// notTold is the verdict where a command that a check needs fails.
func notTold(command string, err error) Check {
	reason := " fails: "
	if isRefusal(err.Error()) {
		reason = " is refused: "
	}
	return Check{State: CheckNA, Detail: command + reason + brief(err)}
}

// isEmbedded says whether this is miniredis, in this process or another one.
func (p *patient) isEmbedded() bool { return p.hello["server"] == "miniredis" }

// isRefusal says whether an error means that the server does not let this user run the command, or does not know it.
func isRefusal(text string) bool {
	text = strings.ToLower(text)
	for _, sign := range []string{
		"noperm", "no permissions", "the user executing the script can't", "not supported",
		"unknown command", "unknown redis command", "unknown subcommand",
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
