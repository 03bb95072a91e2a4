package sleigh_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// Words for what the other tests do not bring about in all its forms.
func TestReasonInWords(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]sleigh.Reason{
		"no worker has joined": {Cause: sleigh.NoWorker},
		"no worker has joined; 3 were refused: of build b; of build a": {
			Cause: sleigh.NoWorker, Refused: []sleigh.Refusal{{Reason: "of build a"}, {Reason: "of build b"}, {Reason: "of build b"}},
		},
		"3 tasks are claimed on host b, last seen 14 s ago; they go elsewhere in 16 s": {
			Cause: sleigh.HostSilent, Hosts: []string{"b"}, Tasks: 3, For: 14 * time.Second, In: 16 * time.Second,
		},
		"1 task is claimed on host b, of which nothing was heard; it is about to go elsewhere": {
			Cause: sleigh.HostSilent, Hosts: []string{"b"}, Tasks: 1, For: -1,
		},
		"no worker has function f: the workers' build is B, the master's is A": {
			Cause: sleigh.NoFunction, Func: "f", Builds: []string{"B"}, MasterBuild: "A",
		},
		"no worker has function f: the workers' builds are B, C, the master's is A": {
			Cause: sleigh.NoFunction, Func: "f", Builds: []string{"B", "C"}, MasterBuild: "A",
		},
		"no worker has function f, though all are of the master's build A: it is to be registered before sleigh.Main": {
			Cause: sleigh.NoFunction, Func: "f", Builds: []string{"A"}, MasterBuild: "A",
		},
		"workers 0, 1, 2, 3, 4 and 3 others wait in find of `x`, for more than the 2 values there": {
			Cause: sleigh.Waiting, Ranks: []int{0, 1, 2, 3, 4, 5, 6, 7}, Workers: 9, Variable: "x", Values: 2,
		},
		"worker 0 waits in fetch of `x`, of which others have claimed 1 value": {
			Cause: sleigh.Waiting, Ranks: []int{0}, Workers: 1, Variable: "x", Fetch: true, Known: true, Claimed: 1,
		},
		"element 5 of f runs on worker 3 (b) since 2m": {
			Cause: sleigh.LongElement, Func: "f", Index: 5, Elements: 1, Ranks: []int{3}, Hosts: []string{"b"}, For: 2 * time.Minute,
		},
		"element 5 of f runs on worker 3 (b) since 1h30m5s; 2 others take long, too": {
			Cause: sleigh.LongElement, Func: "f", Index: 5, Elements: 3, Ranks: []int{3, 1, 2}, Hosts: []string{"b", "c", "c"},
			For: time.Hour + 30*time.Minute + 5*time.Second,
		},
		"job j (f) waits: the workers are taken by jobs a and b": {Cause: sleigh.WindowTaken, Job: "j", Func: "f", Jobs: []string{"a", "b"}},
		"job j (f) waits: its window is taken by 1 element that takes long and 2 elements that wait for their next attempt, the first in 250 ms": {
			Cause: sleigh.WindowTaken, Job: "j", Func: "f", Elements: 1, Retries: 2, In: 250 * time.Millisecond,
		},
		"f fails on host b, and not on others: 12 of 20 elements did": {
			Cause: sleigh.HostFailing, Func: "f", Hosts: []string{"b"}, Elements: 20, Failed: 12,
		},
	} {
		if got := r.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// As data a reason has what its cause has, and no more.
func TestReasonAsData(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(sleigh.Reason{Cause: sleigh.Waiting, Ranks: []int{0, 1}, Workers: 2, Variable: "x"})
	if want := `{"cause":"waiting","ranks":[0,1],"workers":2,"variable":"x"}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}
