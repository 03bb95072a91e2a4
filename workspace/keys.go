package workspace

import (
	"fmt"
	"strings"
	"unicode"
)

// All keys in Redis. A workspace's name is a path; what stands before its first slash is the hash tag, so that "primes"
// and "primes/user" lie in one slot of a cluster and one script may touch both. W is nws:{primes} or nws:{primes}/user.
//
//	key                type   holds                                                     lifetime
//	nws:names          zset   workspace → when its owner's lease ends (ms); +inf: none  while there is a workspace
//	                          or persistent; listed some moments before it is made
//	W:ws               hash   incarnation, owner, lease (ms), persistent, tickets,      the workspace's
//	                          host, pid, program of the owner
//	W:vars             hash   variable → "mode born"                                    the workspace's
//	W:live             zset   client → last sign of life (ms), negative: buried then    the workspace's
//	W:values:V         list   the values, oldest first                                  while it has values
//	W:fetchers:V       zset   waiting fetcher → ticket                                  while somebody waits
//	W:finders:V        zset   waiting finder → ticket                                   while somebody waits
//	W:signalled:V      zset   waiter that was told to come → until when (ms)            until it came
//	W:handed:V         hash   waiter → what is handed to it (see prelude.lua)           until it came
//	W:claimed:V        hash   claim → "values attempt client request ticket",           until settled
//	                          claim/i → value, @request → claim (see prelude.lua)
//	W:deadlines:V      zset   claim → end of its lease (ms), or ticket once ended       until settled
//
// A client's channel is W:ws:inbox:C. No key expires by itself: Redis may evict keys that do, and work with them.
const (
	prefix   = "nws:"
	namesKey = prefix + "names"
	maxName  = 200 // bytes
)

// keys are those of one workspace.
type keys string

func keysOf(workspace string) keys {
	tag, rest, nested := strings.Cut(workspace, "/")
	if nested {
		rest = "/" + rest
	}
	return keys(prefix + "{" + tag + "}" + rest)
}

func (k keys) workspace() string           { return string(k) + ":ws" }
func (k keys) inbox(client string) string  { return k.workspace() + ":inbox:" + client }
func (k keys) variables() string           { return string(k) + ":vars" }
func (k keys) live() string                { return string(k) + ":live" }
func (k keys) of(kind, name string) string { return string(k) + ":" + kind + ":" + name }

// group is the seven keys of a variable, in the order of prelude.lua.
func (k keys) group(name string) []string {
	return []string{
		k.of("values", name), k.of("fetchers", name), k.of("finders", name), k.of("signalled", name),
		k.of("handed", name), k.of("claimed", name), k.of("deadlines", name),
	}
}

// forScript is what a script on these variables declares.
func (k keys) forScript(variables ...string) []string {
	all := make([]string, 0, 3+7*len(variables))
	all = append(all, k.workspace(), k.variables(), k.live())
	for _, name := range variables {
		all = append(all, k.group(name)...)
	}
	return all
}

func checkName(name string) error {
	switch {
	case name == "" || strings.HasPrefix(name, "/"):
		return fmt.Errorf("%w: %q: it must not be empty or begin with a slash", ErrName, name)
	case len(name) > maxName:
		return fmt.Errorf("%w: it has %d bytes, %d are allowed", ErrName, len(name), maxName)
	case strings.ContainsAny(name, "{}:") || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%w: %q: it must not have { } : or control characters", ErrName, name)
	}
	return nil
}
