package workspacetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// iterateFaultTests need a real Redis.
var iterateFaultTests = []test{
	{"I2KilledConnections", i2KilledConnections},
	{"I1MemoryShort", i1MemoryShort},
	{"I1WithoutPubSub", i1WithoutPubSub},
	{"WatchWithoutPubSub", watchWithoutPubSub},
}

// Connections are killed while loops take values, are left, and are held up: each value comes once.
func i2KilledConnections(s *site) {
	const values = 1500
	ws := s.open()
	s.store(ws, "v", numbers(values)...)
	handles := []*workspace.Workspace{ws, s.use(s.client()), s.use(s.client())}
	stop := s.killing("normal", 20*time.Millisecond)
	var came tally
	var loops sync.WaitGroup
	for c, h := range handles {
		loops.Go(func() {
			it := ifetch(h, "v")
			for n := c + 1; came.total() < values && s.ctx.Err() == nil; n = n%60 + 7 {
				taken := 0
				for value, err := range it.Try(s.ctx) {
					if _, broke := errors.AsType[*redisx.UnknownError](err); broke {
						s.Logf("%v", err)
						break
					}
					if err != nil {
						s.Error(err)
						return
					}
					came.add(strconv.Itoa(value))
					if taken++; taken == n {
						break
					}
				}
			}
		})
	}
	loops.Wait()
	stop()
	s.holds(ws, "v")
	came.once(s, values)
}

// Reading and taking, and putting back, work without memory for anything more.
func i1MemoryShort(s *site) {
	const n = 100
	ws := s.open()
	for name := range iterators {
		s.store(ws, name, numbers(n)...)
	}
	s.store(ws, "bad", 1, "x", 3)
	s.full()
	find := ifind(ws, "IFind")
	if got := s.tries(find); len(got) != n {
		s.Errorf("IFind gave %d", got)
	}
	next := s.following(find)
	s.waiting(ws, "IFind", 0, 1)
	next.cancel()
	next.fails(context.Canceled)
	fetch := ifetch(ws, "IFetch")
	if got := s.some(fetch, n/2); len(got) != n/2 {
		s.Errorf("IFetch gave %d", got)
	}
	if got := s.tries(fetch); len(got) != n/2 || got[0] != n/2 {
		s.Errorf("IFetch gave %d then", got)
	}
	got, err := workspace.NewVar[int](ws, "bad").FetchN(s.ctx, 3)
	if s.wantErr(err, workspace.ErrValue); !slices.Equal(got, []int{1}) {
		s.Errorf("FetchN gave %d", got)
	}
	s.holds(ws, "bad", `"x"`, "3")
	w := s.watch(ws, "IFind")
	w.shows(workspace.VarInfo{Name: "IFind", Mode: workspace.FIFO, Values: n})
}

// The beat alone serves those who iterate.
func i1WithoutPubSub(s *site) {
	ws := s.open()
	mute := s.mute()
	for i, c := range []struct{ storing, asking *workspace.Workspace }{{mute, ws}, {ws, mute}, {mute, mute}} {
		for name, iterator := range iterators {
			name := fmt.Sprint(name, i)
			it := iterator(c.asking, name)
			next := s.following(it)
			s.waits(ws, name)
			s.store(c.storing, name, 1, 2)
			next.gets("1")
			s.gives(it, 2)
			next = s.following(it)
			s.waits(ws, name)
			s.must(c.storing.DeleteVar(s.ctx, name))
			next.gets(ended)
		}
	}
}

func watchWithoutPubSub(s *site) {
	ws := s.open()
	mute := s.mute()
	watchers := []*watcher{s.watch(mute), s.watch(ws)}
	v := workspace.VarInfo{Name: "v", Mode: workspace.FIFO}
	for _, h := range []*workspace.Workspace{ws, mute} {
		s.store(h, "v", 1)
		v.Values++
		for _, w := range watchers {
			w.shows(v)
		}
	}
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	for _, w := range watchers {
		w.fails(workspace.ErrNoWorkspace)
	}
}
