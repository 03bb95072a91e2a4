package workspace

import (
	"context"
	"slices"

	"github.com/netspaces/netspaces/redisx"
)

// Script is a step of one's own on variables of a workspace: Lua that Redis runs as a whole, for what Store, Claim and Settle
// in turn cannot do. All functions of this package's scripts stand before it (see lua/prelude.lua, claims.lua and waiting.lua),
// and the rules are theirs: check all, then write; touch no key but those of the variables named.
type Script struct{ redis *redisx.Script }

// NewScript makes a script of its text in Lua, which begins with "local again = refused() if again then return again end", so
// that it is done once, and returns answer({word, text …}). KEYS 1-4 and ARGV 1-3 are as for store.lua, ARGV 4… are those of Do,
// and variable(name, FIRST + i * GROUP) is variable i (from 0) of Do. The name is used in errors.
//
// A script that makes claims of one of its variables, by claims().make, puts them before its answer by claims().with; see MadeClaims.
//
// common is the script's common case, a straight way that spares it these functions, and stands before it (see
// lua/fast/prelude.lua); empty for none.
func NewScript(name, text, common string) *Script {
	sources := append(sourcesOf(), text)
	if common != "" {
		sources = slices.Concat([]string{source("fast/prelude"), common}, sources)
	}
	return &Script{redisx.NewScript(name, sources...)}
}

// Do runs a script on variables of the workspace, at least one, and returns the word and the texts of its answer. It blocks
// for a round trip, and returns the errors of Store.
func (ws *Workspace) Do(ctx context.Context, s *Script, variables []string, args ...any) (word string, texts []string, err error) {
	return ws.do(ctx, s, nil, variables, args...)
}

func (ws *Workspace) do(ctx context.Context, s *Script, w *waiter, variables []string, args ...any) (word string, texts []string, err error) {
	from := origin{variable: variables[0], waiter: w}
	r, err := ws.request(ctx, s.redis, ws.keys.forScript(ws.client, variables...), from, args...)
	if err != nil {
		return "", nil, ws.wrap(variables[0], err)
	}
	for i := range r.rest {
		texts = append(texts, r.text(i))
	}
	return r.word, texts, nil
}
