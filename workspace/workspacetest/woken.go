package workspacetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/workspace"
)

func wokenTests() (tests []test) {
	for _, fault := range faults {
		tests = append(tests,
			test{"WokenTogether" + fault.name, func(s *site) { newBeds(s).wokenTogether(fault.fate, fault.flush) }},
			test{"WokenTogetherCancelled" + fault.name, func(s *site) { newBeds(s).wokenCancelled(fault.fate) }})
	}
	return tests
}

// beds are variables for each of which one fetch of the same handle waits; all are woken at the same moment.
type beds struct {
	*site
	ws      *workspace.Workspace // stores; its connection is a good one
	far     *workspace.Workspace
	proxy   *proxy
	fetches []*pending
}

const manyBeds = 60

func bed(i int) string { return fmt.Sprintf("bed%03d", i) }

func newBeds(s *site) *beds {
	b := &beds{site: s, ws: s.open()}
	rdb, proxy := s.proxied()
	b.far, b.proxy = s.use(rdb), proxy
	for i := range manyBeds {
		b.fetches = append(b.fetches, s.fetch(b.far, bed(i)))
	}
	s.eventually(func() bool { return b.count(func(info workspace.VarInfo) int { return info.Fetchers }) == manyBeds },
		func() string { return "not all wait" })
	return b
}

func (b *beds) count(of func(workspace.VarInfo) int) int {
	b.Helper()
	infos, err := b.ws.ListVars(b.ctx)
	b.must(err)
	n := 0
	for _, info := range infos {
		n += of(info)
	}
	return n
}

// wake stores for all, and has the fault hit the first request of some who come together.
func (b *beds) wake(what fate, then func()) *trap {
	b.Helper()
	client, first := b.key("client", b.far.Client()), b.key("waiters", bed(0))
	trap := b.proxy.catch(what, fmt.Sprintf("%s\r\n$%d\r\n%s", client, len(first), first[:len(first)-3]), then)
	b.proxy.freeze()
	for i := range manyBeds {
		b.store(b.ws, bed(i), i)
	}
	b.proxy.thaw()
	return trap
}

// Each fetch gets its own value once, whatever becomes of the request in which it came.
func (b *beds) wokenTogether(what fate, flush bool) {
	trap := b.wake(what, func() {
		if flush {
			if err := b.flushScripts(); err != nil {
				b.Error(err)
			}
		}
	})
	for i, fetch := range b.fetches {
		fetch.gets(fmt.Sprint(i))
	}
	b.isCaught(trap, what)
	b.leftNothing()
}

// Each value goes to its fetch, or stays if the fetch was cancelled in the moment in which it came.
func (b *beds) wokenCancelled(what fate) {
	trap := b.wake(what, func() {
		for _, fetch := range b.fetches[:manyBeds/2] {
			fetch.cancel()
		}
	})
	for i, fetch := range b.fetches {
		fetch.end()
		switch {
		case fetch.err == nil && fetch.value == fmt.Sprint(i):
		case i < manyBeds/2 && errors.Is(fetch.err, context.Canceled):
			b.eventually(func() bool { return b.info(b.ws, bed(i)).Values == 1 },
				func() string {
					return fmt.Sprintf("the value of fetch %d, which ended with %v, does not come back", i, fetch.err)
				})
			b.holds(b.ws, bed(i), fmt.Sprint(i))
		default:
			b.Errorf("fetch %d: %q, %v", i, fetch.value, fetch.err)
		}
	}
	b.isCaught(trap, what)
	b.leftNothing()
}

func (b *beds) isCaught(t *trap, what fate) {
	b.Helper()
	select {
	case <-t.happened:
	default:
		b.Fatal("none came together")
	}
	if what == delayed {
		b.proxy.arrive(t)
	}
}

func (b *beds) leftNothing() {
	b.Helper()
	b.eventually(func() bool {
		return b.count(func(info workspace.VarInfo) int { return info.Values + info.Fetchers + info.Claimed }) == 0
	}, func() string { return "there are values or waiters left" })
}
