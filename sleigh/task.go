package sleigh

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// The variables of a sleigh's own workspace, all fifo but where it says single. J stands for the id of a job, R for a rank.
//
//	task        task of any job, for whichever worker is free
//	task@R      task for the worker of rank R
//	backlog:J   task of job J that waits for room among those handed out
//	count:J     numbers of job J (single): elements submitted, done and failed; tasks out (handed out or claimed), and how
//	            many may be: window
//	job:J       what job J is (single)
//	result:J    result of a task of job J
//	master:J    who has job J, in a team that lasts (single)
//	state:J     what of the results of job J was used, if it outlives its master (single)
//	failed:J    TaskError of an element of such a job
//	named:N     id of the job that has the name N (single)
//	finished    FinishedJob
//	worker@R    WorkerInfo of the worker of rank R (single)
//	status@R    what the worker of rank R does (single)
//	dismiss@R   name of the client whose worker of rank R is to leave (single)
//	rank        rank and slots of a worker, claimed by its keeper: see team.lua
//	team        how many workers, slots and ranks there are (single)
//	terms       what the master wants of workers (single)
//	refused     Refusal of a worker that wanted to join; the last ones
//	init        task that each worker runs before any other
//	export:N    value exported by the name N (single)
//	death@C     Death of the worker whose client is C (single); null if what it ran is not to blame
//	deaths      names of these variables, the oldest first
//	log         pages of lines that workers print (see page.go)
//	recent      the last of them, for whoever looks in (see recent.lua)
//	progress@R  how far elements are that the worker of rank R runs (single)
//	stop        a value here ends the workers: the client of who ends the team
const (
	taskVar    = "task"
	rankVar    = "rank"
	teamVar    = "team"
	termsVar   = "terms"
	refusedVar = "refused"
	deathsVar  = "deaths"
	initVar    = "init"
	stopVar    = "stop"

	finishedVar = "finished"
)

func taskVarOf(rank int) string       { return taskVar + "@" + strconv.Itoa(rank) }
func workerVarOf(rank int) string     { return "worker@" + strconv.Itoa(rank) }
func statusVarOf(rank int) string     { return "status@" + strconv.Itoa(rank) }
func dismissVarOf(rank int) string    { return "dismiss@" + strconv.Itoa(rank) }
func deathVarOf(client string) string { return "death@" + client }
func exportVarOf(name string) string  { return "export:" + name }
func backlogVarOf(job string) string  { return "backlog:" + job }
func countVarOf(job string) string    { return "count:" + job }
func jobVarOf(job string) string      { return "job:" + job }
func resultVarOf(job string) string   { return "result:" + job }
func masterVarOf(job string) string   { return "master:" + job }
func stateVarOf(job string) string    { return "state:" + job }
func failedVarOf(job string) string   { return "failed:" + job }
func namedVarOf(name string) string   { return "named:" + name }

// part is some elements of a job that follow each other.
type part struct {
	Job   string `json:"job"`
	Chunk int    `json:"chunk"` // index of the first element of the chunk that it is a part of
	First int    `json:"first"` // index of its first element
	N     int    `json:"n"`
}

// head is how the text of a task of the part begins.
func (p *part) head() []byte {
	text := append([]byte(`{"job":"`), p.Job...)
	text = strconv.AppendInt(append(text, `","chunk":`...), int64(p.Chunk), 10)
	text = strconv.AppendInt(append(text, `,"first":`...), int64(p.First), 10)
	return append(strconv.AppendInt(append(text, `,"n":`...), int64(p.N), 10), ',')
}

// task is a part of a job that is handed out to one worker. The part comes first, so that the beginning of its text tells it.
type task struct {
	part
	Func    string          `json:"func"`
	Attempt int             `json:"attempt,omitempty"` // how many times its element has failed
	Deaths  []Death         `json:"deaths,omitempty"`  // of workers that ran its element
	Careful bool            `json:"careful,omitempty"` // a worker died over the chunk: it is settled before another begins
	Begun   bool            `json:"begun,omitempty"`   // by its holder; Redis is told so of careful tasks only
	Timeout time.Duration   `json:"timeout,omitempty"` // of an element
	Lease   time.Duration   `json:"lease,omitempty"`   // if it is not that of the sleigh
	Seed    uint64          `json:"seed,omitempty"`
	Exports int64           `json:"exports,omitempty"` // when the sleigh's exports changed last
	Lasts   bool            `json:"lasts,omitempty"`   // elements that fail come with the result, for another master
	Elems   json.RawMessage `json:"elems"`
}

// text is the task as JSON. The elements, which may be many, are taken over as they are.
func (t *task) text() []byte {
	header := *t
	header.Elems = nil
	text := bytes.TrimSuffix(asJSON(header), []byte("null}"))
	return append(append(text, t.Elems...), '}')
}

// elements are those that failed, but for such as are too large to be sent back.
func (t *task) elements(failed []*TaskError) map[int]json.RawMessage {
	texts, err := split(t.Elems)
	if err != nil || len(failed) == 0 {
		return nil
	}
	some, room := map[int]json.RawMessage{}, maxText/4
	for _, e := range failed {
		if k := e.Index - t.First; k >= 0 && k < len(texts) && len(texts[k]) < room {
			some[e.Index] = texts[k]
			room -= len(texts[k])
		}
	}
	return some
}

// result is what came of a part of a task.
type result struct {
	part
	Worker int           `json:"worker"` // rank
	Host   string        `json:"host"`
	Took   time.Duration `json:"took"`
	Failed []*TaskError  `json:"failed,omitempty"`

	// Elems are the elements that failed, by their indexes, if the task wants them.
	Elems map[int]json.RawMessage `json:"elems,omitempty"`

	Printed *printedLines `json:"printed,omitempty"` // by the worker until then

	Values json.RawMessage `json:"values"` // an array; what stands for elements that failed means nothing
}

// text is the result as JSON. The values, which may be many, are taken over as they are.
func (r *result) text() []byte {
	if len(r.Values) == 0 {
		return asJSON(r)
	}
	header := *r
	header.Values = nil
	text := bytes.TrimSuffix(asJSON(header), []byte("null}"))
	return append(append(text, r.Values...), '}')
}
