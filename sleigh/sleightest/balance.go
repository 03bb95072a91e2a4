// Package sleightest has checks for tests of sleighs.
package sleightest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"
)

// look gives the contents of all variables that have to do with tasks, in one step: key, field and text of each value.
var look = redis.NewScript(`
local found = {}
local function add(key, field, text)
	for _, part in ipairs({ key, field, text }) do found[#found + 1] = part end
end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do
	local kind = string.match(string.sub(key, #ARGV[1] + 1), '^:(%l+):%l+') or ''
	if kind == 'values' then
		for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do add(key, '', string.sub(text, 1, 300)) end
	elseif kind == 'claimed' or kind == 'handed' then
		local all = redis.call('HGETALL', key)
		for i = 1, #all, 2 do add(key, all[i], string.sub(all[i + 1], 1, 300)) end
	end
end
return found
`)

// numbers are those of a job, as Redis has them.
type numbers struct {
	Submitted int `json:"submitted"`
	Done      int `json:"done"`
	Failed    int `json:"failed"`
	Out       int `json:"out"`
	Window    int `json:"window"`
}

// where counts what is found of a job: elements, and tasks that are out.
type where struct{ backlog, queued, claimed, tasks int }

var (
	partBegins = regexp.MustCompile(`\{"job":"(\w+)","chunk":\d+,"first":\d+,"n":(\d+)`)
	isOfClaim  = regexp.MustCompile(`/\d+$`) // a value, rather than the claim itself
)

// Balance looks at all jobs of a sleigh at one moment, and returns an error unless each has, in elements, submitted =
// backlog + queued + claimed + done, and as many tasks out as its numbers say.
func Balance(ctx context.Context, rdb redis.Scripter, sleigh string) error {
	prefix := "nws:{" + sleigh + "}"
	all, err := look.Run(ctx, rdb, nil, prefix).StringSlice()
	if err != nil {
		return err
	}
	jobs, places := map[string]numbers{}, map[string]where{}
	for i := 0; i+2 < len(all); i += 3 {
		kind, variable, _ := strings.Cut(strings.TrimPrefix(all[i], prefix+":"), ":")
		field, text := all[i+1], all[i+2]
		if job, ok := strings.CutPrefix(variable, "count:"); ok && kind == "values" {
			var n numbers
			if err := json.Unmarshal([]byte(text), &n); err != nil {
				return fmt.Errorf("the numbers of job %s are %q: %w", job, text, err)
			}
			jobs[job] = n
		}
		name, _, _ := strings.Cut(variable, "@")
		backlog := strings.HasPrefix(variable, "backlog:")
		if m := partBegins.FindStringSubmatch(text); m != nil && (name == "task" || backlog) {
			places[m[1]] = places[m[1]].with(kind, field, backlog, m[2])
		}
	}
	var errs []error
	for job, n := range jobs {
		w := places[job]
		if n.Submitted != w.backlog+w.queued+w.claimed+n.Done || n.Out != w.tasks || n.Failed > n.Done {
			errs = append(errs, fmt.Errorf("job %s does not add up: %+v, but found are %+v", job, n, w))
		}
	}
	return errors.Join(errs...)
}

// with counts one task more, of n elements.
func (w where) with(kind, field string, backlog bool, n string) where {
	elements := 0
	_, _ = fmt.Sscan(n, &elements)
	switch {
	case backlog:
		w.backlog += elements
		return w
	case kind == "claimed" && isOfClaim.MatchString(field):
		w.claimed += elements
	default: // in the list, or on its way to a worker
		w.queued += elements
	}
	w.tasks++
	return w
}
