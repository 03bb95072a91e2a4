package sleigh

import (
	"encoding/json"
	"strconv"
)

// The variables of a sleigh's own workspace, all fifo but for worker@R:
//
//	task        task of any job, for whichever worker is free
//	task@R      task for the worker of rank R
//	result:J    result of a task of job J
//	worker@R    WorkerInfo of the worker of rank R (single)
//	rank        what a worker has to know to join, one value for each rank that is free (only with Manual)
//	stop        a value here ends the workers
const (
	taskVar = "task"
	rankVar = "rank"
	stopVar = "stop"
)

func taskVarOf(rank int) string     { return taskVar + "@" + strconv.Itoa(rank) }
func workerVarOf(rank int) string   { return "worker@" + strconv.Itoa(rank) }
func resultVarOf(job string) string { return "result:" + job }

// task is some elements of a job, handed out together.
type task struct {
	Job   string            `json:"job"`
	Func  string            `json:"func"`
	First int               `json:"first"` // index of the first element
	Elems []json.RawMessage `json:"elems"`
}

// result is what came of a task.
type result struct {
	First  int               `json:"first"`
	Worker int               `json:"worker"` // rank
	Values []json.RawMessage `json:"values"` // null where the element failed
	Failed []*TaskError      `json:"failed,omitempty"`
}

// size is about how many bytes it has.
func (r result) size() int {
	size := 0
	for _, v := range r.Values {
		size += len(v)
	}
	return size
}
