package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh/sleightest"
)

const (
	launched   = 2 // workers of the master that launches them itself
	ranks      = 2 // of the team whose workers are started by hand
	volunteers = 4 // that there may be for it
)

// world is all that may be harmed: Redis, the connections of either master and of each volunteer, and the workers.
type world struct {
	t          *testing.T
	mark       string
	server     *redistest.Server
	nets       [2 + volunteers]*redistest.Proxy // of the masters, then of the volunteers
	masters    [2]*master
	volunteers [volunteers]*volunteer

	began  time.Time
	up     bool            // Redis runs
	frozen bool            // by SIGSTOP
	due    []remedy        // what is to end again, the next first
	known  map[int]process // that were of the test
	blows  int             // how often a worker may have lost its tasks
	looks  int             // at the numbers of jobs
}

// remedy ends what was done.
type remedy struct {
	at   time.Duration
	what string
	do   func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, mark: fmt.Sprint(t.Name(), "-", time.Now().UnixNano()), up: true, known: map[int]process{},
	}
	w.server = redistest.Start(t, redistest.AppendOnly)
	for i := range w.nets {
		w.nets[i] = redistest.StartProxy(t, w.server.Addr())
	}
	folder := t.TempDir()
	for i := range w.masters {
		w.masters[i] = startMaster(t, masterSpec{
			URL: w.nets[i].URL(), Name: []string{"launched", "by-hand"}[i], Local: i == 0, N: []int{launched, ranks}[i], Slots: 1 + i,
			Folder: folder,
		}, w.mark)
	}
	for i := range w.volunteers {
		w.volunteers[i] = &volunteer{
			t: t, number: i, team: w.masters[1].spec.Name, url: w.nets[2+i].URL(), mark: w.mark,
			errs: logOf(folder, "volunteer-"+strconv.Itoa(i)),
		}
		if i < ranks {
			w.volunteers[i].start()
		}
	}
	w.began = time.Now()
	return w
}

// say logs a line.
func (w *world) say(format string, args ...any) {
	w.t.Logf("%7.3f s  %s", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// later has something done after some time.
func (w *world) later(after time.Duration, what string, do func()) {
	w.due = append(w.due, remedy{time.Since(w.began) + after, what, do})
	slices.SortStableFunc(w.due, func(a, b remedy) int { return int(a.at - b.at) })
}

// sleepUntil waits for a moment, and does what is due before it.
func (w *world) sleepUntil(at time.Duration) {
	for len(w.due) > 0 && w.due[0].at <= at {
		r := w.due[0]
		w.due = w.due[1:]
		time.Sleep(r.at - time.Since(w.began))
		w.say("    %s", r.what)
		r.do()
	}
	time.Sleep(at - time.Since(w.began))
}

// calm ends all that was done, at once, and has the teams complete.
func (w *world) calm() {
	for _, r := range w.due {
		w.say("    %s", r.what)
		r.do()
	}
	w.due = nil
	for i := range w.volunteers {
		w.volunteers[i].start()
	}
}

// do takes a step.
func (w *world) do(s step) {
	w.say("%s %s", s.action, w.act(s))
	w.balance()
	for _, p := range processes(w.mark) {
		if p.marked {
			w.known[p.pid] = p
		}
	}
}

// balance checks that the numbers of all jobs add up, whatever is under way.
func (w *world) balance() {
	if !w.up || w.frozen {
		return
	}
	for _, m := range w.masters {
		if err := sleightest.Balance(w.t.Context(), w.server.Redis(), m.spec.Name); err != nil {
			w.t.Errorf("%s: %v", m.spec.Name, err)
		}
	}
	w.looks++
}

// act takes a step, and tells what it was done to.
func (w *world) act(s step) string {
	switch s.action {
	case killWorker, termWorker, stopWorker:
		return w.signal(s)
	case startWorker:
		v := w.volunteers[s.who%volunteers]
		v.start()
		return fmt.Sprintf("volunteer %d: %d", v.number, v.cmd.Process.Pid)
	case killRedis, stopRedis, cutAll, flushScripts:
		if !w.up || w.frozen {
			return "– but it is away"
		}
		return w.harm(s)
	default:
		return w.disconnect(s)
	}
}

// signal sends a signal to a worker, and to all that it has started.
func (w *world) signal(s step) string {
	n := s.who % (launched + volunteers)
	var pid int
	var name string
	if n < launched {
		children := childrenOf(w.masters[0].cmd.Process.Pid, w.mark)
		if n >= len(children) {
			return fmt.Sprintf("launched worker %d – but it does not run", n)
		}
		pid, name = children[n].pid, fmt.Sprintf("launched worker %d", n)
	} else {
		v := w.volunteers[n-launched]
		if !v.runs() {
			v.start()
			return fmt.Sprintf("volunteer %d – but it does not run: started as %d", v.number, v.cmd.Process.Pid)
		}
		pid, name = v.cmd.Process.Pid, fmt.Sprintf("volunteer %d", v.number)
	}
	target := pid
	if n < launched {
		target = -pid // the group that it leads
	}
	w.blows++
	switch s.action {
	case killWorker:
		_ = syscall.Kill(target, syscall.SIGKILL)
	case termWorker:
		_ = syscall.Kill(target, syscall.SIGTERM)
	default:
		_ = syscall.Kill(target, syscall.SIGSTOP)
		w.later(s.lasts, fmt.Sprintf("%s %d goes on", name, pid), func() { _ = syscall.Kill(target, syscall.SIGCONT) })
		return fmt.Sprintf("%s: %d, for %v", name, pid, s.lasts.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s: %d", name, pid)
}

// harm does something to Redis.
func (w *world) harm(s step) string {
	ctx := w.t.Context()
	w.blows += launched + ranks
	lasts := s.lasts.Round(time.Millisecond)
	switch s.action {
	case killRedis:
		w.server.Kill()
		w.up = false
		w.later(s.lasts, "Redis starts", func() {
			w.server.Restart()
			w.up = true
		})
		return fmt.Sprint("for ", lasts)
	case stopRedis:
		w.server.Pause()
		w.frozen = true
		w.later(s.lasts, "Redis goes on", func() {
			w.server.Resume()
			w.frozen = false
		})
		return fmt.Sprint("for ", lasts)
	case flushScripts:
		if err := w.server.Redis().ScriptFlush(ctx).Err(); err != nil {
			return fmt.Sprint("– but ", err)
		}
	default:
		for _, kind := range []string{"normal", "pubsub"} {
			if err := w.server.Redis().ClientKillByFilter(ctx, "TYPE", kind, "SKIPME", "yes").Err(); err != nil {
				return fmt.Sprint("– but ", err)
			}
		}
	}
	return ""
}

// disconnect does something to the connections of a master and its workers, or of a volunteer.
func (w *world) disconnect(s step) string {
	i := s.who % len(w.nets)
	net, name, lasts := w.nets[i], fmt.Sprint("master ", i), s.lasts.Round(time.Millisecond)
	w.blows++
	if i == 0 {
		w.blows += launched
	} else if i > 1 {
		name = fmt.Sprint("volunteer ", i-2)
	}
	var again string
	var mend func()
	switch s.action {
	case cut:
		net.Cut()
		return name
	case refuse:
		net.Refuse()
		again, mend = "has connections", net.Allow
	case freeze:
		net.Freeze()
		again, mend = "has bytes", net.Thaw
	case deafen:
		net.Deafen()
		again, mend = "has messages", net.Hear
	default:
		net.Faults(s.seed, redistest.Rates{LoseRequest: 0.01, LoseReply: 0.02, Delay: 0.05, MaxDelay: 20 * time.Millisecond})
		again, mend = "loses no more", net.Calm
	}
	w.later(s.lasts, name+" "+again, mend)
	return fmt.Sprintf("%s, for %v", name, lasts)
}
