package workspace

import (
	"context"
	"fmt"
	"strconv"

	"github.com/netspaces/netspaces/redisx"
)

// Script is a step of one's own on variables of a workspace: Lua that Redis runs as a whole, for what Store, Claim and Settle
// in turn cannot do. All functions of this package's scripts stand before it (see lua/prelude.lua, claims.lua and waiting.lua),
// and the rules are theirs: check all, then write; touch no key but those of the variables named.
type Script struct{ redis *redisx.Script }

// NewScript makes a script of its Lua source, which begins with "local again = refused() if again then return again end", so
// that it is done once, and returns answer({word, text …}). KEYS 1-4 and ARGV 1-3 are as for store.lua, ARGV 4… are those of Do,
// and variable(name, FIRST + i * GROUP) is variable i (from 0) of Do. The name is used in errors.
//
// A script that makes claims of the first of its variables returns answer(claims().reply(made, reply)); see MadeClaims.
func NewScript(name, source string) *Script {
	return &Script{redisx.NewScript(name, append(sourcesOf(), source)...)}
}

// Do runs a script on variables of the workspace, at least one, and returns the word and the texts of its answer. It blocks
// for a round trip, and returns the errors of Store.
func (ws *Workspace) Do(ctx context.Context, s *Script, variables []string, args ...any) (word string, texts []string, err error) {
	r, err := ws.request(ctx, s.redis, ws.keys.forScript(ws.client, variables...), origin{variable: variables[0]}, args...)
	if err != nil {
		return "", nil, ws.wrap(variables[0], err)
	}
	for i := range r.rest {
		texts = append(texts, r.text(i))
	}
	return r.word, texts, nil
}

// MadeClaims reads the answer of a script that may have made claims on a variable, and returns these and the rest: the word and
// the texts of its reply proper. Should nobody get the answer, the claims are released.
func (ws *Workspace) MadeClaims(variable, word string, texts []string) (claims []*Claim, rest []string, err error) {
	answer := append([]string{word}, texts...)
	if word != madeClaims {
		return nil, answer, nil
	}
	at := 1
	next := func() (text string) {
		if at == len(answer) {
			err = fmt.Errorf("%w: the answer of a script with claims is cut off", ErrDamaged)
			return ""
		}
		at++
		return answer[at-1]
	}
	number := func() int {
		n, wrong := strconv.Atoi(next())
		if wrong != nil && err == nil {
			err = fmt.Errorf("%w: the answer of a script with claims: %w", ErrDamaged, wrong)
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
	if err != nil {
		return nil, nil, ws.wrap(variable, err)
	}
	return claims, answer[at:], nil
}
