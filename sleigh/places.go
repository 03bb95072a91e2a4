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
	held map[int]*seat // by rank
}

// seat is a rank that this process has.
type seat struct {
	lost, moves func() // see watch
	moving      bool   // its worker is to have another rank
}

func newSeat() *seat { return &seat{lost: func() {}, moves: func() {}} }

func newPlaces(own *workspace.Workspace, lease time.Duration, slots, least int, log *slog.Logger) *places {
	return &places{
		own: own, lease: lease, slots: slots, least: least, log: log, renewed: make(chan struct{}, 1), held: map[int]*seat{},
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
		p.held[rank] = newSeat()
	}
	return ranks, nil
}

// watch calls lost should another process get the rank, after this one could not renew its lease for long, and moves when
// the worker is to have another one: see fillGap.
func (p *places) watch(rank int, lost, moves func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, held := p.held[rank]
	switch {
	case !held: // it was lost in the meantime
		lost()
	case at.moving:
		moves()
	default:
		at.lost, at.moves = lost, moves
	}
}

// moves reports whether the worker of a rank is to have another one.
func (p *places) moves(rank int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, held := p.held[rank]
	return held && at.moving
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
			at, held := p.held[rank]
			delete(p.held, rank)
			p.mu.Unlock()
			if held {
				p.log.Warn("another worker has the rank, since this process was silent for long", "rank", rank)
				at.lost()
			}
		}
		if err := p.fillGap(ctx); err != nil && !isOver(err) && ctx.Err() == nil {
			p.log.Warn("it is not known whether EachWorker waits for a worker that has gone", "error", err)
		}
	}
}

// fillGap has the worker of the highest rank, if it came in addition and is this process's, take the rank of one that has gone for
// good and that EachWorker waits for: nobody else may ever come.
func (p *places) fillGap(ctx context.Context) error {
	highest := p.highest()
	if p.least == 0 || highest < p.least {
		return nil
	}
	taken, _, err := look(ctx, p.own)
	if err != nil || slices.Max(append(taken, 0)) > highest {
		return err
	}
	for rank := range p.least {
		if slices.Contains(taken, rank) {
			continue
		}
		found, err := p.own.TryFind(ctx, taskVarOf(rank), new(json.RawMessage))
		if err != nil {
			return err
		}
		if found {
			p.move(highest)
			return nil
		}
	}
	return nil
}

// highest is the highest rank that this process has; -1 if there is none.
func (p *places) highest() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	highest := -1
	for rank := range p.held {
		highest = max(highest, rank)
	}
	return highest
}

func (p *places) move(rank int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, held := p.held[rank]; held && !at.moving {
		at.moving = true
		at.moves()
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
