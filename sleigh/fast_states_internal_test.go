package sleigh

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

const (
	stillClock   = 1_763_900_000_123 // ms
	iterates     = 100_000_000_000   // FIRST_TIME of claims.lua
	base         = "nws:{fast}"
	workspaceKey = base + ":ws"
	caller       = "c1"
	deaf, dead   = "q1", "d1"
)

var listening = []string{"l1", "l2", caller}

// contents is what a database has: hashes (map[string]string), lists ([]string), sorted sets (map[string]float64), strings.
type contents map[string]any

type (
	hash   = map[string]string
	sorted = map[string]float64
)

func (s contents) clone() contents {
	c := contents{}
	for key, value := range s {
		switch v := value.(type) {
		case hash:
			c[key] = maps.Clone(v)
		case sorted:
			c[key] = maps.Clone(v)
		case []string:
			c[key] = slices.Clone(v)
		default:
			c[key] = v
		}
	}
	return c
}

func (s contents) hash(key string) hash {
	if _, ok := s[key].(hash); !ok {
		s[key] = hash{}
	}
	return s[key].(hash)
}

func (s contents) sorted(key string) sorted {
	if _, ok := s[key].(sorted); !ok {
		s[key] = sorted{}
	}
	return s[key].(sorted)
}

func (s contents) put(t *testing.T, p redis.Pipeliner) {
	t.Helper()
	p.FlushDB(t.Context())
	for key, value := range s {
		switch v := value.(type) {
		case hash:
			if len(v) > 0 {
				p.HSet(t.Context(), key, v)
			}
		case []string:
			if len(v) > 0 {
				p.RPush(t.Context(), key, v)
			}
		case sorted:
			for member, score := range v {
				p.ZAdd(t.Context(), key, redis.Z{Member: member, Score: score})
			}
		case string:
			p.Set(t.Context(), key, v, 0)
		}
	}
}

// everything is what a database has.
const everything = `
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local texts = kind == 'hash' and redis.call('HGETALL', key) or kind == 'list' and redis.call('LRANGE', key, 0, -1)
    or kind == 'zset' and redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') or { redis.call('GET', key) }
  all[#all + 1] = { key, kind, texts }
end
return all`

func contentsOf(t *testing.T, all []any) contents {
	t.Helper()
	s := contents{}
	for _, one := range all {
		key, kind := one.([]any)[0].(string), one.([]any)[1].(string)
		var texts []string
		for _, text := range one.([]any)[2].([]any) {
			texts = append(texts, text.(string))
		}
		switch kind {
		case "hash":
			for i := 0; i < len(texts); i += 2 {
				s.hash(key)[texts[i]] = texts[i+1]
			}
		case "list":
			s[key] = texts
		case "zset":
			for i := 0; i < len(texts); i += 2 {
				score, err := strconv.ParseFloat(texts[i+1], 64)
				if err != nil {
					t.Fatal(err)
				}
				s.sorted(key)[texts[i]] = score
			}
		default:
			s[key] = texts[0]
		}
	}
	return s
}

// normal is without what is empty, which Redis does not have.
func normal(v any) any {
	if r := reflect.ValueOf(v); v == nil || r.Kind() != reflect.String && r.Len() == 0 {
		return nil
	}
	return v
}

func difference(want, got contents) string {
	keys := slices.Sorted(maps.Keys(want))
	for key := range got {
		if _, ok := want[key]; !ok {
			keys = append(keys, key)
		}
	}
	var all []string
	for _, key := range keys {
		if w, g := normal(want[key]), normal(got[key]); !reflect.DeepEqual(w, g) {
			all = append(all, fmt.Sprintf("%s has   %.2000v\ninstead of %.2000v", key, g, w))
		}
	}
	return strings.Join(all, "\n")
}

func (s contents) String() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s %.1500v\n", key, s[key])
	}
	return b.String()
}

// oddity is what somebody has put in by hand: a key of another type, or a field.
type oddity struct {
	key, field  string
	before, now any
}

func (o oddity) set(s contents, value any) {
	switch {
	case o.field != "" && value == nil:
		delete(s.hash(o.key), o.field)
	case o.field != "":
		s.hash(o.key)[o.field] = value.(string)
	case value == nil:
		delete(s, o.key)
	default:
		s[o.key] = value
	}
}

func (o oddity) get(s contents) any {
	if o.field == "" {
		return normal(s[o.key])
	}
	if h, ok := s[o.key].(hash); ok && h[o.field] != "" {
		return h[o.field]
	}
	return nil
}

func (o oddity) plant(s contents) { o.set(s, o.now) }
func (o oddity) mend(s contents)  { o.set(s, o.before) }

// isIn says what of it was used, although it was in order.
func (o oddity) isIn(s contents) string {
	if got := o.get(s); !reflect.DeepEqual(got, normal(o.before)) {
		return fmt.Sprintf("%s %s, which has %v", o.key, o.field, got)
	}
	return ""
}

// attempt is a call of a script, and the state that it finds.
type attempt struct {
	script     string
	state      contents
	keys, args []string
	oddities   []oddity
	leaves     string // "used", "unused", or "" if nobody does

	r       *rand.Rand
	wild    bool // what is rare may be
	tickets int
	number  int
}

func newAttempt(script string, r *rand.Rand) *attempt {
	a := &attempt{script: script, state: contents{}, r: r, wild: r.IntN(2) == 0, tickets: 20 + r.IntN(30)}
	request := a.workspace()
	if script == "settle" {
		a.settle(request)
	} else {
		a.submit(request)
	}
	a.state.hash(workspaceKey)["tickets"] = strconv.Itoa(a.tickets + r.IntN(100))
	if a.rare(10) {
		a.beOdd()
	}
	return a
}

func (a *attempt) chance(n int) bool { return a.r.IntN(n) == 0 }
func (a *attempt) rare(n int) bool   { return a.wild && a.chance(n) }

func one[T any](a *attempt, all ...T) T { return all[a.r.IntN(len(all))] }

// usually is the first but in rare cases.
func usually[T any](a *attempt, n int, first T, others ...T) T {
	if a.rare(n) {
		return one(a, others...)
	}
	return first
}

func (a *attempt) ticket() int {
	a.tickets += 1 + a.r.IntN(3)
	return a.tickets
}

func keyOf(kind, name string) string { return base + ":" + kind + ":" + name }

func group(name string) []string {
	var all []string
	for _, kind := range []string{"values", "waiters", "handed", "claimed", "deadlines"} {
		all = append(all, keyOf(kind, name))
	}
	return all
}

// workspace makes what all calls need, and a request.
func (a *attempt) workspace() (request string) {
	ws := a.state.hash(workspaceKey)
	ws["incarnation"] = usually(a, 40, "inc", "other")
	if a.rare(30) {
		ws["watched"] = fmt.Sprint(stillClock + one(a, -1, 0, 5000))
		if a.chance(2) {
			ws["notified"] = fmt.Sprint(stillClock - one(a, 1, 49, 50, 100))
		}
	}
	if publish := usually(a, 15, "", "PUBLISH", "SPUBLISH", "NOPE"); publish != "" {
		ws["publish"] = publish
	}
	live := a.state.sorted(base + ":live")
	for _, client := range []string{"l1", "l2", deaf} {
		live[client] = usually(a, 20, stillClock-100.0, stillClock-5999, stillClock-6000, stillClock-6001, -stillClock)
	}
	live[caller] = usually(a, 25, stillClock-100.0, stillClock, stillClock-5999, stillClock-6000, stillClock-6001, -stillClock)
	if a.rare(40) {
		delete(live, caller)
	}
	if a.chance(2) {
		live[dead] = one(a, stillClock-7000.0, -stillClock)
	}
	client := a.state.hash(keyOf("client", caller))
	client["epoch"], client["host"] = usually(a, 40, "7", "8"), "h"
	last := usually(a, 8, "", "9 2:OK", "99 2:OK", "100 2:OK0:2:11", "101 2:OK", "100 7:CLAIMED5:5 1 -2:OK0:2:11", "100 ", "9 2:OK@", "100 2:OK@", "99 ")
	if a.chance(2) {
		last = "99 2:OK"
	}
	if last != "" {
		client["3"] = last
	}
	if strings.HasSuffix(last, "@") {
		client["3@"] = "a large text"
	}
	return usually(a, 25, "7 3 100", "", "8 3 100", "7 4 1", "x7 3 100", "7 3 98")
}

// know makes a variable known, in this mode for the most part.
func (a *attempt) know(name, mode string) (born string) {
	born = strconv.Itoa(a.ticket())
	entry := mode + " " + born
	if mode == "single" {
		entry += " 1"
	}
	entry = usually(a, 25, entry, "fifo "+born, "fifo "+born+" 5", "lifo "+born, "multi "+born, "single "+born+" 3", "unknown "+born, "", "junk")
	if entry == "" {
		return born
	}
	vars := a.state.hash(base + ":vars")
	vars[name] = entry
	if entry == "junk" {
		a.oddities = append(a.oddities, oddity{key: base + ":vars", field: name, before: mode + " " + born, now: entry})
		if mode == "single" {
			a.oddities[len(a.oddities)-1].before = mode + " " + born + " 1"
		}
	}
	return born
}

// text is a value, which its tag tells from others.
func (a *attempt) text(tag string) string {
	a.number++
	text := fmt.Sprintf("%s%d", tag, a.number)
	if size := usually(a, 20, 0, 200, 4095, 4096, 4097, 5000, 600_000); size > len(text) {
		text += strings.Repeat("x", size-len(text))
	}
	return text
}

func (a *attempt) texts(tag string, n int) (all []string) {
	for range n {
		all = append(all, a.text(tag))
	}
	return all
}

// values fills a list.
func (a *attempt) values(name, tag string, n int) {
	if n == 0 {
		return
	}
	a.state[keyOf("values", name)] = a.texts(tag, n)
	if a.rare(40) && n > 2 {
		for range 1100 {
			a.state[keyOf("values", name)] = append(a.state[keyOf("values", name)].([]string), tag+"more")
		}
	}
}

// claim makes a claim, and returns its name.
func (a *attempt) claim(name, holder string, values []string, deadline float64) string {
	id := strconv.Itoa(a.ticket())
	claimed := a.state.hash(keyOf("claimed", name))
	for i, value := range values {
		claimed[fmt.Sprintf("%s/%d", id, i+1)] = value
	}
	claimed[id] = fmt.Sprintf("%d %d %s %d", len(values), usually(a, 8, 1, 2, 3), holder, 0)
	if deadline == 0 { // it has ended
		deadline, _ = strconv.ParseFloat(id, 64)
		deadline += 0.0001
	}
	a.state.sorted(keyOf("deadlines", name))[id] = deadline
	return id
}

// others makes claims that are nobody's business here, and rarely are over.
func (a *attempt) others(name string) {
	for range a.r.IntN(3) {
		a.claim(name, one(a, "l1", deaf, dead, caller), a.texts("o", 1+a.r.IntN(2)),
			usually(a, 8, stillClock+60000.0, stillClock+1, stillClock, stillClock-1, 0))
	}
}

// wait has somebody wait for a variable.
func (a *attempt) wait(name, waiter, kind string) {
	scores, handed := a.state.sorted(keyOf("waiters", name)), keyOf("handed", name)
	told := stillClock + usually(a, 4, 1000.0, 0, 1, -10)
	switch place := strconv.Itoa(a.ticket()); kind {
	case "wait":
		scores[waiter] = float64(a.tickets)
	case "find":
		scores[waiter] = -float64(a.tickets)
	case "iterate":
		scores[waiter] = -float64(iterates + a.r.IntN(5))
	case "+":
		scores[waiter] = told
		a.state.hash(handed)[waiter] = "+" + place + " " + usually(a, 8, "0 0", "5 7", "0 7") + " " + a.text("k")
	case "?":
		scores[waiter] = told
		a.state.hash(handed)[waiter] = "?" + place
	case "=":
		scores[waiter] = told
		h := a.state.hash(handed)
		h[waiter], h["="+place], h["="+place+"#"] = "="+place, a.text("f"), "1"
	case "!":
		scores[waiter] = told
		client, _, _ := strings.Cut(waiter, ":")
		id := a.claim(name, usually(a, 8, client, "l2"), a.texts("c", 1), usually(a, 8, stillClock+1000.0, stillClock-1, 0))
		a.state.hash(handed)[waiter] = "!" + place + " " + id
		if a.rare(20) {
			delete(a.state.hash(keyOf("claimed", name)), id)
			delete(a.state.hash(keyOf("claimed", name)), id+"/1")
			delete(a.state.sorted(keyOf("deadlines", name)), id)
		}
	}
}

// crowd has some wait: for the most part one that listens and takes a claim.
func (a *attempt) crowd(name string) {
	for range usually(a, 2, 1, 2, 3) {
		client, kind := usually(a, 4, one(a, listening...), deaf, dead), usually(a, 3, "wait", "wait", "find", "iterate", "+", "?", "=", "!")
		a.number++
		waiter := fmt.Sprintf("%s:%d", client, a.number)
		switch {
		case kind == "find" || kind == "iterate":
			waiter += one(a, "", "=")
		case kind == "!" || !a.rare(4):
			waiter += "=1000"
		}
		a.wait(name, waiter, kind)
	}
}

// job makes a job, and says which variables it has.
func (a *attempt) job(id string) {
	a.know("count:"+id, "single")
	a.know("backlog:"+id, "fifo")
	a.know("result:"+id, "fifo")
	if a.rare(25) { // it has ended
		for _, kind := range []string{"count:", "backlog:", "result:"} {
			delete(a.state.hash(base+":vars"), kind+id)
		}
		a.oddities = nil
		return
	}
	out, window := a.r.IntN(8), 1+a.r.IntN(8)
	text := fmt.Sprintf(`{"submitted":%d,"done":%d,"failed":%d,"out":%d,"window":%d}`, 10+a.r.IntN(20), a.r.IntN(9), a.r.IntN(3), out, window)
	a.state[keyOf("values", "count:"+id)] = []string{usually(a, 40, text, `{"submitted":-1}`, "")}
	if a.r.IntN(3) > 0 {
		a.values("backlog:"+id, "b", 1+a.r.IntN(6))
	}
	if a.chance(3) {
		a.values("result:"+id, "r", 1+a.r.IntN(2))
	}
	if a.rare(6) {
		a.others("result:" + id)
	}
	if a.r.IntN(3) > 0 {
		delete(a.state, keyOf("values", "result:"+id))
		a.crowd("result:" + id)
	}
}

// settle makes a call of settle.lua.
func (a *attempt) settle(request string) {
	in, from, jobs := taskVar, taskVar, usually(a, 10, 1, 2)
	if a.chance(5) {
		jobs = 0
	}
	if a.chance(4) {
		from = "other"
	}
	names := []string{in, from}
	born := a.know(in, "fifo")
	if from != in {
		born = a.know(from, "fifo")
	}
	var ids []string
	for i := range jobs {
		ids = append(ids, fmt.Sprintf("j%d", i+1))
		a.job(ids[i])
		names = append(names, countVarOf(ids[i]), backlogVarOf(ids[i]), resultVarOf(ids[i]))
	}
	a.others(in)
	if from != in {
		a.others(from)
	}
	if a.chance(2) {
		a.values(from, "v", 1+a.r.IntN(5))
	}
	if a.rare(4) {
		a.crowd(from)
	}
	leaver, used := a.leaver(from)
	waits := ""
	wants := one(a, "", "1 ", "1 ", "1 ", "1 1 1 ", "3 2 ", "2 2 2 2 ")
	wants = usually(a, 20, wants, "0 1 ", "400 400 400 ", "1000 1000 ")
	if wants != "" {
		waits = "c1:9000=1000"
		if a.rare(20) {
			a.wait(from, waits, "wait")
		}
		waits = usually(a, 20, waits, "")
	}
	args := []string{
		"inc", request, in, from, usually(a, 15, one(a, "", born), "5"), wants, strconv.Itoa(one(a, 1, 1, 2, 7, 0)), "60000", leaver, used, waits,
		strconv.Itoa(jobs),
	}
	told, texts := a.news(in, ids)
	a.args = slices.Concat(args, ids, []string{told}, texts)
	a.keys = []string{workspaceKey, base + ":vars", base + ":live", keyOf("client", caller)}
	for _, name := range names {
		a.keys = append(a.keys, group(name)...)
	}
}

// leaver has the caller's own waiter wait, or be told.
func (a *attempt) leaver(from string) (leaver, used string) {
	if a.chance(2) {
		return "", "0"
	}
	leaver, used = "c1:8000=1000", "0"
	a.leaves = "unused"
	switch kind := one(a, "wait", "+", "+", "!", "!", "none"); kind {
	case "none":
	case "!":
		a.wait(from, leaver, kind)
		used = usually(a, 6, "1", "0")
	default:
		if kind == "+" && a.r.IntN(3) > 0 { // what is told for one is not there, as a rule
			delete(a.state, keyOf("values", from))
		}
		a.wait(from, leaver, kind)
		used = usually(a, 10, "0", "1")
	}
	if used == "1" {
		a.leaves = "used"
	}
	if a.rare(10) {
		delete(a.state.sorted(keyOf("waiters", from)), leaver)
	}
	return leaver, used
}

// news tells of claims.
func (a *attempt) news(in string, jobs []string) (told string, texts []string) {
	type entry struct {
		id               string
		first, last, job int
		done, failed     int
		texts            []string
	}
	var all []entry
	for range usually(a, 8, one(a, 1, 1, 2, 3), 0) {
		values := usually(a, 10, 1+a.r.IntN(3), 150)
		if len(jobs) == 1 && a.r.IntN(3) > 0 {
			values = 1
		}
		held := make([]string, values)
		for i := range held {
			held[i] = fmt.Sprintf(`{"job":"j1","chunk":%d,"first":%d,"n":2,"x":"%s"}`, i, i, a.text("t"))
		}
		id := a.claim(in, usually(a, 8, caller, deaf), held, usually(a, 12, stillClock+30000.0, stillClock+1, stillClock, stillClock-1, 0))
		a.spoil(in, id, values)
		if len(jobs) == 0 && !a.rare(8) {
			all = append(all, entry{id: id, first: 1, last: values})
			continue
		}
		for i := range held {
			e := entry{id: id, first: i + 1, last: i + 1, job: 1, done: 2, failed: a.r.IntN(2)}
			if len(jobs) != 1 {
				e.job = a.r.IntN(len(jobs) + 1)
			}
			e.job = usually(a, 40, e.job, 0)
			if a.chance(4) {
				e.texts = []string{""}
			} else {
				e.texts = []string{a.text("R")}
			}
			if a.chance(2) {
				e.texts = append(e.texts, usually(a, 20, held[i][:strings.Index(held[i], `"x"`)], `{"job":"j1","chunk":77,`, "", "zzz"))
				if a.rare(20) {
					a.state.hash(keyOf("claimed", in))[fmt.Sprintf("%s/%d", id, i+1)] = "another text"
				}
			}
			if a.rare(20) {
				e.texts = append(e.texts, "", "", "kept", a.text("K"))[:2+a.r.IntN(2)]
				if a.chance(2) {
					e.texts = append(e.texts[:2:2], one(a, "", "kept"), a.text("I"), a.text("I"))
				}
			}
			all = append(all, e)
		}
	}
	if len(all) > 0 && a.rare(10) {
		all = append(all, one(a, all...)) // twice
	}
	if len(all) > 0 && a.rare(20) {
		all = all[:len(all)-1] // not all of a claim
	}
	news := []any{}
	for _, e := range all {
		news = append(news, e.id, e.first, e.last, e.job, e.done, e.failed, len(e.texts))
		texts = append(texts, e.texts...)
	}
	return string(asJSON(news)), texts
}

// spoil has a claim be other than it was told of.
func (a *attempt) spoil(in, id string, n int) {
	claimed := a.state.hash(keyOf("claimed", in))
	switch usually(a, 8, "", "settled", "partly", "more", "no deadline", "damaged", "not listed") {
	case "settled":
		for i := range n {
			delete(claimed, fmt.Sprintf("%s/%d", id, i+1))
		}
		delete(claimed, id)
		delete(a.state.sorted(keyOf("deadlines", in)), id)
	case "partly":
		delete(claimed, fmt.Sprintf("%s/%d", id, 1+a.r.IntN(n)))
	case "more":
		claimed[fmt.Sprintf("%s/%d", id, n+1)] = a.text("m")
		claimed[id] = fmt.Sprintf("%d 1 %s 0", n+1, caller)
	case "no deadline":
		delete(a.state.sorted(keyOf("deadlines", in)), id)
	case "damaged":
		claimed[id] = "junk"
	case "not listed":
		delete(claimed, id)
	}
}

// submit makes a call of submit.lua.
func (a *attempt) submit(request string) {
	const id = "j1"
	into := usually(a, 10, taskVar, "task@1")
	a.know(into, "fifo")
	switch {
	case a.chance(2):
		a.crowd(into)
	case a.chance(2):
		a.values(into, "v", a.r.IntN(4))
	}
	a.others(into)
	if a.rare(6) {
		a.job(id)
	}
	if a.rare(15) {
		key := keyOf(one(a, "values", "claimed"), one(a, "count:", "backlog:", "result:", "job:")+id)
		if strings.Contains(key, "claimed") {
			a.state.hash(key)["5"] = "1 1 l1 0"
		} else {
			a.state[key] = []string{"left"}
		}
	}
	n := a.r.IntN(4)
	if a.chance(2) {
		n = 1
	}
	window := usually(a, 8, n+a.r.IntN(3), 0, 1, 2)
	ear := ""
	if a.chance(2) {
		ear = usually(a, 15, "c1:9000=1000", "l1:9000=1000")
	}
	master, name := usually(a, 20, "", `{"client":"c1"}`), usually(a, 20, "", "job")
	names := []string{into, countVarOf(id), backlogVarOf(id), resultVarOf(id), jobVarOf(id)}
	if master != "" || name != "" || a.rare(10) {
		names = append(names, masterVarOf(id), stateVarOf(id), failedVarOf(id), namedVarOf("job"))
	}
	a.args = []string{
		"inc", request, into, id, usually(a, 20, `{"id":"j1"}`, ""), master, name, strconv.Itoa(window), usually(a, 15, "0", "3"), strconv.Itoa(2 * n), ear,
	}
	a.args = append(a.args, a.texts("T", n)...)
	a.keys = []string{workspaceKey, base + ":vars", base + ":live", keyOf("client", caller)}
	for _, name := range names {
		a.keys = append(a.keys, group(name)...)
	}
}

// beOdd puts a key in by hand that is of another type.
func (a *attempt) beOdd() {
	key := one(a, a.keys...)
	if len(a.keys) > 20 && a.chance(2) {
		key = one(a, a.keys[:9]...)
	}
	o := oddity{key: key, before: a.state.clone()[key], now: "odd"}
	o.plant(a.state)
	for _, other := range a.oddities {
		if other.key == key {
			a.oddities = nil // it is gone
		}
	}
	a.oddities = append(a.oddities, o)
}

// branches tells what the straight way has done.
func (a *attempt) branches(o outcomeOf) (all []string) {
	texts := fmt.Sprint(o.reply)
	claims := strings.HasPrefix(texts, "[CLAIMED")
	is := func(what string, ok bool) {
		if ok {
			all = append(all, what)
		}
	}
	reply := []string{}
	for _, text := range o.reply.([]any) {
		reply = append(reply, text.(string))
	}
	has := func(tag string) bool {
		return slices.ContainsFunc(reply, func(text string) bool {
			return len(text) > 1 && text[:1] == tag && text[1] >= '0' && text[1] <= '9'
		})
	}
	brings := len(o.heard) > 0 && strings.Contains(o.heard[0], "CLAIM")
	if a.script == "submit" {
		is("begins", true)
		is("begins and brings", brings)
		is("begins and waits", a.args[10] != "")
		return all
	}
	is("settles", true)
	is("claims from the list", claims && has("v"))
	is("claims what is handed out", claims && has("b"))
	is("claims what comes back", claims && has("k"))
	is("waits", slices.Contains(reply, "WAITS"))
	is("leaves used", a.leaves == "used")
	is("leaves unused", a.leaves == "unused")
	is("brings a result", brings)
	is("summons", len(o.heard) > 0 && !brings)
	is("pushes results", len(o.heard) == 0 && slices.ContainsFunc(a.args, func(text string) bool { return strings.HasPrefix(text, "R") }))
	left, _ := o.state[keyOf("values", a.args[3])].([]string)
	is("hands out for others", slices.ContainsFunc(left, func(text string) bool { return strings.HasPrefix(text, "b") }))
	return all
}

// edges are calls by name.
var edges = map[string]func() *attempt{
	"a result of no job": func() *attempt {
		return settlement(`["5",1,1,0,2,0,2]`, "R1", `{"job":"",`)
	},
	"a head of no job": func() *attempt {
		return settlement(`["5",1,1,0,0,0,2]`, "", `{"job":"",`)
	},
	"a part of no job that is kept": func() *attempt {
		return settlement(`["5",1,1,0,0,0,3]`, "", "", "kept")
	},
	"a leaver is told and does not wait": func() *attempt {
		a := settlement(`["5",1,1,0,0,0,0]`)
		a.args[8], a.args[9] = "c1:8=1000", "1"
		a.state.hash(keyOf("handed", taskVar))["c1:8=1000"] = "!4 9"
		return a
	},
	"a claim is damaged, and its value settled": func() *attempt {
		a := settlement(`["5",1,1,0,0,0,0]`)
		a.state[keyOf("claimed", taskVar)] = hash{"5": "junk"}
		return a
	},
	"a value of a claim is settled": func() *attempt {
		a := withoutVariable("")
		a.args[13] = `["5",1,1,1,1,0,1,"5",2,2,1,1,0,1]`
		a.args = append(a.args, "R2")
		a.state[keyOf("claimed", taskVar)] = hash{"5": "2 1 c1 0", "5/2": "value"}
		return a
	},
	"a job without a count":   func() *attempt { return withoutVariable(countVarOf("j1")) },
	"a job without a backlog": func() *attempt { return withoutVariable(backlogVarOf("j1")) },
	"a job without results":   func() *attempt { return withoutVariable(resultVarOf("j1")) },
	"a job":                   func() *attempt { return withoutVariable("") },
	"many claims": func() *attempt {
		news := []string{}
		a := settlement("")
		for id := 1000; id < 1700; id++ {
			news = append(news, fmt.Sprintf(`"%d",1,1,0,0,0,0`, id))
			a.state.hash(keyOf("claimed", taskVar))[fmt.Sprint(id, "/1")] = "value"
			a.state.hash(keyOf("claimed", taskVar))[fmt.Sprint(id)] = "1 1 c1 0"
			a.state.sorted(keyOf("deadlines", taskVar))[fmt.Sprint(id)] = stillClock + 1000
		}
		a.args[12] = "[" + strings.Join(news, ",") + "]"
		return a
	},
	"a claim of the largest size": func() *attempt {
		a := settlement("[]")
		a.args[5] = "1000 1000"
		a.state[keyOf("values", taskVar)] = strings.Split(strings.Repeat("value ", 1000)+"last", " ")
		return a
	},
	"a batch that is not too large":           func() *attempt { return beginning(3, 5<<20) },
	"a batch that is too large":               func() *attempt { return beginning(3, 7<<20) },
	"one task that is large":                  func() *attempt { return beginning(1, 20<<20) },
	"as many tasks as the straight way takes": func() *attempt { return beginning(1000, 2) },
	"more": func() *attempt { return beginning(1001, 2) },
}

// plain is an attempt in a state where nothing is rare.
func plain(script string) *attempt {
	a := &attempt{
		script: script, state: contents{}, r: rand.New(rand.NewPCG(1, 1)), //nolint:gosec // It is to be the same each time.
		keys: []string{workspaceKey, base + ":vars", base + ":live", keyOf("client", caller)},
	}
	a.workspace()
	a.state.hash(workspaceKey)["tickets"] = "20"
	a.state.hash(base + ":vars")[taskVar] = "fifo 3"
	return a
}

// settlement tells of a claim of one value, by nobody who waits.
func settlement(news string, texts ...string) *attempt {
	a := plain("settle")
	a.state[keyOf("claimed", taskVar)] = hash{"5": "1 1 c1 0", "5/1": `{"job":"","chunk":0,"first":0,"n":1,`}
	a.state[keyOf("deadlines", taskVar)] = sorted{"5": stillClock + 1000}
	a.keys = slices.Concat(a.keys, group(taskVar), group(taskVar))
	a.args = slices.Concat([]string{"inc", "7 3 100", taskVar, taskVar, "", "", "1", "60000", "", "0", "", "0", news}, texts)
	return a
}

// withoutVariable settles a task of a job of which a variable is not known.
func withoutVariable(name string) *attempt {
	a := settlement("")
	a.args = append(a.args[:11], "1", "j1", `["5",1,1,1,1,0,1]`, "R1")
	vars := a.state.hash(base + ":vars")
	vars[countVarOf("j1")], vars[backlogVarOf("j1")], vars[resultVarOf("j1")] = "single 6 1", "fifo 7", "fifo 8"
	delete(vars, name)
	a.state[keyOf("values", countVarOf("j1"))] = []string{`{"submitted":3,"done":1,"failed":0,"out":1,"window":2}`}
	a.state[keyOf("values", backlogVarOf("j1"))] = []string{"b1"}
	for _, name := range []string{countVarOf("j1"), backlogVarOf("j1"), resultVarOf("j1")} {
		a.keys = append(a.keys, group(name)...)
	}
	return a
}

// beginning submits n tasks of so many bytes.
func beginning(n, bytes int) *attempt {
	a := plain("submit")
	for _, name := range []string{taskVar, countVarOf("j1"), backlogVarOf("j1"), resultVarOf("j1"), jobVarOf("j1")} {
		a.keys = append(a.keys, group(name)...)
	}
	a.args = []string{"inc", "7 3 100", taskVar, "j1", "{}", "", "", "2000", "0", strconv.Itoa(n), ""}
	for range n {
		a.args = append(a.args, strings.Repeat("x", bytes))
	}
	return a
}
