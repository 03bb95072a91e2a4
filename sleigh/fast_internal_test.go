package sleigh

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// watched goes before a script. It has the clock stand still, fails what touches an undeclared key, and, in the straight way, what
// writes to a key that was not read before the first write, or reads after it: there is no rollback.
var watched = fmt.Sprintf(`
local server, whole, wrote, declared, seen = redis, false, false, {}, {}
for _, key in ipairs(KEYS) do declared[key] = true end
local writes, free = {}, { TIME = true, PUBLISH = true, SPUBLISH = true, PUBSUB = true, NOPE = true }
for word in string.gmatch('HSET HDEL HINCRBY ZADD ZREM RPUSH LPUSH LTRIM LSET LPOP RPOP DEL UNLINK', '%%u+') do writes[word] = true end
local function watch(command, ...)
  local found = not free[command] and command == 'EXISTS' and server.call(command, ...)
  for i = 1, free[command] and 0 or (found or command == 'UNLINK') and select('#', ...) or 1 do
    local key = select(i, ...)
    if not declared[key] then error('UNDECLARED ' .. command .. ' ' .. tostring(key)) end
    if not whole and writes[command] then
      if not seen[key] then error('UNREAD ' .. command .. ' ' .. key) end
      wrote = true
    elseif not whole then
      if wrote then error('LATE ' .. command .. ' ' .. key) end
      seen[key] = seen[key] or not found or found == 0
    end
  end
end
local function at(f)
  return function(...)
    local command = ...
    if command == 'TIME' then return { '%d', '%d' } end
    watch(...)
    return f(...)
  end
end
local redis = setmetatable({ call = at(server.call), pcall = at(server.pcall) }, { __index = server })
`, stillClock/1000, stillClock%1000*1000)

// way is a script as a server has it.
type way struct{ text, sha string }

func wayOf(texts ...string) way {
	text := strings.Join(texts, "\n")
	sum := sha1.Sum([]byte(text)) //nolint:gosec // It is what Redis names scripts by.
	return way{text, hex.EncodeToString(sum[:])}
}

// waysOf are three of a script: without its common case; with it, so that what comes the straight way is told from the rest; and
// as it is.
func waysOf(t *testing.T, name string) (whole, straight, used way) {
	t.Helper()
	source := func(name string) string {
		text, err := os.ReadFile("../workspace/lua/" + name + ".lua")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	common := []string{source("fast/prelude"), luaOf("fast/" + name)}
	rest := []string{source("prelude"), source("claims"), source("waiting"), luaOf("jobs") + "\n" + luaOf(name)}
	first := slices.Concat([]string{watched, "local function straight()"}, common,
		[]string{"end", "local reply = straight()", "if reply then return { 'STRAIGHT', reply } end", "whole = true"}, rest)
	return wayOf(slices.Concat([]string{watched, "whole = true"}, rest)...), wayOf(first...), wayOf(slices.Concat(common, rest)...)
}

// comparison runs calls on one server in both ways.
type comparison struct {
	rdb             redis.UniversalClient
	whole, straight map[string]way
	ears            []*redis.PubSub
	short           bool // of memory
	took            map[string]int
}

const fence = "fence" // is published after each run, so that what was published by it is read

func newComparison(t *testing.T, url string) *comparison {
	t.Helper()
	if url == "local://" {
		if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("CI") != "true" {
			t.Skip("no redis-server on PATH")
		}
	}
	client, err := redisx.Open(t.Context(), url, &redisx.Options{NoNotice: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	c := &comparison{rdb: client.Redis(), whole: map[string]way{}, straight: map[string]way{}, took: map[string]int{}}
	for name, s := range map[string]*workspace.Script{"settle": settleScript, "submit": submitScript} {
		var used way
		c.whole[name], c.straight[name], used = waysOf(t, name)
		for _, w := range []way{c.whole[name], c.straight[name]} {
			if sha, err := c.rdb.ScriptLoad(t.Context(), w.text).Result(); err != nil || sha != w.sha {
				t.Fatal(sha, err)
			}
		}
		own, err := workspace.Open(t.Context(), client, "real", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = own.Do(t.Context(), s, []string{taskVar}) // it fails, and the server has it then
		known, err := c.rdb.ScriptExists(t.Context(), used.sha).Result()
		if url == "local://" && (err != nil || !known[0]) { // the embedded one keeps none that fails
			t.Fatalf("%s is made of other parts than this test: %v, %v", name, known, err)
		}
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	}
	inboxes := []string{fence, workspaceKey + ":changes"}
	for _, client := range listening {
		inboxes = append(inboxes, workspaceKey+":inbox:"+client)
	}
	c.ears = append(c.ears, c.rdb.Subscribe(t.Context(), inboxes...))
	if url == "local://" {
		c.ears = append(c.ears, c.rdb.SSubscribe(t.Context(), inboxes...))
	}
	for _, ear := range c.ears {
		t.Cleanup(func() { _ = ear.Close() })
		for range inboxes {
			if _, err := ear.Receive(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// outcomeOf is all that a run has left.
type outcomeOf struct {
	straight bool
	reply    any
	err      string
	state    contents
	heard    []string
}

func (c *comparison) run(t *testing.T, w way, call *attempt, from contents) (o outcomeOf) {
	t.Helper()
	args := make([]any, len(call.args))
	for i, arg := range call.args {
		args[i] = arg
	}
	var did, left *redis.Cmd
	_, err := c.rdb.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		from.put(t, p)
		if c.short {
			p.ConfigSet(t.Context(), "maxmemory", "1")
		}
		did = p.EvalSha(t.Context(), w.sha, call.keys, args...)
		if c.short {
			p.ConfigSet(t.Context(), "maxmemory", "0")
		}
		left = p.Eval(t.Context(), everything, nil)
		p.Publish(t.Context(), fence, "")
		if len(c.ears) > 1 {
			p.SPublish(t.Context(), fence, "")
		}
		return nil
	})
	if _, answered := errors.AsType[redis.Error](err); err != nil && !answered {
		t.Fatal(err)
	}
	if err := did.Err(); err != nil {
		o.err = failedAt.ReplaceAllString(err.Error(), "")
	}
	all, err := left.Slice()
	if err != nil {
		t.Fatal(err)
	}
	o.reply = did.Val()
	if texts, ok := o.reply.([]any); ok && len(texts) == 2 && texts[0] == "STRAIGHT" {
		o.straight, o.reply = true, texts[1]
	}
	o.state, o.heard = contentsOf(t, all), c.listen(t)
	return o
}

// failedAt is where a script failed, and which.
var failedAt = regexp.MustCompile(
	`(?s)user_script:\d+: | script: [0-9a-f]+, on @user_script:\d+\.?|Error compiling script \(new function\): :\d+: |\s+stack traceback:.*`)

func (c *comparison) listen(t *testing.T) (heard []string) {
	t.Helper()
	for _, ear := range c.ears {
		for {
			m, err := ear.ReceiveMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.Channel == fence {
				break
			}
			heard = append(heard, m.Channel+" "+m.Payload)
		}
	}
	return heard
}

// compare has both ways answer a call, and says where they differ.
func (c *comparison) compare(t *testing.T, call *attempt) (fault string) {
	t.Helper()
	whole := c.run(t, c.whole[call.script], call, call.state)
	straight := c.run(t, c.straight[call.script], call, call.state)
	if straight.err != "" {
		if d := difference(call.state, straight.state); d != "" && (whole.err != straight.err || difference(whole.state, straight.state) != "") {
			return "it fails (" + straight.err + ") and has changed: " + d
		}
		if whole.err == "" || len(call.oddities) == 0 && whole.err != straight.err {
			return fmt.Sprintf("it fails: %s\nand the whole script: %q", straight.err, whole.err)
		}
		c.took["fails"]++
		return ""
	}
	if straight.straight {
		for _, what := range call.branches(straight) {
			c.took[what]++
		}
	} else {
		c.took["whole"]++
	}
	if straight.straight && whole.err != "" && len(call.oddities) > 0 {
		// What is odd is in nothing that the straight way needs: it does as if that were in order.
		healthy := call.state.clone()
		for _, o := range call.oddities {
			o.mend(healthy)
		}
		whole = c.run(t, c.whole[call.script], call, healthy)
		for _, o := range call.oddities {
			if o.isIn(whole.state) != "" {
				return "it did not see " + o.isIn(whole.state)
			}
			o.plant(whole.state)
		}
		c.took["does not see what is odd"]++
	}
	switch {
	case whole.err != "":
		return fmt.Sprintf("the whole script fails: %s\nand it replies %q", whole.err, straight.reply)
	case !reflect.DeepEqual(whole.reply, straight.reply):
		return fmt.Sprintf("it replies  %.2000q\nthe whole:  %.2000q", straight.reply, whole.reply)
	case !slices.Equal(whole.heard, straight.heard):
		return fmt.Sprintf("it tells   %.2000q\nthe whole: %.2000q", straight.heard, whole.heard)
	}
	return difference(whole.state, straight.state)
}

// all compares so many random calls.
func (c *comparison) all(t *testing.T, script string, first, n uint64) {
	t.Helper()
	faults := 0
	for seed := first; seed < first+n && faults < 5; seed++ {
		call := newAttempt(script, rand.New(rand.NewPCG(seed, 0))) //nolint:gosec // It is to be the same each time.
		if fault := c.compare(t, call); fault != "" {
			faults++
			t.Errorf("%s, seed %d: %s\nKEYS %q\nARGV %.3000q\n%s", script, seed, fault, call.keys, call.args, call.state)
		}
	}
}

// want checks that each of these came so often.
func (c *comparison) want(t *testing.T, n int, what ...string) {
	t.Helper()
	t.Logf("%v", c.took)
	for _, w := range what {
		if c.took[w] < n {
			t.Errorf("only %d times: %s", c.took[w], w)
		}
	}
}

func brief() bool { return os.Getenv("NETSPACES_ALL") != "1" }

// The straight ways of settle and submit do what the whole scripts do, or nothing.
func TestStraightWayIsTheWhole(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"embedded": "mem://", "redis": "local://"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComparison(t, url)
			n, least := uint64(2400), 200
			if name == "embedded" {
				n, least = 300, 10
			}
			if !brief() {
				n *= 5
			}
			c.all(t, "settle", 0, n)
			c.all(t, "submit", 0, n/2)
			c.want(t, least, "settles", "claims from the list", "claims what is handed out", "waits", "leaves used", "leaves unused",
				"pushes results", "brings a result", "summons", "begins", "begins and brings", "begins and waits", "whole")
			c.want(t, least/2, "hands out for others", "claims what comes back", "fails")
		})
	}
}

// Where memory is short, the straight ways fail with nothing changed, or go through, as the whole scripts do.
func TestStraightWayWithoutMemory(t *testing.T) {
	t.Parallel()
	c := newComparison(t, "local://")
	c.short = true
	n := uint64(300)
	if !brief() {
		n *= 5
	}
	c.all(t, "settle", 1_000_000, n)
	c.all(t, "submit", 1_000_000, n/10)
	c.want(t, int(n/20), "settles", "waits", "claims from the list", "fails")
}

// What random calls hardly ever meet, and what has gone wrong before.
func TestStraightWayAtItsEdges(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"embedded": "mem://", "redis": "local://"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComparison(t, url)
			for what, edge := range edges {
				if fault := c.compare(t, edge()); fault != "" {
					t.Errorf("%s: %.5000s", what, fault)
				}
			}
			c.want(t, 1, "settles", "begins", "whole")
		})
	}
}
