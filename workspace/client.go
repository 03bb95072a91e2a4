package workspace

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Towards Redis a handle is a client: it has a name, gives signs of life, and is forgotten when it closes or after some
// minutes of silence. Before its first request it introduces itself, and again when it was forgotten.
const (
	beatEvery = 2 * time.Second // while somebody waits; a third of what the scripts allow
	idleBeat  = time.Minute     // otherwise; a tenth of what they allow
	beatBatch = 100             // variables in one script
	beatCheck = 1000            // waiters of a handle that a beat looks for
)

// introduction is what Redis knows the client by; its epoch changes each time that Redis had forgotten it, so that what was
// sent before cannot be done afterwards. It rises, so that an introduction that comes late cannot undo a later one.
type introduction struct {
	mu    sync.Mutex
	epoch string
	last  uint64        // the highest epoch that was tried
	busy  chan struct{} // closed when the introduction that is under way has ended
}

// process is the first part of the names of all clients of this process.
var (
	process = rand.Text()[:10]
	clients atomic.Uint64
)

func newClientName() string { return process + "-" + strconv.FormatUint(clients.Add(1), 10) }

// introduce returns the epoch. It blocks for a round trip the first time.
func (ws *Workspace) introduce(ctx context.Context) (string, error) {
	in := &ws.introduction
	for {
		in.mu.Lock()
		if in.epoch != "" {
			defer in.mu.Unlock()
			return in.epoch, nil
		}
		busy := in.busy
		if busy == nil {
			in.busy = make(chan struct{})
			in.last++
			fresh := strconv.FormatUint(in.last, 10)
			in.mu.Unlock()
			return ws.hello(ctx, fresh)
		}
		in.mu.Unlock()
		select {
		case <-busy: // look again: it may have failed
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func (ws *Workspace) hello(ctx context.Context, fresh string) (epoch string, err error) {
	in := &ws.introduction
	defer func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.epoch = epoch
		close(in.busy)
		in.busy = nil
	}()
	r, err := ws.call(ctx, helloScript, ws.keys.forScript(ws.client),
		ws.incarnation, ws.client, fresh, hostname(), os.Getpid(), filepath.Base(os.Args[0]))
	switch {
	case err != nil:
		return "", err
	case r.word == "BURIED":
		return "", ErrBuried
	case r.word != "OK":
		return "", fmt.Errorf("workspace: a client was introduced twice: %s", r.word) // and by nobody but us
	}
	ws.startBeat()
	ws.forgetClients(r.text(0))
	return fresh, nil
}

// introduced reports whether Redis has been told of the client.
func (ws *Workspace) introduced() bool {
	ws.introduction.mu.Lock()
	defer ws.introduction.mu.Unlock()
	return ws.introduction.epoch != ""
}

// forgotten says that Redis does not know the client by this epoch any more.
func (ws *Workspace) forgotten(epoch string) {
	in := &ws.introduction
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.epoch == epoch {
		in.epoch = ""
	}
}

// startBeat has the client give signs of life until it closes.
func (ws *Workspace) startBeat() {
	q := &ws.waiting
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.beating {
		return
	}
	q.beating = true
	ws.running.Go(ws.beat)
	if !ws.owned {
		ws.running.Go(ws.watchOthers)
	}
}

func (ws *Workspace) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ws.ctx.Done():
			return
		case <-tick.C:
		}
		ws.waiting.mu.Lock()
		up := ws.waiting.up || !ws.waiting.listening
		leaving := make([]*departure, 0, len(ws.waiting.leaving))
		for d := range ws.waiting.leaving {
			leaving = append(leaving, d)
		}
		seen := ws.waiting.toCheck()
		ws.waiting.mu.Unlock()

		for _, d := range leaving {
			ws.tellDeparture(ws.ctx, d)
		}
		if len(seen) == 0 && time.Since(last) < idleBeat {
			continue
		}
		last = time.Now()
		variables, born := slices.Collect(maps.Keys(seen)), map[string]string{}
		for first := true; first || len(variables) > 0; first = false {
			some := variables[:min(len(variables), beatBatch)]
			variables = variables[len(some):]
			if !ws.beatFor(some, seen, born) {
				up = false
			}
		}
		if up {
			ws.wakeOrphans(born)
		} else {
			ws.wakeAll()
		}
	}
}

// toCheck gives the variables that are waited for, with the numbers of waiters that should be registered: of all, or where
// there are very many, of some each time. q.mu is held.
func (q *waiting) toCheck() map[string][]byte {
	q.turn++
	turns := len(q.byNumber)/beatCheck + 1
	seen := map[string][]byte{}
	for _, w := range q.byNumber {
		numbers := seen[w.variable]
		if w.born != "" && w.number%turns == q.turn%turns {
			numbers = append(strconv.AppendInt(append(numbers, ' '), int64(w.number), 10), w.takes...)
		}
		seen[w.variable] = numbers
	}
	return seen
}

// beatFor beats for waiters of some variables, wakes those that missed something, and notes which incarnations the variables
// have. False: all must ask again.
func (ws *Workspace) beatFor(variables []string, numbers map[string][]byte, born map[string]string) bool {
	args := []any{ws.incarnation, ws.client}
	for _, v := range variables {
		args = append(args, v, numbers[v])
	}
	r, err := ws.call(ws.ctx, beatScript, ws.keys.forScript(ws.client, variables...), args...)
	if err == nil {
		ws.forgetClients(r.text(1))
	}
	if err != nil {
		return false
	}
	ws.waiting.mu.Lock()
	lapsed := ws.waiting.lapses != r.text(0)
	ws.waiting.lapses = r.text(0)
	ws.waiting.mu.Unlock()
	if lapsed {
		return false
	}
	for i, v := range variables {
		born[v] = r.text(2 + 2*i)
		ws.told(r.text(3 + 2*i))
	}
	return true
}

// wakeOrphans wakes those who wait for a variable of another incarnation than it has.
func (ws *Workspace) wakeOrphans(born map[string]string) {
	ws.waiting.mu.Lock()
	defer ws.waiting.mu.Unlock()
	for _, w := range ws.waiting.byNumber {
		if now, asked := born[w.variable]; asked && w.born != "" && w.born != now {
			w.wakeUp()
		}
	}
}

// forgetClients has Redis forget clients that were silent for long. What fails here is tried again with the next beat.
func (ws *Workspace) forgetClients(names string) {
	if names != "" {
		_ = ws.bye(ws.ctx, "", strings.Fields(names))
	}
}

func (ws *Workspace) bye(ctx context.Context, self string, others []string) error {
	keys, args := ws.keys.forScript(ws.client), []any{ws.incarnation, self}
	for _, name := range others {
		keys, args = append(keys, ws.keys.client(name)), append(args, name)
	}
	_, err := call(ctx, ws.rdb, byeScript, keys, args...)
	return err
}
