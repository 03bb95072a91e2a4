//go:build unix

package main

import (
	"context"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/examples/internal/programtest"
	"github.com/netspaces/netspaces/sleigh"
)

// endless is work that no machine gets done while a test runs.
var endless = []string{"--limit=1000000000000", "--workers=2"}

const (
	line5 = "9592 primes below 100000: 2 3 5 … 99971 99989 99991\n"
	line6 = "78498 primes below 1000000: 2 3 5 … 999961 999979 999983\n"
)

var count = regexp.MustCompile(`\((\d+)/(\d+),`)

// underWay waits until some chunks are done, and returns the workers.
func underWay(r *programtest.Run) []int {
	return r.UnderWay(func(text string) bool {
		shown := count.FindAllStringSubmatch(text, -1)
		return len(shown) > 0 && shown[len(shown)-1][1] != "0"
	})
}

// checkStopped checks how a program ends that was stopped in the middle of its work.
func checkStopped(t *testing.T, r *programtest.Run, want int, pids []int) {
	t.Helper()
	if code := r.Wait(); code != want || r.Stdout.Len() > 0 {
		t.Errorf("exit code %d, want %d; stdout %q", code, want, r.Stdout.String())
	}
	// The last line stands where the bar was.
	if text := r.Stderr.Text(); !regexp.MustCompile("\x1b\\[2K\rprimes: stopped by signal: [a-z]+\r\n$").MatchString(text) {
		t.Errorf("the terminal has\n%q", text)
	}
	programtest.AwaitEnd(t, pids)
}

func TestProgram(t *testing.T) {
	programtest.OnBoth(t, func(t *testing.T, url string) {
		programtest.Start(t, "--redis", url, "--limit=100000").Prints(line5)
		programtest.Start(t, "--redis", url, "--limit=1000000", "--chunk=1000").Prints(line6)
	})
}

// The workers end with the program, and so does what it has on a shared Redis.
func TestNothingIsLeft(t *testing.T) {
	url, rdb := programtest.RedisServer(t)
	r := programtest.Start(t, "--redis", url, "--limit=1000000", "--chunk=10")
	pids := underWay(r)
	r.Prints(line6)
	programtest.AwaitEnd(t, pids)
	programtest.CheckNoKeys(t, rdb)
}

// Programs on one Redis do not disturb each other.
func TestTwoMasters(t *testing.T) {
	url, rdb := programtest.RedisServer(t)
	a := programtest.Start(t, "--redis", url, "--limit=1000000", "--chunk=500")
	b := programtest.Start(t, "--redis", url, "--limit=100000", "--chunk=20")
	a.Prints(line6)
	b.Prints(line5)
	programtest.CheckNoKeys(t, rdb)
}

// A worker killed while chunks are missing costs time, not primes.
func TestWorkerKilled(t *testing.T) {
	programtest.OnBoth(t, func(t *testing.T, url string) {
		r := programtest.Start(t, "--redis", url, "--workers=2", "--limit=1000000", "--chunk=10")
		pids := underWay(r)
		if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed := len(r.Stderr.Text())
		r.Prints(line6)
		// The bar has gone on after the kill, and was not at its end then.
		more := count.FindStringSubmatch(r.Stderr.Text()[killed:])
		if more == nil || more[1] == more[2] {
			t.Errorf("the worker was killed too late: %q", r.Stderr.Text()[killed:])
		}
	})
}

var workerPID = sleigh.Register("primes_test.workerPID", func(context.Context, struct{}) (int, error) {
	return os.Getpid(), nil
})

// The master knows for sure that chunks were missing when it lost a worker.
func TestWorkerKilledByMaster(t *testing.T) {
	programtest.OnBoth(t, func(t *testing.T, url string) {
		p := parameters{Limit: 100000, Chunk: 30}
		s := startSleigh(t, url, sleigh.Local(2))
		pids, err := workerPID.EachWorker(t.Context(), s, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		killed := false
		got, err := primesBelow(t.Context(), s, p, func(done int) {
			if done < p.tasks() && !killed {
				killed = syscall.Kill(pids[1], syscall.SIGKILL) == nil
			}
		})
		if want := sieve(p.Limit); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d primes, %v", len(got), err)
		}
		if !killed {
			t.Error("no worker was killed in time")
		}
	})
}

func TestCtrlC(t *testing.T) {
	programtest.OnBoth(t, func(t *testing.T, url string) {
		r := programtest.Start(t, append(endless, "--redis", url)...)
		pids := underWay(r)
		r.CtrlC()
		checkStopped(t, r, 130, pids)
	})
	t.Run("shared", func(t *testing.T) {
		t.Parallel()
		url, rdb := programtest.RedisServer(t)
		for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			r := programtest.Start(t, append(endless, "--redis", url)...)
			pids := underWay(r)
			r.Signal(sig)
			checkStopped(t, r, code, pids)
			programtest.CheckNoKeys(t, rdb)
		}
	})
}

// Workers that hang can hold up the end, but not after a second Ctrl-C.
func TestSecondCtrlC(t *testing.T) {
	r := programtest.Start(t, endless...)
	pids := underWay(r)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	}
	r.CtrlC()
	r.Stderr.Await(func(text string) bool { return strings.HasSuffix(text, "\x1b[2K\r") })
	r.CtrlC()
	// A stopped process does nothing, not even end.
	programtest.Eventually(t, "the program ends", func() bool {
		return !slices.ContainsFunc(programtest.Processes(t), func(p programtest.Process) bool { return p.PID == r.Cmd.Process.Pid })
	})
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	r.Wait()
	if status := r.Cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v", r.Cmd.ProcessState)
	}
	programtest.AwaitEnd(t, pids)
}

// Workers do not outlive a program that could not tell them to end.
func TestMasterKilled(t *testing.T) {
	programtest.OnBoth(t, func(t *testing.T, url string) {
		r := programtest.Start(t, append(endless, "--redis", url)...)
		pids := underWay(r)
		r.Signal(syscall.SIGKILL)
		if code := r.Wait(); code != 137 {
			t.Errorf("exit code %d", code)
		}
		programtest.AwaitEnd(t, pids)
	})
}

func TestNoRedis(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	t.Run("no server", func(t *testing.T) {
		code, out, errs := runIn(t.Context(), "--redis", "redis://:secret@"+closed)
		checkNoRedis(t, code, out, errs, closed)
	})
	t.Run("wrong password", func(t *testing.T) {
		url, _ := programtest.RedisServer(t, "requirepass right")
		code, out, errs := runIn(t.Context(), "--redis", strings.Replace(url, "unix://", "unix://:secret@", 1))
		checkNoRedis(t, code, out, errs, "password")
	})
	t.Run("no redis-server", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		code, out, errs := runIn(t.Context(), "--redis=local://")
		checkNoRedis(t, code, out, errs, "redis-server")
	})
}

func checkNoRedis(t *testing.T, code int, out, errs, says string) {
	t.Helper()
	if code != program.ExitNoRedis || out != "" || !strings.HasPrefix(errs, "primes: ") || !strings.Contains(errs, says) {
		t.Errorf("exit code %d, stdout %q, stderr %q, want one with %q", code, out, errs, says)
	}
	if strings.Contains(errs, "secret") {
		t.Errorf("the password is shown: %q", errs)
	}
}

// The bar shows what is done, how fast, and how long it will take; nothing of it is left, nor gets into the result.
func TestProgressBar(t *testing.T) {
	t.Run("on its way", func(t *testing.T) {
		r := programtest.Start(t, endless...)
		r.Stderr.Await(regexp.MustCompile(`\rprimes +\d+% \|.*\| \(\d+/100000000, \d+ chunks/s\) \[\d+s:\w+\]`).MatchString)
		r.CtrlC()
		r.Wait()
	})
	t.Run("to the end", func(t *testing.T) {
		r := programtest.Start(t, "--json", "--limit=1000000")
		if code := r.Wait(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if out := r.Stdout.String(); !strings.HasPrefix(out, `{"count":78498,`) || strings.Count(out, "\n") != 1 {
			t.Errorf("stdout %q", out)
		}
		text := r.Stderr.Text()
		if !strings.Contains(text, "\rprimes ") || !strings.HasSuffix(text, "\x1b[2K\r") {
			t.Errorf("no bar, or it is left: %q", text)
		}
	})
}
