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
//	nws:counter        hash   temporary: how many such names were given                 for ever
//	W:ws               hash   version, incarnation, owner, lease (ms), persistent,      the workspace's
//	                          tickets, host, pid, program of the owner; publish
//	                          (PUBLISH or SPUBLISH); watched, notified (ms)
//	W:vars             hash   variable → "mode born" or "mode born position"            the workspace's
//	W:live             zset   client → last sign of life (ms), negative: buried then    the workspace's
//	W:client:C         hash   epoch, host, pid, program; lane → "number reply"          the client's
//	                          (see prelude.lua)
//	W:values:V         list   the values, oldest first                                  while it has values
//	W:waiters:V        zset   waiter → what it does (see waiting.lua)                   while somebody waits
//	W:handed:V         hash   waiter → what is handed to it (see waiting.lua)           until it came
//	W:claimed:V        hash   claim → "values attempt client index", claim/i → value    until settled
//	                          (see claims.lua)
//	W:deadlines:V      zset   claim → end of its lease (ms), or ticket once ended       until settled
//
// Messages to a client go to the channel W:ws:inbox:C; W:ws:changes is for those who watch. No key expires by itself: Redis
// may evict keys that do, and work with them.
const (
	prefix     = "nws:"
	namesKey   = prefix + "names"
	counterKey = prefix + "counter"
	maxName    = 200 // bytes

	// protocolVersion stands in prelude.lua too: that of these keys, their contents, and the contracts of the scripts.
	protocolVersion = "1"
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

// tag is the part of all keys that decides on which server of a cluster they are.
func (k keys) tag() string {
	tag, _, _ := strings.Cut(string(k), "}")
	return tag
}

func (k keys) workspace() string           { return string(k) + ":ws" }
func (k keys) inbox(client string) string  { return k.workspace() + ":inbox:" + client }
func (k keys) changes() string             { return k.workspace() + ":changes" }
func (k keys) client(client string) string { return string(k) + ":client:" + client }
func (k keys) variables() string           { return string(k) + ":vars" }
func (k keys) live() string                { return string(k) + ":live" }
func (k keys) of(kind, name string) string { return string(k) + ":" + kind + ":" + name }

// group is the five keys of a variable, in the order of prelude.lua.
func (k keys) group(name string) []string {
	return []string{
		k.of("values", name), k.of("waiters", name), k.of("handed", name), k.of("claimed", name), k.of("deadlines", name),
	}
}

// forScript is what a script declares that a client sends and that works on these variables.
func (k keys) forScript(client string, variables ...string) []string {
	all := make([]string, 0, 4+5*len(variables))
	all = append(all, k.workspace(), k.variables(), k.live(), k.client(client))
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
