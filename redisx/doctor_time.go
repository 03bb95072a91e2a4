package redisx

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	pings       = 50
	pingsLast   = 2 * time.Second // for all of them
	slowMedian  = 5 * time.Millisecond
	slowOne     = 250 * time.Millisecond
	clockOff    = 2 * time.Second // from this machine's clock
	clockJump   = 200 * time.Millisecond
	clockProbes = 5
)

func (p *patient) roundTrip(ctx context.Context) Check {
	var times []time.Duration
	for began := time.Now(); len(times) < pings && (len(times) == 0 || time.Since(began) < pingsLast); {
		sent := time.Now()
		if err := p.rdb.Ping(ctx).Err(); err != nil {
			return notTold("PING", err)
		}
		times = append(times, time.Since(sent))
	}
	return judgeRoundTrip(times)
}

func judgeRoundTrip(times []time.Duration) Check {
	slices.Sort(times)
	median, slowest := times[len(times)/2], times[len(times)-1]
	check := Check{
		State:  CheckOK,
		Detail: fmt.Sprintf("median %s, the slowest of %d %s", milliseconds(median), len(times), milliseconds(slowest)),
	}
	switch {
	case median > slowMedian:
		check.State = CheckWarning
		check.Detail += fmt.Sprintf("; one caller does at most %d calls a second", int(time.Second/median))
		check.Advice = "Run near Redis, or with several callers; StoreAll and claims of many values need fewer calls."
	case slowest > slowOne:
		check.State = CheckWarning
		check.Advice = "Something holds up Redis, the network or this machine now and then; redis-cli slowlog get may tell."
	}
	return check
}

// offset is how far a server's clock is ahead of ours.
type offset struct {
	ahead  time.Duration
	within time.Duration // how well that is known
	here   time.Time
}

// clockOffset asks some times, since what came back fastest is known best.
func (p *patient) clockOffset(ctx context.Context) (best offset, err error) {
	for i := range clockProbes {
		sent := time.Now()
		there, err := p.rdb.Time(ctx).Result()
		if err != nil {
			return offset{}, err
		}
		half := time.Since(sent) / 2
		here := sent.Add(half)
		if i == 0 || half < best.within {
			best = offset{ahead: there.Sub(here), within: half, here: here}
		}
	}
	return best, nil
}

func (p *patient) clock(ctx context.Context) Check {
	now, err := p.clockOffset(ctx)
	if err != nil {
		return notTold("TIME", err)
	}
	return judgeClock(p.offset, now)
}

const clockAdvice = "Have the machines keep their time by NTP."

// judgeClock compares the offset at first, which may be missing, with that some time later.
func judgeClock(first, now offset) Check {
	jump := now.ahead - first.ahead
	if first.here.IsZero() {
		jump = 0
	}
	switch {
	case jump.Abs() > clockJump+first.within+now.within:
		return Check{
			State: CheckWarning,
			Detail: fmt.Sprintf("it jumped by %s, or this machine's did: leases in Redis run on Redis' clock",
				milliseconds(jump)),
			Advice: clockAdvice + " They should slew it, and not set it, while they run.",
		}
	case now.ahead.Abs() > clockOff:
		return Check{
			State: CheckWarning,
			Detail: away(now) +
				"; leases hold, since only Redis' clock counts, but a replica that takes over may have another one",
			Advice: clockAdvice,
		}
	default:
		return Check{State: CheckOK, Detail: away(now)}
	}
}

func away(o offset) string {
	direction := "ahead of"
	if o.ahead < 0 {
		direction = "behind"
	}
	return fmt.Sprintf("%s %s this machine's, give or take %s",
		milliseconds(o.ahead.Abs()), direction, milliseconds(o.within))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
