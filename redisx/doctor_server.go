package redisx

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Redis 5.0 is the first that passes on what a script did and not the script, so that one may ask for the time and then
// write; the newest command in them, UNLINK, is from 4.0. 6.2 is the first with rights on channels, 7.0 the first whose
// clusters have channels that stay in their slot. docs/redis.md says what has been tested.
var (
	scriptsFrom  = release{5, 0}
	channelsFrom = release{6, 2}
	clustersFrom = release{7, 0}
)

// release is the first two numbers of a version.
type release [2]int

func (r release) before(other release) bool {
	return r[0] < other[0] || r[0] == other[0] && r[1] < other[1]
}

func (r release) String() string { return fmt.Sprintf("%d.%d", r[0], r[1]) }

func parseRelease(version string) (r release, ok bool) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return r, false
	}
	for i := range r {
		var err error
		if r[i], err = strconv.Atoi(parts[i]); err != nil {
			return r, false
		}
	}
	return r, true
}

func (p *patient) version(context.Context) Check {
	if p.isEmbedded() {
		return Check{State: CheckOK, Detail: "embedded (miniredis)"}
	}
	version := p.info["redis_version"]
	if version == "" {
		version = p.hello["version"]
	}
	r, ok := parseRelease(version)
	if !ok {
		return p.untold()
	}
	detail := "Redis " + version
	for _, other := range []string{"valkey", "dragonfly"} {
		if theirs := p.info[other+"_version"]; theirs != "" {
			detail = fmt.Sprintf("%s %s, as Redis %s", other, strings.TrimPrefix(theirs, "df-v"), version)
		}
	}
	switch {
	case r.before(scriptsFrom):
		return Check{
			State: CheckFailed,
			Detail: detail +
				" passes scripts on to replicas and to disk as they are, and refuses those that ask for the time",
			Advice: fmt.Sprintf("Use Redis %v or newer.", channelsFrom),
		}
	case p.clustered && r.before(clustersFrom):
		return Check{
			State:  CheckWarning,
			Detail: detail + " has no channels that stay in their slot: who waits in a cluster may be woken by the beat only",
			Advice: fmt.Sprintf("For a cluster use Redis %v or newer.", clustersFrom),
		}
	case r.before(channelsFrom):
		return Check{
			State:  CheckWarning,
			Detail: detail + " has all commands that are used, but no rights on channels",
			Advice: fmt.Sprintf("Use Redis %v or newer.", channelsFrom),
		}
	case p.info["dragonfly_version"] != "":
		return Check{State: CheckWarning, Detail: detail + ": nobody has tried that", Advice: "Use Redis or Valkey."}
	default:
		return Check{State: CheckOK, Detail: detail}
	}
}

func (p *patient) cluster(ctx context.Context) Check {
	mode, role := p.info["redis_mode"], p.info["role"]
	if mode == "" {
		mode = p.hello["mode"]
	}
	if role == "" {
		role = p.hello["role"]
	}
	switch {
	case mode == "sentinel":
		return Check{
			State:  CheckFailed,
			Detail: "this is a sentinel, which holds no data",
			Advice: "Name the sentinels and their master in the address: redis+sentinel://host:port,host:port/master",
		}
	case role == "slave" || role == "replica":
		return Check{
			State:  CheckFailed,
			Detail: "this is a replica, where nothing can be written",
			Advice: "Use the address of its master, or those of the sentinels: redis+sentinel://host:port,host:port/master",
		}
	case p.clustered || mode == "cluster":
		return p.clusterState(ctx)
	case mode == "":
		return p.untold()
	case p.sentinel:
		return Check{State: CheckOK, Detail: "the master that the sentinels name" + p.replicas()}
	default:
		return Check{State: CheckOK, Detail: mode + p.replicas()}
	}
}

func (p *patient) clusterState(ctx context.Context) Check {
	text, err := p.rdb.ClusterInfo(ctx).Result()
	if err != nil {
		return notTold("CLUSTER INFO", err)
	}
	return p.judgeCluster(parseInfo(text))
}

const slots = 16384

func (p *patient) judgeCluster(info map[string]string) Check {
	size, served := info["cluster_size"], info["cluster_slots_ok"]
	switch {
	case info["cluster_state"] != "ok":
		return Check{
			State: CheckFailed,
			Detail: fmt.Sprintf("the cluster is in state %q, with %s of %d slots served",
				info["cluster_state"], served, slots),
			Advice: "See redis-cli --cluster check HOST:PORT: a master may be down without a replica, or slots belong to nobody.",
		}
	case served != strconv.Itoa(slots):
		return Check{
			State:  CheckFailed,
			Detail: fmt.Sprintf("%s of %d slots are served: some workspaces cannot be reached", served, slots),
			Advice: "See redis-cli --cluster check HOST:PORT.",
		}
	case !p.clustered && size == "1":
		return Check{
			State:  CheckWarning,
			Detail: "a cluster of one master, in the address as a server by itself",
			Advice: "Should the cluster grow, that does not work any more: use redis+cluster://host:port",
		}
	case !p.clustered:
		return Check{
			State:  CheckFailed,
			Detail: fmt.Sprintf("one node of a cluster of %s masters, in the address as a server by itself", size),
			Advice: "Use redis+cluster://host:port,host:port (rediss+cluster:// by TLS).",
		}
	default:
		detail := fmt.Sprintf("a cluster of %s masters, all slots are served%s", size, p.replicas())
		return Check{State: CheckOK, Detail: detail}
	}
}

// replicas is what is known of them, to go on with in a sentence.
func (p *patient) replicas() string {
	switch n, ok := p.number("connected_slaves"); {
	case !ok:
		return ""
	case n == 0:
		return ", no replica"
	case n == 1:
		return ", 1 replica"
	default:
		return fmt.Sprintf(", %d replicas", n)
	}
}
