package sleigh

import (
	"context"
	"fmt"
	"os"
	"sync"
)

// Local has n worker processes on this machine: copies of this program, whose main must call Main first. They end with
// this process, however it ends. A worker that dies is replaced.
func Local(n int) Launcher { return local(n) }

type local int

func (n local) size() int { return int(n) }

func (n local) launch(s *Sleigh) (team, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("sleigh: cannot launch workers: %w", err)
	}
	c := newCrew(s)
	return c, c.launch(int(n), func(_, rank int) (run runWorker, end func()) {
		out := s.output.stderrHere(rank, hostname())
		p := &processes{place: onThisHost{program: program, redis: s.rdb.URL()}, output: out, ended: out.ended, stays: s.lasts, kill: c.killed}
		return p.run, out.close
	})
}

// crew is the workers that the master itself keeps.
type crew struct {
	s       *Sleigh
	now     context.Context // ends when they are to leave at once
	atOnce  context.CancelFunc
	killed  context.Context // ends to kill them, and now with it
	kill    context.CancelFunc
	running sync.WaitGroup
}

func newCrew(s *Sleigh) *crew {
	c := &crew{s: s}
	c.killed, c.kill = context.WithCancel(context.Background())
	c.now, c.atOnce = context.WithCancel(c.killed)
	return c
}

// runWorker has a worker work until it ends: see keeper.
type runWorker = func(leave, now context.Context, m member) end

// launch has n keepers keep workers until the sleigh stops. Each has what runner gives for its number and its rank.
func (c *crew) launch(n int, runner func(i, rank int) (run runWorker, end func())) error {
	ranks, err := c.s.places.take(c.s.ctx, n)
	if err != nil {
		c.kill()
		return err
	}
	for i, rank := range ranks {
		run, end := runner(i, rank)
		k := &keeper{
			own: c.s.own, places: c.s.places, log: c.s.log, member: c.s.member(rank), run: run, always: true, lasts: c.s.lasts, leave: c.s.ctx, now: c.now,
			launches: c.s.launches, entry: i, dismissed: c.s.dismissed,
		}
		c.running.Go(func() {
			defer end()
			if err := k.keep(); err != nil && c.s.ctx.Err() == nil {
				c.s.fail(fmt.Errorf("sleigh: %w", err))
			}
		})
	}
	return nil
}

// end has those that are still there when ctx ends give back what they run, for other workers of a team that lasts. Where
// there are none it kills them.
func (c *crew) end(ctx context.Context) {
	enough := c.kill
	if c.s.lasts {
		enough = c.atOnce
	}
	defer context.AfterFunc(ctx, enough)()
	c.running.Wait()
	c.kill()
}

// member is what a worker of the rank has to know.
func (s *Sleigh) member(rank int) member {
	return member{
		Sleigh: s.Name(), Keeper: s.own.Client(), Rank: rank, Count: s.Workers(), Lease: s.lease, Drain: s.drain, Slots: s.slots, Level: s.level, Lasts: s.lasts,
	}
}
