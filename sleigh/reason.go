package sleigh

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cause is the kind of a Reason.
type Cause string

// The causes, those first that keep more of the team. Behind each are the fields of Reason that it has.
const (
	NoAnswer    Cause = "no answer"    // Redis does not answer: For, Detail
	NoWorker    Cause = "no worker"    // none has joined: Workers, Command, Refused
	AllLeaving  Cause = "all leaving"  // those that are there claim no more: Ranks, Hosts
	NoMaster    Cause = "no master"    // a job has none, and needs one: Job, Func, Master (the last one), For; In, until it is ended
	HostSilent  Cause = "host silent"  // nothing is heard of workers on a host: Ranks, Hosts, Tasks, Elements, For, In
	NoFunction  Cause = "no function"  // no worker has it: Job, Func, Workers, Builds, MasterBuild
	RankMissing Cause = "rank missing" // EachWorker waits for workers that are not there: Job, Func, Ranks
	Waiting     Cause = "waiting"      // workers wait for a variable: Variable, Fetch, Ranks, Hosts, Workers, Known, Values, Claimed, For
	NotTaken    Cause = "not taken"    // the master's program does not take results: Job, Func, Elements, For
	NoInput     Cause = "no input"     // the sequence of elements gives no more for now: Job, Func, Elements, For
	LongElement Cause = "long element" // functions run longer than others: Job, Func, Elements; Ranks, Hosts; Index, For of the longest
	WindowTaken Cause = "window taken" // a job cannot go on: Job, Func, Jobs or Elements and Retries; In
	HostFailing Cause = "host failing" // a function fails on a host and not elsewhere: Func, Hosts, Elements, Failed
)

// causes are in the order in which reasons are given.
var causes = []Cause{
	NoAnswer, NoWorker, AllLeaving, NoMaster, HostSilent, NoFunction, RankMissing, Waiting, NotTaken, NoInput, LongElement, WindowTaken, HostFailing,
}

// Reason says why something does not move. String says it in words; the fields that its cause has are the facts, the others zero.
type Reason struct {
	Cause   Cause    `json:"cause"`
	Job     string   `json:"job,omitempty"` // its id
	Func    string   `json:"func,omitempty"`
	Master  Master   `json:"master,omitzero"`   // who has the job, if it is not the one who asks
	Ranks   []int    `json:"ranks,omitempty"`   // of the workers that it is about; with LongElement, the longest first
	Hosts   []string `json:"hosts,omitempty"`   // theirs
	Workers int      `json:"workers,omitempty"` // that are there; with NoWorker, that there should be

	Tasks    int `json:"tasks,omitempty"`    // that a silent host has
	Elements int `json:"elements,omitempty"` // of a silent host or a failing one; that were done; whose results wait; that take long
	Failed   int `json:"failed,omitempty"`   // of these
	Index    int `json:"index,omitempty"`    // of the element that takes longest
	Retries  int `json:"retries,omitempty"`  // elements that failed and wait for their next attempt

	Variable string `json:"variable,omitempty"`
	Fetch    bool   `json:"fetch,omitempty"`   // it is waited for to be taken, not only to be read
	Known    bool   `json:"known,omitempty"`   // somebody has stored or declared it
	Values   int    `json:"values,omitempty"`  // that it has
	Claimed  int    `json:"claimed,omitempty"` // that others have claimed

	Jobs        []string  `json:"jobs,omitempty"`        // the ids of others, which have all workers
	Builds      []string  `json:"builds,omitempty"`      // of the workers
	MasterBuild string    `json:"masterBuild,omitempty"` // empty if it is not known
	Refused     []Refusal `json:"refused,omitempty"`
	Command     string    `json:"command,omitempty"` // starts a worker, on any machine; empty if none from outside can join
	Detail      string    `json:"detail,omitempty"`  // an error

	For time.Duration `json:"for,omitempty"` // how long that is so, or since a sign of life; with several, the longest
	In  time.Duration `json:"in,omitempty"`  // until that changes by itself
}

func (r Reason) String() string {
	text := r.text()
	if r.Cause != NoMaster && r.Master.Client != "" {
		text += "; its master is " + r.Master.String()
	}
	return text
}

func (r *Reason) text() string {
	switch r.Cause {
	case NoAnswer:
		return fmt.Sprintf("Redis has not answered for %s: %s", span(r.For), r.Detail)
	case NoWorker:
		return r.noWorker()
	case AllLeaving:
		return fmt.Sprintf("%s: there is no other to take tasks", does(r.Ranks, 0, "leaves", "leave"))
	case NoMaster:
		return r.noMaster()
	case HostSilent:
		return r.hostSilent()
	case NoFunction:
		return r.noFunction()
	case RankMissing:
		return fmt.Sprintf("%s waits for %s, and there is none of that rank", r.job(), ranks(r.Ranks))
	case Waiting:
		return r.waiting()
	case NotTaken:
		return fmt.Sprintf("%s has results that nobody takes: %d have waited for %s for the program that asked for them", r.job(), r.Elements, span(r.For))
	case NoInput:
		return fmt.Sprintf("the sequence of elements of %s has given none for %s; the %d that it gave are done", r.job(), span(r.For), r.Elements)
	case LongElement:
		return r.longElement()
	case WindowTaken:
		return r.windowTaken()
	case HostFailing:
		return fmt.Sprintf("%s fails on host %s, and not on others: %d of %d elements did", r.Func, r.host(), r.Failed, r.Elements)
	}
	return string(r.Cause)
}

func (r *Reason) noWorker() string {
	text := "no worker has joined"
	if r.Command != "" {
		text += "; on any machine, start one with " + r.Command
	}
	var said []string
	for _, refusal := range slices.Backward(r.Refused) {
		if !slices.Contains(said, refusal.Reason) {
			said = append(said, refusal.Reason)
		}
	}
	if len(r.Refused) > 0 {
		text += fmt.Sprintf("; %d were refused: %s", len(r.Refused), strings.Join(said, "; "))
	}
	return text
}

func (r *Reason) noMaster() string {
	text := fmt.Sprintf("%s has had no master for %s: nothing is heard of the last one, %s", r.job(), span(r.For), r.Master)
	if r.Master.Client == "" {
		text = fmt.Sprintf("%s has had no master for %s: the last one, %s, has left it", r.job(), span(r.For), r.Master)
	}
	if r.In > 0 {
		text += "; it is ended in " + span(r.In)
	}
	return text
}

func (r *Reason) hostSilent() string {
	last := "of which nothing was heard"
	if r.For >= 0 {
		last = fmt.Sprintf("last seen %s ago", span(r.For))
	}
	if r.Tasks == 0 {
		return fmt.Sprintf("nothing is heard of %s on host %s, %s", ranks(r.Ranks), r.host(), last)
	}
	when := "they go elsewhere in " + span(r.In)
	if r.In == 0 {
		when = "they are about to go elsewhere"
	}
	verb := "tasks are"
	if r.Tasks == 1 {
		verb, when = "task is", strings.Replace(strings.Replace(when, "they go", "it goes", 1), "they are", "it is", 1)
	}
	return fmt.Sprintf("%d %s claimed on host %s, %s; %s", r.Tasks, verb, r.host(), last, when)
}

func (r *Reason) noFunction() string {
	if slices.Equal(r.Builds, []string{r.MasterBuild}) {
		return fmt.Sprintf("no worker has function %s, though all are of the master's build %s: it is to be registered before sleigh.Main",
			r.Func, r.MasterBuild)
	}
	build := "build is " + strings.Join(r.Builds, "")
	if len(r.Builds) > 1 {
		build = "builds are " + strings.Join(r.Builds, ", ")
	}
	if r.MasterBuild == "" {
		return fmt.Sprintf("no worker has function %s: the workers' %s", r.Func, build)
	}
	return fmt.Sprintf("no worker has function %s: the workers' %s, the master's is %s", r.Func, build, r.MasterBuild)
}

func (r *Reason) waiting() string {
	verb := "find"
	if r.Fetch {
		verb = "fetch"
	}
	state := "which nobody has stored"
	switch {
	case r.Values > 0:
		state = "for more than the " + counted(r.Values, "value", "values") + " there"
	case r.Claimed > 0:
		state = "of which others have claimed " + counted(r.Claimed, "value", "values")
	case r.Known:
		state = "which has no value now"
	}
	return fmt.Sprintf("%s in %s of `%s`, %s", does(r.Ranks, r.Workers, "waits", "wait"), verb, r.Variable, state)
}

func (r *Reason) longElement() string {
	text := fmt.Sprintf("element %d of %s runs on %s (%s) since %s", r.Index, r.Func, ranks(r.Ranks[:1]), list(r.Hosts[:1]), span(r.For))
	if r.Elements > 1 {
		text += "; " + counted(r.Elements-1, "other takes", "others take") + " long, too"
	}
	return text
}

func (r *Reason) windowTaken() string {
	if len(r.Jobs) > 0 {
		noun := "job"
		if len(r.Jobs) > 1 {
			noun = "jobs"
		}
		return fmt.Sprintf("%s waits: the workers are taken by %s %s", r.job(), noun, list(r.Jobs))
	}
	var by []string
	if r.Elements > 0 {
		by = append(by, counted(r.Elements, "element that takes long", "elements that take long"))
	}
	if r.Retries > 0 {
		by = append(by, fmt.Sprintf("%s, the first in %s",
			counted(r.Retries, "element that waits for its next attempt", "elements that wait for their next attempt"), span(r.In)))
	}
	return fmt.Sprintf("%s waits: its window is taken by %s", r.job(), list(by))
}

// job names the job.
func (r *Reason) job() string { return fmt.Sprintf("job %s (%s)", r.Job, r.Func) }

func (r *Reason) host() string { return list(r.Hosts) }

// does says what workers do, where there are so many; 0 if that does not matter.
func does(all []int, of int, one, many string) string {
	switch {
	case len(all) == of && of > 1:
		return fmt.Sprintf("all %d workers %s", of, many)
	case len(all) == 1:
		return ranks(all) + " " + one
	}
	return ranks(all) + " " + many
}

// ranks names workers.
func ranks(all []int) string {
	var names []string
	for _, rank := range all {
		names = append(names, strconv.Itoa(rank))
	}
	if len(all) == 1 {
		return "worker " + names[0]
	}
	return "workers " + list(names)
}

// list is a list in words, of which not too many are named.
func list(names []string) string {
	const most = 5
	if len(names) > most+1 {
		names = append(slices.Clone(names[:most]), fmt.Sprintf("%d others", len(names)-most))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// span is a duration in words.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	}
	text := d.Round(time.Second).String()
	if d.Round(time.Second)%time.Minute == 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}
