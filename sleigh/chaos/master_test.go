package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// masterSpec is the first line that a master reads; a jobSpec for each job follows. The end of its input has it stop.
type masterSpec struct {
	URL    string
	Name   string
	Local  bool // it launches its workers itself
	N      int  // workers
	Slots  int
	Folder string // for the results
}

// report is the line by which a master tells that a job has ended.
type report struct {
	Job    uint64
	File   string // of the outcome
	Failed string // an error that is none of elements
}

// outcome is what came of a job.
type outcome struct {
	Results []found
	Ranks   []int
	Failed  []*sleigh.TaskError
	Told    []int // by OnDone
}

func playMaster() int {
	if err := lead(); err != nil {
		fmt.Fprintln(os.Stderr, "master:", err)
		return 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "master:", err)
		return 1
	}
	return 0
}

func lead() (err error) {
	in := json.NewDecoder(os.Stdin)
	var spec masterSpec
	if err := in.Decode(&spec); err != nil {
		return err
	}
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, spec.URL, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rdb.Close()) }()
	o := sleigh.Options{
		Name: spec.Name, Slots: spec.Slots, Lease: lease, Launch: sleigh.Manual(spec.N),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if spec.Local {
		o.Launch = sleigh.Local(spec.N)
	}
	s, err := sleigh.Start(ctx, rdb, &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(ctx)) }()
	var running sync.WaitGroup
	defer running.Wait()
	var telling sync.Mutex
	for {
		var j jobSpec
		if err := in.Decode(&j); err != nil {
			return nil // the input has ended
		}
		running.Go(func() {
			r := j.run(ctx, s, spec.Folder)
			telling.Lock()
			defer telling.Unlock()
			_ = json.NewEncoder(os.Stdout).Encode(r)
		})
	}
}

// run runs a job, and puts what came of it into a file.
func (j jobSpec) run(ctx context.Context, s *sleigh.Sleigh, folder string) report {
	var o outcome
	var err error
	opts := &sleigh.JobOptions{
		Chunk: j.Chunk, Priority: j.Priority, Attempts: attempts, Backoff: 50 * time.Millisecond,
		OnDone: func(done int) { o.Told = append(o.Told, done) },
	}
	switch {
	case j.Workers:
		o.Ranks, err = rankOf.EachWorker(ctx, s, 0)
	case j.Stream:
		err = o.stream(ctx, s, j, opts)
	default:
		o.Results, err = work.EachElem(ctx, s, upTo(j.Job, j.N), opts)
	}
	r := report{Job: j.Job, File: filepath.Join(folder, fmt.Sprint(j.Job))}
	if failed, ok := errors.AsType[sleigh.TaskErrors](err); ok {
		o.Failed = failed
	} else if err != nil {
		r.Failed = err.Error()
	}
	text, err := json.Marshal(o)
	if err == nil {
		err = os.WriteFile(r.File, text, 0o600)
	}
	if err != nil {
		r.Failed += fmt.Sprint(" ", err)
	}
	return r
}

// stream takes results as they come, and puts them into their places.
func (o *outcome) stream(ctx context.Context, s *sleigh.Sleigh, j jobSpec, opts *sleigh.JobOptions) error {
	job, err := work.Submit(ctx, s, upTo(j.Job, j.N), opts)
	if err != nil {
		return err
	}
	var failed sleigh.TaskErrors
	seen := make([]bool, j.N)
	o.Results = make([]found, j.N)
	for done, err := range job.All(ctx) {
		e, isOfElement := errors.AsType[*sleigh.TaskError](err)
		switch {
		case err != nil && !isOfElement:
			return err
		case done.Index < 0 || done.Index >= j.N || seen[done.Index]:
			return fmt.Errorf("the result of element %d comes again", done.Index)
		case err != nil:
			failed = append(failed, e)
		}
		seen[done.Index], o.Results[done.Index] = true, done.Value
	}
	if i := slices.Index(seen, false); i >= 0 {
		return fmt.Errorf("the result of element %d does not come", i)
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// master is a process that runs jobs.
type master struct {
	t    *testing.T
	spec masterSpec
	cmd  *exec.Cmd
	in   *json.Encoder
	quit func() error
	errs string        // file of what it and its workers have to say
	gone chan struct{} // closed when it has ended

	mu      sync.Mutex
	waiting map[uint64]chan report
	over    error
}

// startMaster starts a master. It ends with the test at the latest.
func startMaster(t *testing.T, spec masterSpec, mark string) *master {
	t.Helper()
	m := &master{
		t: t, spec: spec, cmd: exec.Command(os.Args[0]), gone: make(chan struct{}), waiting: map[uint64]chan report{},
		errs: filepath.Join(spec.Folder, spec.Name+".log"),
	}
	m.cmd.Env = append(os.Environ(), roleEnv+"=master", markEnv+"="+mark)
	stdin, err := m.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.in, m.quit = json.NewEncoder(stdin), stdin.Close
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Create(m.errs)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	m.cmd.Stderr = stderr
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(m.gone)
		m.listen(bufio.NewScanner(stdout))
	}()
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill()
		<-m.gone
	})
	if err := m.in.Encode(spec); err != nil {
		t.Fatal(err)
	}
	return m
}

// listen hands out reports until the master has ended.
func (m *master) listen(lines *bufio.Scanner) {
	for lines.Scan() {
		var r report
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			m.t.Errorf("%s says %q", m.spec.Name, lines.Text())
			continue
		}
		m.mu.Lock()
		m.waiting[r.Job] <- r
		delete(m.waiting, r.Job)
		m.mu.Unlock()
	}
	err := m.cmd.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = err
	if err == nil {
		m.over = errors.New("it has ended")
	}
	for _, waits := range m.waiting {
		close(waits)
	}
	m.waiting = nil
}

// run has the master run a job, and returns when it is done.
func (m *master) run(j jobSpec) (report, error) {
	reports := make(chan report, 1)
	m.mu.Lock()
	if m.over != nil {
		defer m.mu.Unlock()
		return report{}, m.over
	}
	m.waiting[j.Job] = reports
	err := m.in.Encode(j)
	m.mu.Unlock()
	if err != nil {
		return report{}, err
	}
	r, ok := <-reports
	if !ok {
		return r, fmt.Errorf("%s has ended before its job", m.spec.Name)
	}
	return r, nil
}

// stop has the master stop its sleigh and end.
func (m *master) stop() {
	_ = m.quit()
	select {
	case <-m.gone:
	case <-time.After(patience):
		m.t.Errorf("%s does not end", m.spec.Name)
		return
	}
	if code := m.cmd.ProcessState.ExitCode(); code != 0 {
		m.t.Errorf("%s has ended with %v", m.spec.Name, m.cmd.ProcessState)
	}
}
