//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/redisx/redistest"
	"github.com/netspaces/netspaces/sleigh"
)

var speak = sleigh.Register("sleigh_test.speak", func(ctx context.Context, text string) (struct{}, error) {
	fmt.Println("said", text)
	fmt.Fprintln(os.Stderr, "whispered", text)
	sleigh.Log(ctx).Warn("wrote", "text", text)
	return struct{}{}, nil
})

// What the functions of any program print is there for a while, and can be followed.
func TestLogs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, err := redisx.Open(t.Context(), server.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Join(t.Context(), rdb, "farm", &sleigh.Options{Launch: sleigh.Local(1), Output: func(sleigh.Line) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Disband(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	say := func(text string) {
		t.Helper()
		if _, err := speak.EachElem(t.Context(), s, slices.Values([]string{text}), nil); err != nil {
			t.Fatal(err)
		}
	}
	say("once")
	var logs *program
	soon(t, "all is there", func() bool {
		logs = begin(t, server.URL(), nil, "logs", "farm")
		logs.ends(0)
		return strings.Count(logs.stdout.String(), "\n") == 3
	})
	for _, want := range []string{"said once\n", "whispered once\n", "WARN wrote text=once\n"} {
		if !strings.Contains(logs.stdout.String(), want) {
			t.Errorf("there is no %q in\n%s", want, logs.stdout.String())
		}
	}
	logs = begin(t, server.URL(), nil, "logs", "--json")
	logs.ends(0)
	if text := logs.stdout.String(); strings.Count(text, `"worker":0`) != 3 || !strings.Contains(text, `"stream":"stdout"`) {
		t.Errorf("as JSON it is\n%s", text)
	}

	x := onTerminal(t, 80, atServer(server), "logs", "--follow")
	x.AwaitRaw("said once")
	say("twice")
	x.AwaitRaw("said twice")
	x.Type("\x03")
	x.Ends(130)
	if said := strings.Count(x.Raw(), "said twice"); said != 1 {
		t.Errorf("it came %d times", said)
	}
}

// Teams of other programs are looked into, and their workers told to leave.
func TestStatusOfAnyProgram(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, err := redisx.Open(t.Context(), server.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	s, err := sleigh.Start(t.Context(), rdb, &sleigh.Options{Name: "mine", Launch: sleigh.Local(2)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Await(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	status := begin(t, server.URL(), nil, "status")
	status.ends(0)
	if text := status.stdout.String(); !strings.HasPrefix(text, "Team mine: 2 workers, no jobs\n") {
		t.Errorf("the status is\n%s", text)
	}
	begin(t, server.URL(), nil, "drain", "1").ends(0)
	soon(t, "worker 1 leaves", func() bool {
		status := begin(t, server.URL(), nil, "status", "--json")
		status.ends(0)
		return strings.Count(status.stdout.String(), `"state"`) == 1
	})
	run := begin(t, server.URL(), nil, "each", "--team", "mine", "--", "true", ":::", "1")
	run.ends(1)
	if !strings.Contains(run.log(), "ends with its master") {
		t.Errorf("it says\n%s", run.log())
	}
}
