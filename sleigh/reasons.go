package sleigh

import (
	"cmp"
	"os"
	"slices"
	"time"
)

// reasons finds why nothing moves.
func (v *survey) reasons() []Reason {
	all := slices.Concat(v.absent(), v.noMasters(), v.silent(), v.noFunctions(), v.missingRanks(), v.waiting(), v.notTaken(), v.noInput(), v.long(),
		v.windows(), v.failingHosts())
	slices.SortStableFunc(all, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(slices.Index(causes, a.Cause), slices.Index(causes, b.Cause)),
			cmp.Compare(len(b.Ranks)+b.Elements, len(a.Ranks)+a.Elements))
	})
	for i := range all {
		for _, j := range v.st.Jobs {
			if j.ID == all[i].Job && j.Master.Client != v.s.own.Client() && j.Alone == 0 {
				all[i].Master = j.Master
			}
		}
	}
	return all
}

// noMasters is for jobs of a team that lasts which have no master, and go on no further without one.
func (v *survey) noMasters() (all []Reason) {
	for _, j := range v.st.Jobs {
		if j.Alone == 0 || j.last.Done || j.Queued+j.Claimed > 0 {
			continue
		}
		r := Reason{Cause: NoMaster, Job: j.ID, Func: j.Func, Master: j.last.Master, For: j.Alone}
		if ends := time.Duration(j.last.CancelAfter) * time.Millisecond; ends > 0 {
			r.In = max(ends-j.Alone, 0)
		}
		all = append(all, r)
	}
	return all
}

// there are the workers that can take tasks.
func (v *survey) there() (all []WorkerStatus) {
	for _, w := range v.st.Workers {
		if w.State == Idle || w.State == Working {
			all = append(all, w)
		}
	}
	return all
}

// among are the ranks and the hosts of workers for which ok.
func (v *survey) among(ok func(w *WorkerStatus) bool) (ranks []int, hosts []string) {
	for i := range v.st.Workers {
		if w := &v.st.Workers[i]; ok(w) {
			ranks = append(ranks, w.Rank)
			if !slices.Contains(hosts, w.Info.Host) {
				hosts = append(hosts, w.Info.Host)
			}
		}
	}
	return ranks, hosts
}

// absent is for a team in which no worker can take tasks.
func (v *survey) absent() []Reason {
	if len(v.there()) > 0 {
		return nil
	}
	if joined, _ := v.among(func(w *WorkerStatus) bool { return w.State != Joining }); len(joined) == 0 {
		return []Reason{{Cause: NoWorker, Workers: v.s.workers, Command: v.s.command(), Refused: v.st.Refused}}
	}
	ranks, hosts := v.among(func(w *WorkerStatus) bool { return w.State == Leaving })
	if len(ranks) == 0 {
		return nil
	}
	return []Reason{{Cause: AllLeaving, Ranks: ranks, Hosts: hosts}}
}

// silent is for hosts of which nothing is heard, if they have tasks or no other can take any.
func (v *survey) silent() []Reason {
	byHost := map[string]*Reason{}
	of := func(host string) *Reason {
		host = cmp.Or(host, "unknown")
		if byHost[host] == nil {
			byHost[host] = &Reason{Cause: HostSilent, Hosts: []string{host}, For: -1}
		}
		return byHost[host]
	}
	for _, h := range v.held {
		r := of(v.hosts[h.client])
		r.Tasks, r.Elements, r.For, r.In = r.Tasks+h.tasks, r.Elements+h.elements, max(r.For, h.age), max(r.In, h.in)
	}
	for _, w := range v.st.Workers {
		if w.State == Silent && (byHost[w.Info.Host] != nil || len(v.there()) == 0) {
			r := of(w.Info.Host)
			r.Ranks, r.For = append(r.Ranks, w.Rank), max(r.For, w.Beat)
		}
	}
	var all []Reason
	for _, r := range byHost {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Reason) int { return cmp.Compare(a.Hosts[0], b.Hosts[0]) })
	return all
}

// noFunctions is for jobs whose function no worker has.
func (v *survey) noFunctions() (all []Reason) {
	there := v.there()
	if len(there) == 0 {
		return nil
	}
	for _, j := range v.st.Jobs {
		var builds []string
		has := false
		for _, w := range there {
			has = has || w.Info.has(j.Func)
			if !slices.Contains(builds, w.Info.Build) {
				builds = append(builds, w.Info.Build)
			}
		}
		if !has {
			all = append(all, Reason{
				Cause: NoFunction, Job: j.ID, Func: j.Func, Workers: len(there), Builds: builds, MasterBuild: v.s.masterBuild(&j),
			})
		}
	}
	return all
}

// has reports whether the worker can run a function; one that does not tell may.
func (i *WorkerInfo) has(fn string) bool {
	if i.Functions == nil || slices.Contains(i.Functions, fn) {
		return true
	}
	return i.PID == os.Getpid() && i.Host == hostname() && registered(fn) != nil // a worker in this process, since it joined
}

// masterBuild is the build of the program whose job it is; empty if it is another one, and not known.
func (s *Sleigh) masterBuild(j *JobStatus) string {
	switch {
	case s.visits && !s.lasts:
		return s.told.Build
	case j.Master.Client == s.own.Client():
		return buildOf()
	}
	return ""
}

// missingRanks is for EachWorker, whose tasks are for certain workers.
func (v *survey) missingRanks() (all []Reason) {
	if len(v.there()) == 0 {
		return nil
	}
	for _, j := range v.jobs {
		if missing := v.notThere(j.ranks); len(missing) > 0 && j.moved > movesWithin {
			all = append(all, Reason{Cause: RankMissing, Job: j.id, Func: j.fn, Ranks: missing, For: j.moved})
		}
	}
	for _, j := range v.st.Jobs {
		if missing := v.lacks[j.ID]; len(missing) > 0 {
			all = append(all, Reason{Cause: RankMissing, Job: j.ID, Func: j.Func, Ranks: missing, For: time.Since(j.Since)})
		}
	}
	return all
}

// notThere are those of the ranks whose workers are not there.
func (v *survey) notThere(ranks []int) []int {
	there := v.there()
	missing := slices.DeleteFunc(slices.Clone(ranks), func(rank int) bool {
		return slices.ContainsFunc(there, func(w WorkerStatus) bool { return w.Rank == rank })
	})
	slices.Sort(missing)
	return missing
}

// takesLong reports whether an element has run for longer than elements of its job take.
func (v *survey) takesLong(w *WorkerStatus, r *Running) bool {
	each := w.Mean
	for _, j := range v.st.Jobs {
		if j.ID == r.Job && j.Done == 0 {
			each = 0 // it is of other jobs
		}
	}
	for _, j := range v.jobs {
		if j.id == r.Job {
			each = j.each
		}
	}
	return r.For > patience(longFor, each)
}

// running are the elements of a worker that take long.
func (v *survey) running(w *WorkerStatus) (all []Running) {
	for _, r := range w.Tasks {
		if v.takesLong(w, &r) {
			all = append(all, r)
		}
	}
	return all
}

// waiting is for variables for which functions wait that take long.
func (v *survey) waiting() []Reason {
	type what struct {
		variable string
		fetch    bool
	}
	var all []Reason
	at := map[what]int{}
	there := v.there()
	for _, w := range there {
		long := v.running(&w)
		if len(long) == 0 {
			continue
		}
		for _, wait := range v.waits[w.Info.User] {
			for fetch, n := range map[bool]int{true: wait.Fetchers, false: wait.Finders} {
				if n == 0 {
					continue
				}
				key := what{wait.Variable, fetch}
				i, known := at[key]
				if !known {
					info := v.vars[wait.Variable]
					i, at[key] = len(all), len(all)
					all = append(all, Reason{
						Cause: Waiting, Variable: wait.Variable, Fetch: fetch, Workers: len(there), Values: info.Values, Claimed: info.Claimed,
						Known: info.Mode != "" && info.Mode != "unknown",
					})
				}
				r := &all[i]
				r.Ranks = append(r.Ranks, w.Rank)
				if !slices.Contains(r.Hosts, w.Info.Host) {
					r.Hosts = append(r.Hosts, w.Info.Host)
				}
				for _, element := range long {
					r.For = max(r.For, element.For)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Reason) int { return cmp.Compare(a.Variable, b.Variable) })
	return all
}

// long is for functions that run long, and do not wait for a variable.
func (v *survey) long() (all []Reason) {
	at := map[string]int{}
	for _, w := range v.there() {
		elements, waits := v.running(&w), 0
		for _, wait := range v.waits[w.Info.User] {
			waits += wait.Fetchers + wait.Finders
		}
		if waits >= len(elements) {
			continue // it is these
		}
		for _, e := range elements {
			i, known := at[e.Job]
			if !known {
				i, at[e.Job] = len(all), len(all)
				all = append(all, Reason{Cause: LongElement, Job: e.Job, Func: e.Func})
			}
			r := &all[i]
			r.Elements++
			if e.For > r.For || e.For == r.For && e.Index < r.Index { // it stands first
				r.Index, r.For = e.Index, e.For
				r.Ranks, r.Hosts = slices.Insert(r.Ranks, 0, w.Rank), slices.Insert(r.Hosts, 0, w.Info.Host)
			} else {
				r.Ranks, r.Hosts = append(r.Ranks, w.Rank), append(r.Hosts, w.Info.Host)
			}
		}
	}
	return all
}

// notTaken is for results that nobody asks for.
func (v *survey) notTaken() (all []Reason) {
	for _, j := range v.jobs {
		switch {
		case j.held > movesWithin:
			all = append(all, Reason{Cause: NotTaken, Job: j.id, Func: j.fn, Elements: j.waiting, For: j.held})
		case j.held == 0 && v.kept[j.id] > 0 && j.moved > movesWithin:
			all = append(all, Reason{Cause: NotTaken, Job: j.id, Func: j.fn, Elements: v.kept[j.id], For: j.moved})
		}
	}
	return all
}

// noInput is for jobs that have done all that there was.
func (v *survey) noInput() (all []Reason) {
	for _, j := range v.jobs {
		if j.starved && j.out == 0 && j.moved > movesWithin {
			all = append(all, Reason{Cause: NoInput, Job: j.id, Func: j.fn, Elements: j.done, For: j.moved})
		}
	}
	return all
}

// windows is for jobs that have elements to run, and no room or no worker for them.
func (v *survey) windows() (all []Reason) {
	for _, j := range v.jobs {
		i := slices.IndexFunc(v.st.Jobs, func(st JobStatus) bool { return st.ID == j.id })
		if i < 0 || j.moved <= patience(movesWithin, j.each) || j.held > 0 {
			continue
		}
		r := Reason{Cause: WindowTaken, Job: j.id, Func: j.fn, Retries: j.retries, In: j.retryIn, For: j.moved}
		own := 0
		for _, w := range v.there() {
			for _, e := range w.Tasks {
				switch {
				case e.Job != j.id && !slices.Contains(r.Jobs, e.Job):
					r.Jobs = append(r.Jobs, e.Job)
				case e.Job == j.id:
					own++
					if v.takesLong(&w, &e) {
						r.Elements++
					}
				}
			}
		}
		st := v.st.Jobs[i]
		waits := st.Queued+st.Backlog > 0
		if !waits || own > 0 || v.idle() { // it is not for others that it does not go on
			r.Jobs = nil
		}
		if len(r.Jobs) > 0 || r.Retries > 0 || r.Elements > 0 && waits {
			all = append(all, r)
		}
	}
	return all
}

// idle reports whether a worker has nothing to do.
func (v *survey) idle() bool {
	return slices.ContainsFunc(v.there(), func(w WorkerStatus) bool { return len(w.Tasks) == 0 })
}

// failingHosts is for hosts on which functions of jobs under way fail.
func (v *survey) failingHosts() (all []Reason) {
	for _, t := range v.st.Hosts {
		if slices.ContainsFunc(v.st.Jobs, func(j JobStatus) bool { return j.Func == t.Func }) {
			all = append(all, Reason{Cause: HostFailing, Func: t.Func, Hosts: []string{t.Host}, Elements: t.Done, Failed: t.Failed})
		}
	}
	return all
}
