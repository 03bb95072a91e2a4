package workspacetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

func onceFetch(o *once) {
	far := o.far()
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO} {
		name := "lossy" + string(mode)
		o.declare(o.ws, name, mode)
		o.store(o.ws, name, 1, 2, 3)
		o.strike("values:" + name)
		rest := []string{"2", "3"}
		if mode == workspace.FIFO {
			o.fetch(far, name).gets("1")
		} else {
			o.fetch(far, name).gets("3")
			rest = []string{"2", "1"}
		}
		o.struck()
		o.holds(o.ws, name, rest...)
	}
}

// What is kept of a large value, should its reply be lost, stands apart; of several, with what else is kept.
func onceFetchLarge(o *once) {
	far := o.far()
	const size = 9000
	text := func(i int) string { return string(block(i, size)) }
	for i := range 6 {
		o.store(o.ws, "lossy", block(i, size))
	}
	o.strikeLossy()
	o.fetch(far, "lossy").gets(text(0))
	o.struck()
	o.fetch(far, "lossy").gets(text(1))
	var number int
	o.wantErr(far.Fetch(o.ctx, "lossy", &number), workspace.ErrValue)
	o.fetchN(far, "lossy", 2, text(2), text(3))
	for _, err := range bytewise["IFind"](o.ws, "lossy").Try(o.ctx) { // from now on, what goes back is put elsewhere
		o.must(err)
	}
	o.wantErr(far.Fetch(o.ctx, "lossy", &number), workspace.ErrValue)
	o.holds(o.ws, "lossy", text(4), text(5))
}

func onceFetchWaiting(o *once) {
	far := o.far()
	first := o.fetch(far, "lossy")
	o.waiting(o.ws, "lossy", 1, 0)
	second := o.fetch(o.ws, "lossy")
	o.waiting(o.ws, "lossy", 2, 0)
	o.proxy.quiet()
	o.strikeLossy()
	o.store(o.ws, "lossy", 1)
	first.gets("1")
	o.struck()
	o.waiting(o.ws, "lossy", 1, 0)
	o.store(o.ws, "lossy", 2, 3)
	second.gets("2")
	o.holds(o.ws, "lossy", "3")
}

func onceTryFetch(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 1, 2)
	o.strikeLossy()
	var got int
	if ok, err := far.TryFetch(o.ctx, "lossy", &got); !ok || err != nil || got != 1 {
		o.Errorf("TryFetch: %d, %v, %v; want 1", got, ok, err)
	}
	o.struck()
	o.holds(o.ws, "lossy", "2")
}

// What was not there when it was asked for is not taken later.
func onceTryFetchEmpty(o *once) {
	far := o.far()
	o.declare(o.ws, "lossy", workspace.FIFO)
	o.strikeLossy()
	var got int
	if ok, err := far.TryFetch(o.ctx, "lossy", &got); ok || err != nil {
		o.Errorf("TryFetch: %d, %v, %v; want none", got, ok, err)
	}
	o.store(o.ws, "lossy", 1)
	o.struck()
	o.holds(o.ws, "lossy", "1")
}

func onceFetchN(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", numbers(5)...)
	o.strikeLossy()
	got, err := workspace.NewVar[int](far, "lossy").FetchN(o.ctx, 3)
	if err != nil || !slices.Equal(got, []int{0, 1, 2}) {
		o.Errorf("FetchN: %v, %v; want 0, 1, 2", got, err)
	}
	o.struck()
	o.holds(o.ws, "lossy", "3", "4")
}

func onceIFetch(o *once) {
	const values = 40
	far := o.far()
	o.store(o.ws, "lossy", numbers(values)...)
	o.strikeLossy()
	var got []int
	for value, err := range workspace.NewVar[int](far, "lossy").IFetch().Try(o.ctx) {
		o.must(err)
		if got = append(got, value); len(got) == values/2 {
			break // what was taken ahead goes back
		}
	}
	o.struck()
	var came tally
	for i, value := range got {
		if i != value {
			o.Errorf("value %d came as number %d", value, i)
		}
		came.add(fmt.Sprint(value))
	}
	left := o.drain(o.ws, "lossy")
	if len(left) == 0 || left[0] != fmt.Sprint(values/2) {
		o.Errorf("%q is left", left)
	}
	came.add(left...)
	came.once(o.site, values)
}

// hearing is far, with its channel subscribed to: only then does Redis register its waiters.
func (o *once) hearing() *workspace.Workspace {
	o.Helper()
	far := o.far()
	find := o.find(far, "heard")
	o.waiting(o.ws, "heard", 0, 1)
	o.store(o.ws, "heard", 1)
	find.gets("1")
	o.proxy.quiet()
	return far
}

// What was found may be taken before a copy of the request arrives, which then must not wait.
func onceFind(o *once) {
	far := o.hearing()
	o.store(o.ws, "lossy", 1)
	o.strikeLossy()
	o.find(far, "lossy").gets("1")
	o.fetch(o.ws, "lossy").gets("1")
	o.struck()
	o.waiting(o.ws, "lossy", 0, 0)
}

// It comes for a value that is too large for a message.
func onceFindWaiting(o *once) {
	large := strings.Repeat("1", 5000)
	far := o.hearing()
	find := o.find(far, "lossy")
	o.waiting(o.ws, "lossy", 0, 1)
	o.proxy.quiet()
	o.strikeLossy()
	o.store(o.ws, "lossy", []byte(large))
	find.gets(large)
	o.fetch(o.ws, "lossy").gets(large)
	o.struck()
	o.waiting(o.ws, "lossy", 0, 0)
}

// The message brings the value; what goes wrong is that the waiter leaves.
func onceFindBrought(o *once) {
	far := o.hearing()
	find := o.find(far, "lossy")
	o.waiting(o.ws, "lossy", 0, 1)
	o.proxy.quiet()
	o.strikeLossy()
	o.store(o.ws, "lossy", 1)
	find.gets("1")
	select {
	case <-o.trap.happened:
	case <-o.ctx.Done():
	}
	o.struck()
	o.waiting(o.ws, "lossy", 0, 0)
	o.eventually(func() bool { return o.admin.Exists(o.ctx, o.key("handed", "lossy")).Val() == 0 },
		func() string { return "what was kept for it is still there" })
	o.fetch(o.ws, "lossy").gets("1")
}

// The message brings the claim.
func onceClaimBrought(o *once) {
	far := o.hearing()
	claim := o.claims(far, "lossy", nil)
	o.waiting(o.ws, "lossy", 1, 0)
	o.proxy.quiet()
	o.strikeLossy()
	o.store(o.ws, "lossy", 1)
	claim.end()
	o.must(claim.err)
	o.wantClaim(claim.claim, 1, "1")
	select {
	case <-o.trap.happened:
	case <-o.ctx.Done():
	}
	o.struck()
	o.waiting(o.ws, "lossy", 0, 0)
	if info := o.info(o.ws, "lossy"); info.Claimed != 1 {
		o.Errorf("%+v, want one claimed", info)
	}
	o.must(settleAll(o.ctx, claim.claim, ""))
	o.holds(o.ws, "lossy")
}

// A copy of the request that arrives late must not end the waiting of the one that came before it.
func onceFindByHand(o *once) {
	far := o.hearing()
	o.declare(o.ws, "lossy", workspace.FIFO)
	o.strikeLossy()
	find := o.find(far, "lossy")
	select {
	case <-o.trap.happened: // it waits in Redis before its reply is lost
	case <-o.ctx.Done():
	}
	o.waiting(o.ws, "lossy", 0, 1)
	o.push("lossy", "1")
	o.struck()
	find.gets("1")
	o.waiting(o.ws, "lossy", 0, 0)
}

func onceIFind(o *once) {
	far := o.hearing()
	o.store(o.ws, "lossy", 1)
	o.strikeLossy()
	for value, err := range workspace.NewVar[int](far, "lossy").IFind().All(o.ctx) {
		if err != nil || value != 1 {
			o.Errorf("IFind: %d, %v; want 1", value, err)
		}
		break
	}
	o.fetch(o.ws, "lossy").gets("1")
	o.struck()
	o.waiting(o.ws, "lossy", 0, 0)
}
