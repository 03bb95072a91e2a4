package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// headcount says who is in the team.
type headcount struct {
	Workers int `json:"workers"` // that are there
	Slots   int `json:"slots"`   // of all of them
	Count   int `json:"count"`   // one more than the highest rank that is there or is to be
}

// places are the ranks that this process has for its workers, under leases that it renews. Each is the lowest that was free.
type places struct {
	own   *workspace.Workspace
	lease time.Duration
	slots int // of each worker
	least int // ranks that are there or are to be
	log   *slog.Logger
	// renewed has a value when the leases have just been renewed, or there is none. Nobody need take it.
	renewed chan struct{}

	mu   sync.Mutex
	held map[int]func() // what to do when the rank is lost
}

func newPlaces(own *workspace.Workspace, lease time.Duration, slots, least int, log *slog.Logger) *places {
	return &places{
		own: own, lease: lease, slots: slots, least: least, log: log, renewed: make(chan struct{}, 1), held: map[int]func(){},
	}
}

// take takes n ranks.
func (p *places) take(ctx context.Context, n int) ([]int, error) {
	_, ranks, err := p.do(ctx, "take", n)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rank := range ranks {
		p.held[rank] = func() {}
	}
	return ranks, nil
}

// whenLost calls f should another process get the rank, after this one could not renew its lease for long.
func (p *places) whenLost(rank int, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, held := p.held[rank]; held {
		p.held[rank] = f
	} else {
		f() // it was, in the meantime
	}
}

// leave gives a rank back.
func (p *places) leave(ctx context.Context, rank int) error {
	p.mu.Lock()
	delete(p.held, rank)
	p.mu.Unlock()
	_, _, err := p.do(ctx, "leave", rank)
	return err
}

// count is how many ranks this process has.
func (p *places) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.held)
}

// look counts who is there, and says which ranks were given up, since nothing is heard of those who had them.
func (p *places) look(ctx context.Context) (headcount, []int, error) { return p.do(ctx, "look") }

// hold renews the leases until ctx ends.
func (p *places) hold(ctx context.Context) {
	tick := time.NewTicker(p.lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p.mu.Lock()
		var ranks []any
		for rank := range p.held {
			ranks = append(ranks, rank)
		}
		p.mu.Unlock()
		if len(ranks) == 0 {
			p.noteRenewed()
			continue
		}
		_, lost, err := p.do(ctx, "renew", ranks...)
		switch {
		case err == nil:
			p.noteRenewed()
		case !isOver(err) && ctx.Err() == nil:
			p.log.Warn("the leases of ranks were not renewed", "error", err)
		}
		for _, rank := range lost {
			p.mu.Lock()
			tell := p.held[rank]
			delete(p.held, rank)
			p.mu.Unlock()
			if tell != nil {
				p.log.Warn("another worker has the rank, since this process was silent for long", "rank", rank)
				tell()
			}
		}
	}
}

func (p *places) noteRenewed() {
	select {
	case p.renewed <- struct{}{}:
	default:
	}
}

func (p *places) do(ctx context.Context, what string, more ...any) (headcount, []int, error) {
	variables := []string{rankVar, teamVar}
	if what == "leave" {
		for _, rank := range more {
			variables = append(variables, workerVarOf(rank.(int)), statusVarOf(rank.(int)), progressVarOf(rank.(int)), dismissVarOf(rank.(int)))
		}
	}
	args := append([]any{what, p.own.Client(), p.lease.Milliseconds(), p.slots, p.least}, more...)
	_, texts, err := p.own.Do(ctx, teamScript, variables, args...)
	var there headcount
	if err != nil {
		return there, nil, err
	}
	if len(texts) == 0 {
		return there, nil, errors.New("sleigh: no reply of who is in the team")
	}
	if err := json.Unmarshal([]byte(texts[0]), &there); err != nil {
		return there, nil, fmt.Errorf("sleigh: what is known of the team is not readable: %w", err)
	}
	ranks, err := numbers(texts[1:])
	slices.Sort(ranks)
	return there, ranks, err
}

func numbers(texts []string) ([]int, error) {
	var all []int
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("sleigh: not a number: %w", err)
		}
		all = append(all, n)
	}
	return all, nil
}
