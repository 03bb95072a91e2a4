package sleigh_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/workspace"
)

// overSSH starts a team on hosts of a site.
func overSSH(t *testing.T, site *site, rdb *redisx.Client, o sleigh.Options, hosts ...string) *sleigh.Sleigh {
	t.Helper()
	o.Launch = sleigh.SSH(hosts, &sleigh.SSHOptions{Args: []string{"-F", site.config}})
	return start(t, rdb, &o)
}

func wantAll(t *testing.T, s *sleigh.Sleigh, n int) {
	t.Helper()
	got, err := square.EachElem(testContext(t), s, upTo(n), nil)
	wantSquares(t, got, err, n)
}

// TestS2SSH has three workers on two hosts, on each kind of Redis of this host: the program is sent once to each, and not
// again; no password is on a command line; nothing is left running.
func TestS2SSH(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	one, other := site.serveHere("one", ""), site.serveHere("other", "")
	var sent []os.FileInfo
	for _, address := range []string{"mem://", "local://"} {
		var log, output lockedBuffer
		rdb := openAt(t, address)
		s := overSSH(t, site, rdb, sleigh.Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)), Output: func(l sleigh.Line) { fmt.Fprint(&output, l) },
		}, "one", "other", "one")
		if err := s.Await(testContext(t), 3); err != nil {
			t.Fatal(err)
		}
		wantAll(t, s, 100)
		ids, err := identify.EachWorker(testContext(t), s, 0)
		if err != nil || len(ids) != 3 {
			t.Errorf("got %v, %v", ids, err)
		}
		here, err := url.Parse(rdb.URL())
		if err != nil {
			t.Fatal(err)
		}
		if password, set := here.User.Password(); set {
			for _, line := range commandLines(t) {
				if strings.Contains(line, password) {
					t.Errorf("the password is on a command line: %s", line)
				}
			}
		}
		if st := statusOf(t, s); len(st.Failed) > 0 {
			t.Errorf("failed: %+v", st.Failed)
		}
		if err := s.Stop(testContext(t)); err != nil {
			t.Error(err)
		}
		if strings.Contains(output.String(), "port") {
			t.Errorf("what ssh tells of its tunnel is shown: %s", output.String())
		}
		if n, want := strings.Count(log.String(), "the program is being sent"), 2*(1-len(sent)/2); n != want {
			t.Errorf("the program was sent %d times, not %d", n, want)
		}
		now := append(one.programs(t), other.programs(t)...)
		if len(now) != 2 || len(now[0].Name()) != 64 || now[0].Mode() != 0o700 {
			t.Fatalf("on the hosts there are %v", now)
		}
		for i := range sent {
			if !os.SameFile(sent[i], now[i]) {
				t.Errorf("%s was written again", now[i].Name())
			}
		}
		sent = now
	}
}

// TestS2SSHDamaged has the file of the program on the host be gone, or another one: it is sent again, before and while there is
// a team.
func TestS2SSHDamaged(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	host := site.serveHere("one", "")
	rdb := openAt(t, "mem://")
	s := overSSH(t, site, rdb, sleigh.Options{}, "one")
	wantAll(t, s, 10)
	file := filepath.Join(host.home, ".cache", "netspaces", host.programs(t)[0].Name())
	whole := host.programs(t)[0].Size()

	other := func() error {
		return errors.Join(os.Remove(file), os.WriteFile(file, []byte("#!/bin/sh\ntouch ~/begun\n"), 0o700))
	}

	// The worker that is killed finds it so when it is replaced.
	for _, damage := range []func() error{func() error { return os.Remove(file) }, other} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		kill(t, pidAt(t, s, 0), syscall.SIGKILL)
		wantAll(t, s, 10)
		eventually(t, "the program is there again", func() bool {
			all := host.programs(t)
			return len(all) == 1 && all[0].Size() == whole
		})
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}

	if err := other(); err != nil {
		t.Fatal(err)
	}
	wantAll(t, overSSH(t, site, rdb, sleigh.Options{}, "one"), 10)
	if all := host.programs(t); len(all) != 1 || all[0].Size() != whole {
		t.Errorf("on the host there are %v", all)
	}
	if _, err := os.Stat(filepath.Join(host.home, "begun")); !os.IsNotExist(err) {
		t.Errorf("another program was run: %v", err)
	}
}

// TestS2SSHKilled kills a worker on its host during a job, then its connection: it is replaced under its rank, and nothing
// of it is left there.
func TestS2SSHKilled(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.serveHere("one", "")
	s := overSSH(t, site, open(t, "mem://"), sleigh.Options{}, "one")
	ended := make(chan error, 1)
	go func() {
		got, err := wait.EachElem(testContext(t), s, upTo(3), nil)
		if !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("got %v", got)
		}
		ended <- err
	}()
	first := fetch[visit](t, s.User(), "begun")
	kill(t, first.PID, syscall.SIGKILL)
	second := fetch[visit](t, s.User(), "begun")
	if second.Element != first.Element || second.Rank != first.Rank || second.PID == first.PID {
		t.Errorf("after %+v comes %+v", first, second)
	}
	for _, p := range processes(t) {
		if p.parent == os.Getpid() && slices.Contains(p.args, site.config) {
			kill(t, p.pid, syscall.SIGKILL)
		}
	}
	third := fetch[visit](t, s.User(), "begun")
	if third.Element != first.Element || third.PID == second.PID {
		t.Errorf("after %+v comes %+v", second, third)
	}
	eventually(t, "the worker without a connection ends", func() bool { return !alive(t, second.PID) })
	openGate(t, s.User())
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestS13SSHMasterDies kills the master: neither its workers nor what reaches them stay.
func TestS13SSHMasterDies(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.serveHere("one", "")
	rdb := openAt(t, "local://")
	master := play(t, "master", sshEnv+"="+site.config)
	master.say(rdb.URL())
	name := master.hear()
	user, err := workspace.Use(t.Context(), rdb, name+"/user", false)
	if err != nil {
		t.Fatal(err)
	}
	defer user.Close()
	for range 2 {
		fetch[visit](t, user, "begun")
	}
	if n := len(workersOf(t, name)); n < 2 {
		t.Errorf("there are %d workers", n)
	}
	kill(t, master.cmd.Process.Pid, syscall.SIGKILL)
	_ = master.cmd.Wait()
	eventually(t, "the workers end by themselves", func() bool { return len(workersOf(t, name)) == 0 })
	eventually(t, "the connections end", func() bool {
		return !slices.ContainsFunc(processes(t), func(p process) bool { return slices.Contains(p.args, site.config) })
	})
}

// TestS2SSHDeath has an element kill its worker three times: the error knows the signal, the host and the last words.
func TestS2SSHDeath(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.serveHere("one", "")
	s := overSSH(t, site, openAt(t, "mem://"), sleigh.Options{}, "one")
	_, err := die.EachElem(testContext(t), s, among(1, fatal{Element: 0, Times: -1}), nil)
	e, ok := errors.AsType[*sleigh.TaskError](err)
	if !ok || len(e.Deaths) != 3 || e.Deaths[2].Cause != "signal: killed" {
		t.Errorf("got %+v", err)
	}
}

// TestS2SSHSomeFail has one host of four that works: its worker does all, and of the others it is told what is wrong.
func TestS2SSHSomeFail(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.serveHere("good", "")
	// It has another processor.
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "uname"), []byte("#!/bin/sh\necho Linux vax\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	site.serveHere("old", "PATH="+bin+":/usr/local/bin:/usr/bin:/bin")
	site.know("nobody", "127.0.0.1", redistest.FreePort(t))
	address := strings.Split(site.hosts["good"].log.String(), "port ")[1]
	var port int
	if _, err := fmt.Sscan(strings.TrimSuffix(strings.Fields(address)[0], "."), &port); err != nil {
		t.Fatal(err)
	}
	site.know("key-unknown", "127.0.0.1", port)

	var log, output lockedBuffer
	s := overSSH(t, site, openAt(t, "mem://"), sleigh.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Output: func(l sleigh.Line) { fmt.Fprint(&output, l) },
	}, "nobody", "good", "key-unknown", "old")
	wantAll(t, s, 100)
	want := map[string]string{"nobody": "Connection refused", "key-unknown": "Permission denied", "old": "old is Linux vax, and this program is for linux/"}
	eventually(t, "the status has all failures, each more than once", func() bool {
		failed := statusOf(t, s).Failed
		for _, f := range failed {
			if text := want[f.Host]; text == "" || !strings.Contains(f.Cause+f.Stderr, text) || f.Rank < 0 || f.At.IsZero() {
				t.Fatalf("got %+v", f)
			}
		}
		return len(failed) == len(want) && !slices.ContainsFunc(failed, func(f sleigh.LaunchFailure) bool { return f.Attempts < 2 })
	})
	for host, text := range want {
		if !strings.Contains(log.String(), "host="+host) || !strings.Contains(log.String(), text) {
			t.Errorf("the log does not tell of %s: %s", host, log.String())
		}
	}
	if said := output.String(); !strings.Contains(said, "worker 0 (nobody): ") || !strings.Contains(said, "worker 2 (key-unknown): ") {
		t.Errorf("the output is: %s", said)
	}
}

// TestS2SSHAllFail has no host that works: calls say so, with what ssh said of each.
func TestS2SSHAllFail(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.know("nobody", "127.0.0.1", redistest.FreePort(t))
	site.know("nothing", "127.0.0.1", redistest.FreePort(t))
	s := overSSH(t, site, openAt(t, "mem://"), sleigh.Options{Output: func(sleigh.Line) {}}, "nobody", "nothing", "nobody")
	_, err := square.EachElem(testContext(t), s, upTo(3), nil)
	e, ok := errors.AsType[*sleigh.LaunchError](err)
	if !ok || len(e.Failures) != 3 || strings.Count(err.Error(), "\nnobody: ") != 1 || strings.Count(err.Error(), "\nnothing: ") != 1 ||
		!strings.Contains(err.Error(), "Connection refused") {
		t.Errorf("got %v", err)
	}
	if again := s.Await(testContext(t), 1); !errors.As(again, &e) {
		t.Errorf("Await returns %v", again)
	}
}

// TestS2SSHProgram has the program on the host already, or not.
func TestS2SSHProgram(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	host := site.serveHere("one", "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(host.home, "the program")); err != nil {
		t.Fatal(err)
	}
	rdb := openAt(t, "mem://")
	args := []string{"-F", site.config}
	s := start(t, rdb, &sleigh.Options{Launch: sleigh.SSH([]string{"one"}, &sleigh.SSHOptions{Args: args, Program: "~/the program"})})
	wantAll(t, s, 10)
	if all := host.programs(t); len(all) > 0 {
		t.Errorf("sent: %v", all)
	}
	s = start(t, rdb, &sleigh.Options{
		Launch: sleigh.SSH([]string{"one"}, &sleigh.SSHOptions{Args: args, Program: "/no/such"}), Output: func(sleigh.Line) {},
	})
	if _, err := square.EachElem(testContext(t), s, upTo(3), nil); err == nil || !strings.Contains(err.Error(), "one: the program is not there\n    netspaces: there is no program /no/such") {
		t.Errorf("got %v", err)
	}
}

// TestS2SSHNoTunnel has a host that allows none.
func TestS2SSHNoTunnel(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.serveHere("one", "", "AllowTcpForwarding no")
	s := overSSH(t, site, openAt(t, "mem://"), sleigh.Options{Output: func(sleigh.Line) {}}, "one")
	if _, err := square.EachElem(testContext(t), s, upTo(3), nil); err == nil || !strings.Contains(err.Error(), "does not allow a tunnel") {
		t.Errorf("got %v", err)
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	// ssh was ended while the host may still have been looking at the program.
	eventually(t, "the host's processes end", func() bool { return len(workersOf(t, s.Name())) == 0 })
}

// TestS2SSHEncrypted has a Redis with TLS at the other end of a tunnel, whose certificate does not name that.
func TestS2SSHEncrypted(t *testing.T) {
	t.Parallel()
	needRedisServer(t)
	site := newSite(t)
	site.serveHere("one", "")
	server := redistest.StartTLS(t)
	address := strings.Replace(server.URL(), "127.0.0.1", "localhost", 1) + "?ca=" + url.QueryEscape(server.CAFile)
	wantAll(t, overSSH(t, site, openAt(t, address), sleigh.Options{}, "one"), 10)
}

// TestS2SSHWrong looks for what Start should refuse.
func TestS2SSHWrong(t *testing.T) {
	t.Parallel()
	rdb := openAt(t, "mem://")
	for name, hosts := range map[string][]string{"none": nil, "empty": {"a", ""}, "an option": {"-oProxyCommand=touch here"}} {
		if _, err := sleigh.Start(testContext(t), rdb, &sleigh.Options{Launch: sleigh.SSH(hosts, nil)}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	wantNoKeys(t, rdb, "sleigh")
}

// TestS2SSHSlow stops while ssh is still connecting, to somebody who does not answer.
func TestS2SSHSlow(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	silent, err := listenSilently(t)
	if err != nil {
		t.Fatal(err)
	}
	site.know("silent", "127.0.0.1", silent.port)
	s := overSSH(t, site, openAt(t, "mem://"), sleigh.Options{}, "silent")
	<-silent.called
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Await(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 of 1 workers") {
		t.Errorf("Await returns %v", err)
	}
	if err := s.Stop(testContext(t)); err != nil {
		t.Error(err)
	}
	if left := slices.DeleteFunc(processes(t), func(p process) bool { return !slices.Contains(p.args, site.config) }); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestS2SSHMany tells how long it takes until many workers on one host have joined, whose sshd refuses some connections
// when there are more than ten at a time that are being made.
func TestS2SSHMany(t *testing.T) {
	site := newSite(t)
	site.serveHere("one", "")
	rdb := openAt(t, "mem://")
	n := 20
	if brief() {
		n = 14
	}
	for _, what := range []string{"program sent", "program there"} {
		var log lockedBuffer
		began := time.Now()
		s := overSSH(t, site, rdb, sleigh.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, slices.Repeat([]string{"one"}, n)...)
		if err := s.Await(testContext(t), 1); err != nil {
			t.Fatal(err)
		}
		first := time.Since(began)
		if err := s.Await(testContext(t), n); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: the first of %d workers over ssh after %.2f s, the last after %.2f s", what, n, first.Seconds(), time.Since(began).Seconds())
		if strings.Contains(log.String(), "could not be launched") {
			t.Errorf("some launches failed at first: %s", log.String())
		}
		if err := s.Stop(testContext(t)); err != nil {
			t.Error(err)
		}
	}
}
