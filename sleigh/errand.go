package sleigh

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/netspaces/netspaces/workspace"
)

// errand is one request of an exchange.
type errand struct {
	news   []*news
	slots  []*slot
	leaves *workspace.Waiter // nil if none waits
	used   bool              // the claim that it was brought has been given to a slot
	waits  *workspace.Waiter // for those slots that stay free; nil if there are none
}

// gather takes what is to be told next, and the slots that are free by then.
func (x *exchange) gather() *errand {
	x.mu.Lock()
	defer x.mu.Unlock()
	n, tasks, bytes := 0, 0, 0
	for ; n < len(x.news); n++ {
		tasks, bytes = tasks+len(x.news[n].done), bytes+x.news[n].bytes()
		if n > 0 && (tasks > newsTasks || bytes > newsBytes) {
			x.again = true
			break
		}
		if s := x.news[n].slot; s != nil {
			x.free(s)
		}
	}
	v := &errand{news: slices.Clone(x.news[:n]), slots: slices.Clone(x.slots)}
	x.news = slices.Delete(x.news, 0, n)
	return v
}

// visit tells the news and gets tasks for the slots. The waiter is replaced by one that waits for what is missing.
func (x *exchange) visit(v *errand) error {
	if len(v.slots) > 0 {
		var err error
		if v.waits, err = x.own.NewWaiter(x.from, x.lease, x.wake); err != nil {
			return err
		}
	}
	v.leaves, v.used = x.waiter, x.used
	x.waiter, x.used = nil, false
	waits, err := x.send(v)
	if err != nil {
		x.drop(v.leaves, v.used)
		x.drop(v.waits, false)
		return err
	}
	if v.leaves != nil {
		v.leaves.End()
	}
	switch {
	case v.waits == nil:
	case waits, v.waits.Name() == "":
		x.waiter = v.waits
	default:
		v.waits.End()
		x.mu.Lock()
		x.again = x.again || len(x.slots) > 0
		x.mu.Unlock()
	}
	return nil
}

// drop has a waiter leave that may wait.
func (x *exchange) drop(w *workspace.Waiter, used bool) {
	if w != nil {
		w.Leave(used)
	}
}

// send reports whether v.waits waits now.
func (x *exchange) send(v *errand) (waits bool, err error) {
	ctx, cancel := context.WithCancel(x.ctx)
	if !x.one { // who waits for the end of a worker does not wait for ever
		ctx, cancel = context.WithTimeout(x.ctx, drainFor)
	}
	defer cancel()
	do := x.own.Do
	sizes, leaver, waiter := "", "", ""
	for _, s := range v.slots {
		sizes += strconv.Itoa(s.n) + " "
	}
	if v.leaves != nil {
		leaver = v.leaves.Name()
	}
	if v.waits != nil {
		do, waiter = v.waits.Do, v.waits.Name()
	}
	var jobs []string
	for _, n := range v.news {
		for _, o := range n.done {
			if o.job != "" && !slices.Contains(jobs, o.job) {
				jobs = append(jobs, o.job)
			}
		}
	}
	variables := []string{x.in, x.from}
	args := []any{x.from, x.born, sizes, x.sharers(), x.lease.Milliseconds(), leaver, flag(v.used), waiter, len(jobs)}
	for _, job := range jobs {
		variables = append(variables, countVarOf(job), backlogVarOf(job), resultVarOf(job))
		args = append(args, job)
	}
	told, followed := []byte{}, []any(nil)
	for _, n := range v.news {
		told, followed = n.appendTo(told, followed, jobs)
	}
	args = append(args, "["+string(bytes.TrimPrefix(told, []byte(",")))+"]")
	args = append(args, followed...)
	word, texts, err := do(ctx, settleScript, variables, args...)
	if err != nil {
		return false, err
	}
	claims, texts, err := x.own.MadeClaims(x.from, word, texts)
	if err != nil {
		return false, err
	}
	for i, c := range claims {
		x.mu.Lock()
		ok := x.give(v.slots[i], c)
		x.mu.Unlock()
		if !ok { // it is not wanted any more
			x.release(c)
		}
	}
	if len(texts) < 3 {
		return false, fmt.Errorf("%w: the answer of a settlement is cut off", workspace.ErrDamaged)
	}
	state, born := texts[1], texts[2]
	for _, job := range texts[3:] {
		x.dropped(job)
	}
	switch state {
	case "BURIED":
		return false, workspace.ErrBuried
	case "DELETED":
		return false, workspace.ErrVarDeleted
	}
	if x.one {
		x.born = born
	}
	return state == "WAITS" && v.waits.Waits(born), nil
}

// release gives a claim back.
func (x *exchange) release(c *workspace.Claim) {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	var all []int
	for _, value := range c.Values {
		all = append(all, value.Index)
	}
	if err := c.Release(ctx, all...); err != nil && !isOver(err) {
		x.log.Warn("claimed values were not given back", "error", err)
	}
}

// appendTo adds to what settle.lua is to know: a JSON array, and the texts after it.
func (n *news) appendTo(told []byte, texts []any, jobs []string) ([]byte, []any) {
	for i := 0; i < len(n.done); i++ {
		o := &n.done[i]
		first := o.index
		for o.job == "" && i+1 < len(n.done) && n.done[i+1].job == "" && n.done[i+1].index == n.done[i].index+1 {
			i++ // values that just end go together
		}
		own := o.texts()
		told = append(append(told, ','), asJSON(n.claim)...)
		for _, number := range []int{first, n.done[i].index, 1 + slices.Index(jobs, o.job), o.done, o.failed, len(own)} {
			told = strconv.AppendInt(append(told, ','), int64(number), 10)
		}
		for _, text := range own {
			texts = append(texts, text)
		}
	}
	return told, texts
}

// texts are those that go with it; what is empty at their end is left out.
func (o *outcome) texts() [][]byte {
	texts := [][]byte{o.result, nil, o.kept}
	if o.of != nil {
		texts[1] = o.of.head()
	}
	texts = append(texts, o.instead...)
	for len(texts) > 0 && len(texts[len(texts)-1]) == 0 {
		texts = texts[:len(texts)-1]
	}
	return texts
}
