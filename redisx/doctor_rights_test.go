package redisx

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// documentedUser is the rules of the user in docs/redis.md, or those that it needs besides in some place.
func documentedUser(t *testing.T, place string) (rules []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	pattern := `(?m)^ +ACL SETUSER netspaces (reset .*)$`
	if place != "" {
		pattern = "(?m)^- " + place + ": `(.*?)`"
	}
	lines := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
	if len(lines) != 1 {
		t.Fatalf("docs/redis.md has %d lines that match %s", len(lines), pattern)
	}
	return strings.Fields(strings.Replace(lines[0][1], ">PASSWORD", ">"+secret, 1))
}

// as makes a user with these rules, and gives the address by which it comes.
func as(t *testing.T, server *redistest.Server, name string, rules []string) string {
	t.Helper()
	args := []any{"ACL", "SETUSER", name}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := server.Redis().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	return "redis://" + url.UserPassword(name, secret).String() + "@" + server.Addr()
}

func checkOf(t *testing.T, r Report, name string) Check {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no check %q in\n%s", name, r)
	}
	return r.Checks[i]
}

func mustBeEmpty(t *testing.T, rdb redis.Cmdable) {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) > 0 {
		t.Errorf("it left %q, %v", keys, err)
	}
}

func TestDocumentedUserIsEnough(t *testing.T) {
	server := redistest.Start(t)
	r := mustOpen(t, as(t, server, "netspaces", documentedUser(t, ""))).Doctor(t.Context())
	if got := checkOf(t, r, "rights"); got.State != CheckOK {
		t.Errorf("rights: %+v", got)
	}
	for _, name := range []string{"eviction policy", "memory headroom", "persistence"} {
		if got := checkOf(t, r, name); got.State != CheckNA || !strings.Contains(got.Detail, "INFO is refused") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, name := range []string{"connection", "version", "cluster"} {
		if got := checkOf(t, r, name); got.State != CheckOK {
			t.Errorf("%s: %+v", name, got)
		}
	}
	mustBeEmpty(t, server.Redis())
}

// Each rule of the documented user is needed: without it, Doctor says which one is missing, or nobody can connect at all.
func TestDocumentedUserHasNothingTooMuch(t *testing.T) {
	server := redistest.Start(t)
	rules := documentedUser(t, "")
	for i, rule := range rules {
		if rule == "reset" || rule == "on" || strings.HasPrefix(rule, ">") {
			continue
		}
		t.Run(rule, func(t *testing.T) {
			address := as(t, server, "less", slices.Delete(slices.Clone(rules), i, i+1))
			if rule == "+ping" {
				if _, err := Open(t.Context(), address, nil); !errors.Is(err, ErrAuth) {
					t.Errorf("it opens: %v", err)
				}
				return
			}
			got := checkOf(t, mustOpen(t, address).Doctor(t.Context()), "rights")
			want := CheckFailed
			if slices.Contains([]string{"&nws:*", "+subscribe", "+unsubscribe", "+publish", "+pubsub"}, rule) {
				want = CheckWarning
			}
			if got.State != want || !strings.HasPrefix(got.Advice, "ACL SETUSER less ") || !slices.Contains(strings.FieldsFunc(
				got.Advice, func(r rune) bool { return r == ' ' || r == ';' }), rule) {
				t.Errorf("rights: %+v", got)
			}
			mustBeEmpty(t, server.Redis())
		})
	}
}

// The rights that Doctor tries and the documented user has are those of all scripts, no more and no fewer.
func TestRightsAreThoseOfTheScripts(t *testing.T) {
	server := redistest.Start(t)
	known, err := server.Redis().Command(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	// commands are the words in quotes and capitals that Redis knows as commands.
	commands := func(patterns ...string) map[string]bool {
		found := map[string]bool{}
		for _, pattern := range patterns {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: no files, %v", pattern, err)
			}
			for _, file := range files {
				if strings.HasSuffix(file, "_test.go") {
					continue
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, word := range regexp.MustCompile(`['"]([A-Z]{3,})['"]`).FindAllStringSubmatch(string(text), -1) {
					if known[strings.ToLower(word[1])] != nil && word[1] != "WAIT" { // which is a reply
						found[strings.ToLower(word[1])] = true
					}
				}
			}
		}
		return found
	}
	used, tried := commands("../workspace/lua/*.lua", "../workspace/*.go"), commands("doctor.lua")
	tried["publish"], tried["spublish"] = true, true // they come as arguments
	for _, client := range []string{
		"ping", "eval", "evalsha", "subscribe", "unsubscribe", "ssubscribe", "sunsubscribe", "asking", "cluster|slots",
	} {
		used[client], tried[client] = true, true
	}
	granted := map[string]bool{}
	for _, rule := range append(documentedUser(t, ""), documentedUser(t, "in a cluster")...) {
		if command, ok := strings.CutPrefix(rule, "+"); ok {
			granted[command] = true
		}
	}
	if len(used) < 30 {
		t.Fatalf("only %d commands found: %v", len(used), used)
	}
	for command := range used {
		if !tried[command] {
			t.Errorf("a script uses %s, and doctor.lua does not try it", command)
		}
		if !granted[command] {
			t.Errorf("a script uses %s, and the user in docs/redis.md has no right to it", command)
		}
	}
	for command := range tried {
		if !used[command] {
			t.Errorf("doctor.lua tries %s, which no script uses", command)
		}
	}
	for command := range granted {
		if !used[command] {
			t.Errorf("the user in docs/redis.md has a right to %s, which no script uses", command)
		}
	}
	for _, expiring := range []string{"expire", "pexpire", "expireat", "pexpireat", "setex", "psetex", "hexpire"} {
		if used[expiring] {
			t.Errorf("a script uses %s: then the volatile- policies are not harmless any more", expiring)
		}
	}
}

// Where nothing could be removed again, nothing is made.
func TestDoctorMakesNothingThatStays(t *testing.T) {
	server := redistest.Start(t)
	address := as(t, server, "keeper", append(documentedUser(t, ""), "-unlink", "-del"))
	got := checkOf(t, mustOpen(t, address).Doctor(t.Context()), "rights")
	if got.State != CheckFailed || got.Detail != "refused: UNLINK, DEL" {
		t.Errorf("rights: %+v", got)
	}
	mustBeEmpty(t, server.Redis())
}

// Full memory is not taken for missing rights.
func TestDoctorOnFullMemory(t *testing.T) {
	server := redistest.Start(t)
	if err := server.Redis().ConfigSet(t.Context(), "maxmemory", "100kb").Err(); err != nil { // less than an empty server uses
		t.Fatal(err)
	}
	r := mustOpen(t, server.URL()).Doctor(t.Context())
	mustBe(t, r, CheckOK, "rights")
	if got := checkOf(t, r, "memory headroom"); got.State != CheckFailed || got.Advice == "" {
		t.Errorf("memory: %+v", got)
	}
	mustBeEmpty(t, server.Redis())
}

// In a cluster the documented user needs some rights more, those for redirections among them.
func TestDocumentedUserInCluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 2, 0)
	rules := append(documentedUser(t, ""), documentedUser(t, "in a cluster")...)
	var addrs []string
	for _, node := range cluster.Nodes() {
		as(t, node, "netspaces", rules)
		addrs = append(addrs, node.Addr())
	}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, Username: "netspaces", Password: secret})
	t.Cleanup(func() { _ = rdb.Close() })
	ctx := t.Context()
	patients, err := gather(ctx, rdb, patient{user: "netspaces"})
	if err != nil || len(patients) != 2 {
		t.Fatalf("%d masters, %v", len(patients), err)
	}
	for _, p := range patients {
		if got := p.rights(ctx); got.State != CheckOK {
			t.Errorf("rights at %s: %+v", p.name, got)
		}
	}

	// A key that is not there yet is asked for at the node that its slot moves to.
	const key = "nws:{moving}:h"
	move := cluster.BeginMove(key)
	set := func() error {
		return rdb.Eval(ctx, "return redis.call('HSET', KEYS[1], 'a', '1')", []string{key}).Err()
	}
	if err := set(); err != nil {
		t.Errorf("while its slot moves: %v", err)
	}
	move.Finish()
	if err := set(); err != nil {
		t.Errorf("after its slot moved: %v", err)
	}

	for _, rule := range documentedUser(t, "in a cluster") {
		if !strings.HasSuffix(rule, "subscribe") && rule != "+spublish" {
			continue
		}
		for _, node := range cluster.Nodes() {
			as(t, node, "netspaces", append(slices.Clone(rules), "-"+rule[1:]))
		}
		if got := patients[0].rights(ctx); got.State != CheckWarning || !strings.Contains(got.Advice, " "+rule) {
			t.Errorf("without %s: %+v", rule, got)
		}
	}
}

func TestRefusalsAreTold(t *testing.T) {
	for text, want := range map[string]bool{
		"NOPERM this user has no permissions to run the 'info' command":                           true,
		"NOPERM User x has no permissions to run the 'info' command":                              true,
		"ERR The user executing the script can't run this command or subcommand":                  true,
		"ERR unknown command 'CONFIG', with args beginning with: 'GET'":                           true,
		"ERR Unknown Redis command called from script":                                            true,
		"ERR 'CLUSTER INFO' not supported":                                                        true,
		"OOM command not allowed when used memory > 'maxmemory'.":                                 false,
		"READONLY You can't write against a read only replica.":                                   false,
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist": false,
		"i/o timeout":            false,
		context.Canceled.Error(): false,
	} {
		if isRefusal(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
