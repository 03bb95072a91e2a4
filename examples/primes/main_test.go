package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// runIn runs the command in this process.
func runIn(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestSummary(t *testing.T) {
	for limit, want := range map[int]string{
		0:       "0 primes below 0",
		2:       "0 primes below 2",
		3:       "1 prime below 3: 2",
		4:       "2 primes below 4: 2 3",
		10:      "4 primes below 10: 2 3 5 7",
		17:      "6 primes below 17: 2 3 5 7 11 13",
		18:      "7 primes below 18: 2 3 5 … 11 13 17",
		2000000: "148933 primes below 2000000: 2 3 5 … 1999969 1999979 1999993",
	} {
		if got := summary(sieve(limit), limit); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Few primes go the same way through workers as many do.
func TestSmallLimits(t *testing.T) {
	for limit, want := range map[int]string{
		0:  `{"count":0,"first":[],"last":[],"limit":0,"chunk":2,"workers":1,"tasks":0,`,
		3:  `{"count":1,"first":[2],"last":[2],"limit":3,"chunk":2,"workers":1,"tasks":0,`,
		4:  `{"count":2,"first":[2,3],"last":[2,3],"limit":4,"chunk":2,"workers":1,"tasks":1,`,
		10: `{"count":4,"first":[2,3,5],"last":[3,5,7],"limit":10,"chunk":2,"workers":1,"tasks":4,`,
	} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			code, out, errs := runIn(t.Context(), "--json", "--workers=1", "--chunk=2", fmt.Sprintf("--limit=%d", limit))
			if code != 0 || !strings.HasPrefix(out, want) {
				t.Errorf("exit code %d, got %swant %s…\n%s", code, out, want, errs)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	code, out, errs := runIn(t.Context(), "--json", "--limit=100000", "--workers=2")
	want := `{"count":9592,"first":[2,3,5],"last":[99971,99989,99991],"limit":100000,"chunk":10000,` +
		`"workers":2,"tasks":10,"seconds":T,"redis":"embedded"}` + "\n"
	got := regexp.MustCompile(`"seconds":[0-9.]+`).ReplaceAllString(out, `"seconds":T`)
	if code != 0 || got != want || !json.Valid([]byte(out)) {
		t.Errorf("exit code %d, got  %swant %s%s", code, got, want, errs)
	}
	if strings.Contains(errs, "\r") {
		t.Errorf("a bar on what is no terminal: %q", errs)
	}
}

func TestHelp(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://:secret@localhost")
	code, out, errs := runIn(t.Context(), "--help")
	if code != 0 || errs != "" {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	examples, flags := strings.Index(out, "Examples:"), strings.Index(out, "--limit number")
	if examples < 0 || flags < examples || !strings.Contains(out, "(default 2000000)") {
		t.Errorf("want examples before flags:\n%s", out)
	}
	if strings.Contains(out, "secret") {
		t.Errorf("the help shows the password:\n%s", out)
	}
}

func TestWrongUsage(t *testing.T) {
	for args, want := range map[string]string{
		"--chunk 3":             "--chunk 3: ",
		"--chunk 0":             "--chunk 0: ",
		"--chunk -2":            "--chunk -2: ",
		"--chunk 1":             "--chunk 1: ",
		"--limit -1":            "--limit -1: ",
		"--limit many":          `"many"`,
		"--limit 1.5":           `"1.5"`,
		"--limit":               "--limit",
		"--workers 0":           "--workers 0: ",
		"--workers -1":          "--workers -1: ",
		"--frobnicate":          "--frobnicate",
		"-x":                    "-x",
		"1000":                  `"1000"`,
		"--redis http://a/":     "redis://",
		"--redis redis://a/one": "redis://",
	} {
		t.Run(args, func(t *testing.T) {
			code, out, errs := runIn(t.Context(), strings.Fields(args)...)
			if code != program.ExitUsage || out != "" || !strings.HasPrefix(errs, "primes: ") || !strings.Contains(errs, want) {
				t.Errorf("exit code %d, stdout %q, stderr %q, want one with %q", code, out, errs, want)
			}
		})
	}
}

// A flag says more than the environment does, also with an empty address.
func TestFlagBeforeEnvironment(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://from.environment")
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "redis://from.environment"},
		{[]string{"--redis=mem://"}, "mem://"},
		{[]string{"--redis="}, ""},
	} {
		if c, _, err := parse(test.args); err != nil || c.redis != test.want {
			t.Errorf("%q: got %q, %v, want %q", test.args, c.redis, err, test.want)
		}
	}
}

func TestStoppedBeforeStart(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(program.SignalError{Signal: sig})
		if code, out, errs := runIn(ctx); code != want || out != "" ||
			!strings.HasPrefix(errs, "primes: stopped by signal: ") {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q, want code %d", sig, code, out, errs, want)
		}
	}
}

// What can't be written is an error, though the primes are there.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	defer full.Close()
	var errs bytes.Buffer
	if code := Run(t.Context(), []string{"--limit=100", "--workers=1"}, full, &errs); code != program.ExitError || errs.Len() == 0 {
		t.Errorf("exit code %d, stderr %q", code, errs.String())
	}
}
