package redisx

import (
	"context"
	"fmt"
	"strings"
)

const headroomPercent = 80 // of the memory, from where on it is said that it gets short

func (p *patient) eviction(context.Context) Check {
	policy, told := p.info["maxmemory_policy"]
	limit, limitTold := p.number("maxmemory")
	switch {
	case !told:
		return p.untold()
	case limitTold && limit == 0:
		return Check{State: CheckOK, Detail: policy + "; there is no maxmemory, so that nothing is evicted"}
	case policy == "noeviction":
		return Check{State: CheckOK, Detail: policy}
	case strings.HasPrefix(policy, "volatile-"):
		return Check{State: CheckOK, Detail: policy + "; it concerns keys that expire, which those of workspaces do not"}
	default:
		return Check{
			State:  CheckWarning,
			Detail: policy + ": once memory is full, values disappear without a word",
			Advice: "CONFIG SET maxmemory-policy noeviction, and the same in its configuration; a managed Redis has a setting for it.",
		}
	}
}

func (p *patient) memory(context.Context) Check {
	used, told := p.number("used_memory")
	limit, limitTold := p.number("maxmemory")
	if !told || !limitTold {
		return p.untold()
	}
	of, rest, advice := "maxmemory", "", "Raise maxmemory, or take out what is not needed."
	if limit == 0 {
		if limit, told = p.number("total_system_memory"); !told || limit == 0 {
			return Check{State: CheckOK, Detail: bytesText(used) + " used; there is no maxmemory"}
		}
		of, rest = "the machine's memory", "; there is no maxmemory"
		advice = "Set maxmemory, so that Redis refuses what is too much and is not ended by the system."
	} else if uncounted, ok := p.number("mem_not_counted_for_evict"); ok {
		used -= uncounted
	}
	percent := used * 100 / limit
	check := Check{State: CheckOK}
	check.Detail = fmt.Sprintf("%s used, %d %% of %s (%s)%s", bytesText(used), percent, of, bytesText(limit), rest)
	switch {
	case percent >= 100:
		check.State, check.Advice = CheckFailed, advice+" Nothing can be stored until then; fetching works."
	case percent >= headroomPercent:
		check.State, check.Advice = CheckWarning, advice+" Once it is full, nothing can be stored; fetching works."
	}
	return check
}

func (p *patient) persistence(ctx context.Context) Check {
	if p.isEmbedded() {
		return Check{
			State:  CheckWarning,
			Detail: "in memory only: all data goes with the program that embeds it",
			Advice: "Put the address of a Redis into REDIS_URL where data is to stay.",
		}
	}
	if p.info["aof_enabled"] == "" {
		return p.untold()
	}
	return p.judgePersistence(p.setting(ctx, "save"), p.setting(ctx, "appendfsync"))
}

// untoldSetting stands for one that this user may not read. An empty setting is another thing.
const untoldSetting = "?"

func (p *patient) setting(ctx context.Context, name string) string {
	settings, err := p.rdb.ConfigGet(ctx, name).Result()
	if value, told := settings[name]; err == nil && told {
		return value
	}
	return untoldSetting
}

const aofAdvice = "CONFIG SET appendonly yes, and the same in its configuration; a managed Redis has a setting for it."

// judgePersistence knows when snapshots are made ("" = never) and when the append-only file is written to disk.
func (p *patient) judgePersistence(save, fsync string) Check {
	aof := p.info["aof_enabled"] == "1"
	saves, _ := p.number("rdb_saves")
	snapshots := save != "" && save != untoldSetting || save == untoldSetting && saves > 0
	switch {
	case aof && p.failed("aof_last_write_status"):
		return Check{
			State:  CheckFailed,
			Detail: "the append-only file could not be written the last time: until it can, Redis refuses to store",
			Advice: "See its log, and whether its disk is full.",
		}
	case (aof || snapshots) && p.failed("rdb_last_bgsave_status"):
		return Check{
			State:  CheckWarning,
			Detail: "the last snapshot failed: unless stop-writes-on-bgsave-error is off, Redis refuses to store",
			Advice: "See its log, whether its disk is full, and whether memory was short for the fork (vm.overcommit_memory).",
		}
	case aof && p.failed("aof_last_bgrewrite_status"):
		return Check{
			State:  CheckWarning,
			Detail: "the append-only file could not be rewritten the last time, and grows",
			Advice: "See its log, and whether its disk is full.",
		}
	case aof:
		return Check{State: CheckOK, Detail: "append-only file" + map[string]string{
			"always":   ", on disk before a call returns",
			"everysec": ", on disk within some two seconds",
			"no":       ", on disk when the system likes",
		}[fsync]}
	case snapshots:
		return Check{
			State:  CheckWarning,
			Detail: "snapshots only: after a crash, what came since the last one is gone, and what was taken since is there again",
			Advice: aofAdvice,
		}
	case save == untoldSetting:
		return Check{
			State:  CheckWarning,
			Detail: "no append-only file; whether snapshots are made is not told",
			Advice: aofAdvice,
		}
	default:
		return Check{
			State:  CheckWarning,
			Detail: "neither an append-only file nor snapshots: all data is gone after a restart",
			Advice: aofAdvice,
		}
	}
}

// failed says whether a status in INFO is there and not ok.
func (p *patient) failed(status string) bool {
	value, told := p.info[status]
	return told && value != "ok"
}

func bytesText(n int64) string {
	const unit = 1024
	value, names := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for value >= unit && i < len(names)-1 {
		value /= unit
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, names[i])
}
