package workspace

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Waiter waits for values of a variable on behalf of a Script, which makes it wait, and comes for them when it is woken. It
// holds no connection meanwhile. A waiter waits once: who wants to wait again makes another one.
type Waiter struct {
	ws   *Workspace
	w    *waiter
	made time.Time
}

// NewWaiter makes a waiter for values of a variable, which does not wait yet. The message that wakes it may bring a claim of one
// value with such a lease. woken is called, by any goroutine, when it is time to ask again: there may be something, or Redis may
// have lost the waiter. It should return at once. NewWaiter returns ErrClosed after Close.
func (ws *Workspace) NewWaiter(variable string, lease time.Duration, woken func()) (*Waiter, error) {
	w := ws.addWaiter(question{variable: variable, takes: "=" + strconv.FormatInt(lease.Milliseconds(), 10), woken: woken})
	if w == nil {
		return nil, ws.wrap(variable, ErrClosed)
	}
	return &Waiter{ws: ws, w: w, made: time.Now()}, nil
}

// Name is what a script knows the waiter by: waiting().wait(var, name, 'fetch') makes it wait. It is empty as long as the waiter
// could not be woken, since its process does not listen yet, but for a second at the most; woken is called when that is over.
func (w *Waiter) Name() string {
	if !w.ws.canHear() && time.Since(w.made) < hearQuick {
		return ""
	}
	return w.w.member(w.ws.client)
}

// Do is Workspace.Do, for a script that may make w wait.
func (w *Waiter) Do(ctx context.Context, s *Script, variables []string, args ...any) (word string, texts []string, err error) {
	return w.ws.do(ctx, s, w.w, variables, args...)
}

// Waits notes that w waits, as long as the variable has this incarnation, which is var.born in the script. It is false if that is
// over already, since Do was given up.
func (w *Waiter) Waits(born string) bool {
	w.ws.waiting.mu.Lock()
	w.w.born = born
	w.ws.waiting.mu.Unlock()
	return !w.w.left
}

// Brought is the claim that a message has brought; nil if none has.
func (w *Waiter) Brought() *Claim {
	r, ok := w.ws.takeBrought(w.w)
	if !ok || r.word != "CLAIM" {
		return nil
	}
	return w.ws.claimOf(w.w.variable, r)
}

// End is for a waiter that a script has taken out: by waiting().give_back(var, name), or, if the claim that it was brought is
// used, by unwait.
func (w *Waiter) End() { w.ws.removeWaiter(w.w) }

// Leave takes the waiter out, in the background. What was on its way to it goes to others, but a claim that it was brought and
// that is used.
func (w *Waiter) Leave(used bool) {
	if !w.w.left {
		d := &departure{variable: w.w.variable, waiter: w.w}
		if used {
			d.used = 1
		}
		w.ws.depart(d)
	}
	w.End()
}

// claimOf is the claim in a reply with the word CLAIM.
func (ws *Workspace) claimOf(variable string, r reply) *Claim {
	c := &Claim{ws: ws, variable: variable, id: r.text(1), Attempt: r.number(2)}
	if c.Attempt > 1 {
		c.Before = r.text(3)
	}
	for i := 4; i+1 < len(r.rest); i += 2 {
		c.Values = append(c.Values, Claimed{Index: r.number(i), Text: []byte(r.text(i + 1))})
	}
	return c
}

// MadeClaims reads the answer of a script that may have made claims on a variable, and returns these and the rest: the word and
// the texts of its reply proper. Should nobody get the answer, the claims are released.
func (ws *Workspace) MadeClaims(variable, word string, texts []string) (claims []*Claim, rest []string, err error) {
	rest = append([]string{word}, texts...)
	if word != madeClaims {
		return nil, rest, nil
	}
	rest = rest[1:]
	damaged := func(what string) error {
		return ws.wrap(variable, fmt.Errorf("%w: an answer with claims has: %s", ErrDamaged, what))
	}
	if len(rest) == 0 {
		return nil, nil, damaged("no number of them")
	}
	n, err := strconv.Atoi(rest[0])
	if err != nil {
		return nil, nil, damaged(rest[0])
	}
	for rest = rest[1:]; n > 0; n-- {
		c, others, err := ws.madeClaim(variable, rest)
		if err != nil {
			return nil, nil, damaged(err.Error())
		}
		claims, rest = append(claims, c), others
	}
	return claims, rest, nil
}

// madeClaim reads one: "id attempt before n", with the indexes of its values after it unless they are 1 to n, and the values.
func (ws *Workspace) madeClaim(variable string, texts []string) (c *Claim, rest []string, err error) {
	if len(texts) == 0 {
		return nil, nil, errors.New("too few of them")
	}
	id, head, _ := strings.Cut(texts[0], " ")
	attempt, head, _ := strings.Cut(head, " ")
	before, head, _ := strings.Cut(head, " ")
	number, indexes, listed := strings.Cut(head, " ")
	c = &Claim{ws: ws, variable: variable, id: id}
	if c.Attempt, err = strconv.Atoi(attempt); err != nil {
		return nil, nil, err
	}
	if c.Attempt > 1 {
		c.Before = before
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(texts) {
		return nil, nil, fmt.Errorf("%q before %d texts", texts[0], len(texts)-1)
	}
	c.Values = make([]Claimed, n)
	for i := range c.Values {
		c.Values[i] = Claimed{Index: i + 1, Text: []byte(texts[1+i])}
		if !listed {
			continue
		}
		var index string
		index, indexes, _ = strings.Cut(indexes, " ")
		if c.Values[i].Index, err = strconv.Atoi(index); err != nil {
			return nil, nil, err
		}
	}
	return c, texts[1+n:], nil
}
