//go:build unix

package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// sequential is what the program prints, computed without workers.
func sequential(points int, seed uint64) string {
	var sum tally
	for i := range (points + batch - 1) / batch {
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], seed)
		binary.LittleEndian.PutUint64(key[8:], uint64(i))
		random := rand.New(rand.NewChaCha8(key))
		for range min(batch, points-i*batch) {
			x, y := random.Float64(), random.Float64()
			sum.Points++
			if x*x+y*y < 1 {
				sum.Hits++
			}
		}
	}
	return fmt.Sprintf("%v\n%d of %d points are in the circle (seed %d)\n", sum, sum.Hits, sum.Points, seed)
}

// The digits depend on the seed, and on nothing else.
func TestSameDigits(t *testing.T) {
	want := sequential(2_500_000, 3)
	programtest.OnBoth(t, func(t *testing.T, url string) {
		for _, how := range [][]string{{"--workers=1"}, {"--workers=3", "--chunk=1"}, {"--workers=2", "--chunk=4"}} {
			args := append([]string{"--redis", url, "--points=2500000", "--seed=3"}, how...)
			programtest.Start(t, args...).Prints(want)
		}
	})
	if sequential(2_500_000, 4) == want {
		t.Error("another seed gives the same")
	}
}

var underWay = regexp.MustCompile(`pi = \d\.\d+ ± \d\.\d+ after \d+\.\d %\r`)

func TestWorkerKilled(t *testing.T) {
	want := sequential(40*batch, 1)
	programtest.OnBoth(t, func(t *testing.T, url string) {
		programtest.KillWorker(t, want, underWay, "--redis", url, "--workers=2", "--points=40000000")
	})
}

// Workers that are started by hand do as well, and leave with the master.
func TestTeam(t *testing.T) {
	url, rdb := programtest.RedisServer(t)
	master := programtest.Start(t, "--redis", url, "--team=demo", "--workers=2", "--points=3000000")
	t.Setenv("REDIS_URL", url)
	t.Setenv("NETSPACES_TEAM", "demo")
	workers := []*programtest.Run{programtest.Start(t), programtest.Start(t)}
	master.Prints(sequential(3*batch, 1))
	for _, w := range workers {
		if !strings.Contains(w.Stderr.Text(), "msg=joined") { // one did it all, and the other one still waits for the team
			w.Signal(syscall.SIGTERM)
		}
		w.Prints("")
	}
	programtest.CheckNoKeys(t, rdb)
}

func TestCtrlC(t *testing.T) {
	url, rdb := programtest.RedisServer(t)
	r := programtest.Start(t, "--redis", url, "--points=1000000000000000")
	pids := r.UnderWay(underWay.MatchString)
	r.CtrlC()
	if code := r.Wait(); code != program.ExitSignal+int(syscall.SIGINT) || r.Stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q", code, r.Stdout.String())
	}
	if text := r.Stderr.Text(); !regexp.MustCompile("\x1b\\[2K\rmontecarlo: stopped by signal: interrupt\r\n$").MatchString(text) {
		t.Errorf("the terminal has\n%q", text)
	}
	programtest.AwaitEnd(t, pids)
	programtest.CheckNoKeys(t, rdb)
}

func TestWrongUsage(t *testing.T) {
	for why, args := range map[string][]string{
		"--points 0: ":     {"--points=0"},
		"--points -1: ":    {"--points=-1"},
		"--workers 0: ":    {"--workers=0"},
		"--chunk -1: ":     {"--chunk=-1"},
		`"many"`:           {"--points=many"},
		`"-1"`:             {"--seed=-1"},
		`argument "extra"`: {"extra"},
		"redis://":         {"--redis=http://a/"},
	} {
		programtest.Fails(t, program.ExitUsage, why, args...)
	}
	programtest.Fails(t, program.ExitNoRedis, "/none.sock", "--redis=unix:///none.sock")
	if code := programtest.Start(t, "--help").Wait(); code != 0 {
		t.Errorf("--help: exit code %d", code)
	}
}

// The points are what the chunks add up to, and the digits are as many as the error has a say in.
func TestParts(t *testing.T) {
	for points, want := range map[int][]int{
		1: {1}, batch - 1: {batch - 1}, batch: {batch}, batch + 1: {batch, 1}, 3 * batch: {batch, batch, batch},
	} {
		if got := slices.Collect(batches(points)); !slices.Equal(got, want) {
			t.Errorf("%d points: %d", points, got)
		}
	}
	for want, sum := range map[string]tally{
		"pi = 4.0 ± 1.9":                     {Points: 1, Hits: 1},
		"pi = 0.0 ± 1.9":                     {Points: 1, Hits: 0},
		"pi = 3.140 ± 0.052":                 {Points: 1000, Hits: 785},
		"pi = 3.14159 ± 0.00016":             {Points: 100_000_000, Hits: 78_539_816},
		"pi = 3.99999999960 ± 0.00000000057": {Points: 10_000_000_000, Hits: 9_999_999_999},
	} {
		if got := sum.String(); got != want {
			t.Errorf("%+v: %q, want %q", sum, got, want)
		}
	}
}
