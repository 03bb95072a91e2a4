package sleigh_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
)

// playTalkMaster is a master that does not say what is to be done with lines. It has a worker talk as its environment says.
func playTalkMaster() int {
	ctx := context.Background()
	rdb, err := redisx.Open(ctx, os.Getenv("REDIS_URL"), nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer rdb.Close()
	s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(1)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_, err = talk.EachElem(ctx, s, slices.Values([]string{os.Getenv(talkEnv)}), nil)
	fmt.Println("the job has ended:", err)
	if err := s.Stop(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

const talkEnv = "SLEIGH_TEST_TALK"

var talk = sleigh.Register("talk", func(ctx context.Context, how string) (int, error) {
	switch how {
	case "print":
		fmt.Println("printed,\nand once more")
		sleigh.Log(ctx).Warn("logged,\nand once more", "x", 1)
		sleigh.Log(ctx).Debug("too fine")
		fmt.Fprintln(os.Stderr, "to stderr")
	case "fatal":
		log.Fatal("last words")
	case "exit":
		fmt.Print("half a line")
		fmt.Fprint(os.Stderr, "last ")
		fmt.Fprint(os.Stderr, "words")
		os.Exit(1)
	case "panic":
		go panic("last words")
		<-ctx.Done()
	}
	return 0, nil
})

// talkOf runs a master, and returns what it prints.
func talkOf(t *testing.T, how string) (stdout, stderr string) {
	t.Helper()
	master := exec.CommandContext(testContext(t), os.Args[0])
	master.Env = append(os.Environ(), roleEnv+"=talk master", talkEnv+"="+how, "REDIS_URL="+open(t, "local://").URL())
	var out, err bytes.Buffer
	master.Stdout, master.Stderr = &out, &err
	if err := master.Run(); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
	return out.String(), err.String()
}

// TestS14Default looks at what a master prints where nobody says what is to be done with lines.
func TestS14Default(t *testing.T) {
	t.Parallel()
	if out, stderr := talkOf(t, "not at all"); out != "the job has ended: <nil>\n" || stderr != "" {
		t.Errorf("printed is %q, %q", out, stderr)
	}
	host, _ := os.Hostname()
	who := "worker 0 (" + host + "): "
	want := []string{
		who + "printed,", who + "and once more", who + "WARN logged,", who + "WARN and once more x=1", "",
	}
	out, stderr := talkOf(t, "print")
	rest := strings.Replace(stderr, who+"to stderr\n", "", 1) // which comes by itself
	if out != "the job has ended: <nil>\n" || rest != strings.Join(want, "\n") || rest == stderr {
		t.Errorf("printed is %q, %q", out, stderr)
	}
}

// TestS14LastWords looks for what a worker says of why it ends.
func TestS14LastWords(t *testing.T) {
	t.Parallel()
	host, _ := os.Hostname()
	said := regexp.MustCompile(`(?m)^worker 0 \(` + regexp.QuoteMeta(host) + `\): (panic: |[\d/]+ [\d:]+ |)last words$`)
	for _, how := range []string{"fatal", "exit", "panic"} {
		out, stderr := talkOf(t, how)
		if !strings.Contains(out, "3 workers died") {
			t.Errorf("%s: printed is %q", how, out)
		}
		if n := len(said.FindAllString(stderr, -1)); n != 3 {
			t.Errorf("%s: it says so %d times: %s", how, n, stderr)
		}
	}
}
