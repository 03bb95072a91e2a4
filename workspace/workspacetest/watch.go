package workspacetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/netspaces/netspaces/workspace"
)

var watchTests = []test{
	{"WatchShowsNow", watchShowsNow},
	{"WatchSeesChanges", watchSeesChanges},
	{"WatchSeesWaiters", watchSeesWaiters},
	{"WatchSomeVariables", watchSomeVariables},
	{"WatchSeesWhatIsPutInByHand", watchSeesWhatIsPutInByHand},
	{"WatchTwoOnOneClient", watchTwoOnOneClient},
	{"WatchIsQuiet", watchIsQuiet},
	{"WatchContextEnds", watchContextEnds},
	{"WatchWorkspaceDeleted", watchWorkspaceDeleted},
	{"WatchHandleClosed", watchHandleClosed},
	{"WatchLoopLeft", watchLoopLeft},
	{"WatchAfterABrokenConnection", watchAfterABrokenConnection},
	{"WatchSeesWhatIsSettledInto", watchSeesWhatIsSettledInto},
}

// watcher is a Watch in a goroutine of its own.
type watcher struct {
	*pending

	mu    sync.Mutex
	shown [][]workspace.VarInfo
}

func (s *site) watch(ws *workspace.Workspace, variables ...string) *watcher {
	w := &watcher{}
	w.pending = s.start("watch", func(ctx context.Context, p *pending) {
		for infos, err := range ws.Watch(ctx, variables...) {
			if err != nil {
				p.err = err
				return
			}
			w.mu.Lock()
			w.shown = append(w.shown, infos)
			w.mu.Unlock()
		}
	})
	return w
}

// times is how often something was shown.
func (w *watcher) times() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.shown)
}

// shows waits until this is what was shown last.
func (w *watcher) shows(want ...workspace.VarInfo) {
	w.s.Helper()
	var last []workspace.VarInfo
	w.s.eventually(func() bool {
		select {
		case <-w.done:
			w.s.Fatalf("the watch has ended with %v", w.err)
		default:
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.shown) == 0 {
			return false
		}
		last = w.shown[len(w.shown)-1]
		return slices.Equal(last, want)
	}, func() string { return fmt.Sprintf("shown are %+v, want %+v", last, want) })
}

func watchShowsNow(s *site) {
	ws := s.open()
	s.watch(ws).shows() // there is nothing, and it says so
	s.store(ws, "b", 1, 2)
	s.declare(ws, "a", workspace.LIFO)
	b := workspace.VarInfo{Name: "b", Mode: workspace.FIFO, Values: 2}
	s.watch(s.use(s.client())).shows(workspace.VarInfo{Name: "a", Mode: workspace.LIFO}, b)
	s.watch(ws, "b").shows(b)
	s.watch(ws, "c").shows()
	for infos, err := range ws.Watch(s.ctx) { // without waiting for a change
		if s.must(err); len(infos) != 2 {
			s.Errorf("shown are %+v", infos)
		}
		break
	}
	if s.info(ws, "c").Name != "" {
		s.Error("watching made a variable")
	}
}

func watchSeesChanges(s *site) {
	ws := s.open()
	w := s.watch(s.use(s.client()))
	w.shows()
	v := workspace.VarInfo{Name: "v", Mode: workspace.FIFO, Values: 3}
	s.store(ws, "v", 1, 2, 3)
	w.shows(v)
	s.fetch(ws, "v").gets("1")
	v.Values = 2
	w.shows(v)
	claim := s.claim(ws, "v", nil)
	v.Values, v.Claimed = 1, 1
	w.shows(v)
	s.must(claim.Release(s.ctx, indexes(claim)...))
	v.Values, v.Claimed = 2, 0
	w.shows(v)
	claim = s.claim(ws, "v", nil)
	s.must(settleAll(s.ctx, claim, ""))
	v.Values = 1
	w.shows(v)
	s.declare(ws, "a", workspace.Multi)
	a := workspace.VarInfo{Name: "a", Mode: workspace.Multi}
	w.shows(a, v)
	s.must(ws.DeleteVar(s.ctx, "v"))
	w.shows(a)
	var text []byte
	_, err := ws.TryFind(s.ctx, "w", &text)
	s.must(err)
	w.shows(a, workspace.VarInfo{Name: "w", Mode: workspace.Unknown})
}

func watchSeesWaiters(s *site) {
	ws := s.open()
	w := s.watch(s.use(s.client()))
	w.shows()
	v := workspace.VarInfo{Name: "v", Mode: workspace.Unknown, Fetchers: 1}
	first := s.fetch(ws, "v")
	w.shows(v)
	find := s.find(ws, "v")
	v.Finders = 1
	w.shows(v)
	second := s.following(ifetch(ws, "v"))
	v.Fetchers = 2
	w.shows(v)
	third := s.following(ifind(ws, "v"))
	v.Finders = 2
	w.shows(v)
	first.cancel()
	third.cancel()
	v.Fetchers, v.Finders = 1, 1
	w.shows(v)
	s.store(ws, "v", 1)
	find.gets("1")
	second.gets("1")
	w.shows(workspace.VarInfo{Name: "v", Mode: workspace.FIFO})
}

// A watch of some variables shows nothing of the others, and nothing when only these change.
func watchSomeVariables(s *site) {
	ws := s.open()
	w := s.watch(ws, "c", "a")
	all := s.watch(ws)
	w.shows()
	a, b := workspace.VarInfo{Name: "a", Mode: workspace.FIFO, Values: 1}, workspace.VarInfo{Name: "b", Mode: workspace.FIFO}
	s.store(ws, "a", 1)
	w.shows(a)
	shown := w.times()
	for range 5 {
		s.store(ws, "b", 1)
		b.Values++
		all.shows(a, b)
	}
	s.declare(ws, "c", workspace.LIFO)
	w.shows(a, workspace.VarInfo{Name: "c", Mode: workspace.LIFO})
	if n := w.times(); n != shown+1 {
		s.Errorf("shown %d times, want %d: others have changed", n, shown+1)
	}
	s.must(ws.DeleteVar(s.ctx, "a"))
	w.shows(workspace.VarInfo{Name: "c", Mode: workspace.LIFO})
}

func watchSeesWhatIsPutInByHand(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.FIFO)
	w := s.watch(ws)
	v := workspace.VarInfo{Name: "v", Mode: workspace.FIFO}
	w.shows(v)
	s.push("v", 1, 2, 3)
	v.Values = 3
	w.shows(v)
	s.must(s.admin.LTrim(s.ctx, s.key("values", "v"), 0, 0).Err())
	v.Values = 1
	w.shows(v)
}

func watchTwoOnOneClient(s *site) {
	ws := s.open()
	other := s.use(s.rdb)
	watchers := []*watcher{s.watch(ws), s.watch(ws, "v"), s.watch(other)}
	for _, w := range watchers {
		w.shows()
	}
	v := workspace.VarInfo{Name: "v", Mode: workspace.FIFO}
	for range 3 {
		s.store(ws, "v", 1)
		v.Values++
		for _, w := range watchers {
			w.shows(v)
		}
	}
	watchers[2].cancel() // the others see on
	watchers[2].fails(context.Canceled)
	s.store(ws, "v", 1)
	v.Values++
	watchers[0].shows(v)
	watchers[1].shows(v)
	watchers[0].cancel()
	watchers[0].fails(context.Canceled)
	s.store(ws, "v", 1)
	v.Values++
	watchers[1].shows(v)
}

// Where nothing changes nothing is shown; many changes at once are shown together.
func watchIsQuiet(s *site) {
	const n = 1000
	ws := s.open()
	w, bystander := s.watch(ws), s.watch(ws, "v")
	w.shows()
	for i := range n {
		s.store(ws, "v", i)
	}
	v := workspace.VarInfo{Name: "v", Mode: workspace.FIFO, Values: n}
	w.shows(v)
	if times := w.times(); times > n/5 {
		s.Errorf("%d stores were shown %d times", n, times)
	}
	bystander.shows(v)
	shown := w.times()
	s.must(ws.Declare(s.ctx, "v", workspace.FIFO)) // changes nothing
	s.store(ws, "w", 1)
	w.shows(v, workspace.VarInfo{Name: "w", Mode: workspace.FIFO, Values: 1})
	if times := w.times(); times != shown+1 {
		s.Errorf("one change was shown %d times", times-shown)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 1; i < len(w.shown); i++ {
		if slices.Equal(w.shown[i-1], w.shown[i]) {
			s.Errorf("the same was shown twice: %+v", w.shown[i])
		}
	}
}

func watchContextEnds(s *site) {
	ws := s.open()
	w := s.watch(ws)
	w.shows()
	w.cancel()
	w.fails(context.Canceled)
	over, cancel := context.WithCancel(s.ctx)
	cancel()
	times := 0
	for _, err := range ws.Watch(over) {
		times++
		s.wantErr(err, context.Canceled)
	}
	if times != 1 {
		s.Errorf("shown %d times after the context's end, want the error once", times)
	}
}

func watchWorkspaceDeleted(s *site) {
	ws := s.open()
	watchers := []*watcher{s.watch(ws), s.watch(s.use(s.client())), s.watch(ws, "v")}
	for _, w := range watchers {
		w.shows()
	}
	s.must(workspace.Delete(s.ctx, s.rdb, s.name()))
	anew := s.openBy(s.client(), nil)
	s.store(anew, "v", 1)
	for _, w := range watchers {
		w.fails(workspace.ErrNoWorkspace)
		s.names(w.err, s.name())
	}
	s.watch(ws).fails(workspace.ErrNoWorkspace)
	s.watch(anew).shows(workspace.VarInfo{Name: "v", Mode: workspace.FIFO, Values: 1})
}

func watchHandleClosed(s *site) {
	ws := s.open()
	other := s.use(s.client())
	w := s.watch(other)
	w.shows()
	s.must(other.Close())
	w.fails(workspace.ErrClosed)
	s.watch(other).fails(workspace.ErrClosed)
	s.watch(ws).shows()
}

// A loop that is left can be begun again.
func watchLoopLeft(s *site) {
	ws := s.open()
	seq := ws.Watch(s.ctx)
	for i := range 3 {
		s.store(ws, "v", i)
		for infos, err := range seq {
			s.must(err)
			if want := []workspace.VarInfo{{Name: "v", Mode: workspace.FIFO, Values: i + 1}}; !slices.Equal(infos, want) {
				s.Errorf("shown are %+v, want %+v", infos, want)
			}
			break
		}
	}
}

func watchAfterABrokenConnection(s *site) {
	ws := s.open()
	rdb, proxy := s.proxied()
	w := s.watch(s.use(rdb))
	w.shows()
	v := workspace.VarInfo{Name: "v", Mode: workspace.FIFO}
	for range 3 {
		proxy.cut()
		s.store(ws, "v", 1)
		v.Values++
		w.shows(v)
	}
	proxy.deafen() // nothing is told any more
	s.store(ws, "v", 1)
	v.Values++
	w.shows(v)
}

// What a claim of another workspace stores here shows, too.
func watchSeesWhatIsSettledInto(s *site) {
	ws := s.open()
	user := s.beside("user")
	s.declare(user, "r", workspace.FIFO)
	w := s.watch(user)
	r := workspace.VarInfo{Name: "r", Mode: workspace.FIFO}
	w.shows(r)
	s.store(ws, "v", 1)
	claim := s.claim(ws, "v", nil)
	s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, In: user, Into: "r", Value: 1}))
	r.Values = 1
	w.shows(r)
}
