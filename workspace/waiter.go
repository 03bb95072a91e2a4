package workspace

import (
	"context"
	"fmt"
	"strconv"
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
	next := func() (text string) {
		if len(rest) == 0 {
			err = ws.wrap(variable, fmt.Errorf("%w: an answer with claims is cut off", ErrDamaged))
			return ""
		}
		text, rest = rest[0], rest[1:]
		return text
	}
	number := func() (n int) {
		n, wrong := strconv.Atoi(next())
		if wrong != nil && err == nil {
			err = ws.wrap(variable, fmt.Errorf("%w: an answer with claims: %w", ErrDamaged, wrong))
		}
		return n
	}
	for n := number(); n > 0 && err == nil; n-- {
		c := &Claim{ws: ws, variable: variable, id: next(), Attempt: number()}
		if before := next(); c.Attempt > 1 {
			c.Before = before
		}
		for values := number(); values > 0 && err == nil; values-- {
			c.Values = append(c.Values, Claimed{Index: number(), Text: []byte(next())})
		}
		claims = append(claims, c)
	}
	return claims, rest, err
}
