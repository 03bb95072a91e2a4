package sleigh

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/netspaces/netspaces/workspace"
)

// terms are what the master tells of itself to workers that want to join.
func (s *Sleigh) terms(sameBuild bool) terms {
	p := thisProgram()
	registry.Lock()
	defer registry.Unlock()
	if known != nil {
		p.Functions = known
	}
	t := terms{program: p, SameBuild: sameBuild, Lasts: s.lasts, Lease: s.lease, Drain: s.drain, Level: s.level, Workers: s.workers, Master: s.asMaster()}
	if s.lasts { // other masters may have other functions, and workers that do not know them leave them to others
		t.Workers, t.Functions = 0, nil
	}
	return t
}

func (s *Sleigh) tellTerms(ctx context.Context, sameBuild bool) error {
	if err := s.own.Declare(ctx, termsVar, workspace.Single); err != nil {
		return err
	}
	return s.own.Store(ctx, termsVar, s.terms(sameBuild))
}

// members are the ranks of the workers that EachWorker is for.
func (s *Sleigh) members(ctx context.Context) ([]int, error) {
	if !s.lasts {
		return s.launchedRanks(ctx)
	}
	ranks, _, err := look(ctx, s.own)
	if err == nil && len(ranks) == 0 {
		err = fmt.Errorf("no worker has joined the team %q", s.Name())
	}
	return ranks, err
}

// launchedRanks are those of the workers that were asked for, also if they are still to come, but not of those that were told
// to leave, unless others have taken their ranks.
func (s *Sleigh) launchedRanks(ctx context.Context) ([]int, error) {
	s.mu.Lock()
	without := maps.Clone(s.without)
	s.mu.Unlock()
	var taken []int
	if len(without) > 0 {
		var err error
		if taken, _, err = look(ctx, s.own); err != nil {
			return nil, err
		}
	}
	var ranks []int
	for rank := range s.workers {
		if !without[rank] || slices.Contains(taken, rank) {
			ranks = append(ranks, rank)
		}
	}
	if len(ranks) == 0 {
		return nil, fmt.Errorf("all workers of %q were told to leave", s.Name())
	}
	return ranks, nil
}

// dismissed notes that a worker which this process has launched was told to leave.
func (s *Sleigh) dismissed(rank int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.without == nil {
		s.without = map[int]bool{}
	}
	s.without[rank] = true
}

// look says which ranks are taken, in their order, and the ids of the jobs.
func look(ctx context.Context, own *workspace.Workspace) (ranks []int, jobs []string, err error) {
	_, texts, err := own.Do(ctx, lookScript, []string{rankVar})
	if err != nil {
		return nil, nil, err
	}
	n, err := strconv.Atoi(texts[0])
	if err != nil || n > len(texts)-1 {
		return nil, nil, fmt.Errorf("sleigh: what is known of the team is not readable: %w", err)
	}
	ranks, err = numbers(texts[1 : 1+n])
	slices.Sort(ranks)
	return ranks, texts[1+n:], err
}

// capacity is how many tasks the team can run at a time: those that are there, or are to be.
func (s *Sleigh) capacity() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.there.Slots, s.workers*s.slots, 1)
}

// followTeam learns of each worker that comes or leaves, and has the jobs use those that are there.
func (s *Sleigh) followTeam(ctx context.Context) {
	changes := workspace.NewVar[headcount](s.own, teamVar).IFind()
	for ctx.Err() == nil {
		for there, err := range changes.All(ctx) {
			if isOver(err) || ctx.Err() != nil {
				return
			}
			if err != nil {
				s.log.Warn("the master does not hear of its team", "error", err)
				pause(ctx, retryPause)
				break
			}
			s.setTeam(there)
		}
	}
}

func (s *Sleigh) setTeam(there headcount) {
	s.mu.Lock()
	changed, resized := there != s.there, there.Slots != s.there.Slots
	s.there = there
	for j := range s.jobs {
		if resized {
			j.resize()
		}
	}
	s.mu.Unlock()
	if changed {
		s.log.Info("team", "workers", there.Workers, "slots", there.Slots)
	}
}

// resize has a job hand out as many tasks as the team now can run.
func (j *job) resize() {
	j.resized.Store(true)
	j.nudge()
}

// lookAfterTeam gives up the ranks of workers that are not heard of any more.
func (s *Sleigh) lookAfterTeam(ctx context.Context) {
	for {
		pause(ctx, s.lease)
		if ctx.Err() != nil {
			return
		}
		there, gone, err := s.places.look(ctx)
		switch {
		case isOver(err):
			return
		case err == nil:
			s.setTeam(there) // should Redis have lost a change
		case ctx.Err() == nil:
			s.log.Warn("the master does not know who is in its team", "error", err)
		}
		for _, rank := range gone {
			s.log.Warn("a worker is not heard of any more, and its rank is free", "rank", rank)
		}
	}
}

// awaitOthers waits until the workers have left that this process does not keep.
func (s *Sleigh) awaitOthers(ctx context.Context) {
	changes := workspace.NewVar[headcount](s.own, teamVar).IFind()
	for ctx.Err() == nil {
		there, _, err := s.places.look(ctx)
		if err != nil || there.Workers <= s.places.count() {
			return
		}
		// Those that left tell, and those that died do not.
		wait, cancel := context.WithTimeout(ctx, min(s.lease, retryPause))
		for there, err := range changes.All(wait) {
			if err != nil || there.Workers <= s.places.count() {
				break
			}
		}
		cancel()
	}
}
