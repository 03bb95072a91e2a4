package each_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
)

func TestItems(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		items iter.Seq2[string, error]
		want  []string
		bad   string
	}{
		"some":      {each.Items("a", "", "b"), []string{"a", "", "b"}, ""},
		"lines":     {each.Lines(strings.NewReader("a\n\nb c\r\n\xff\x00\n")), []string{"a", "", "b c\r", "\xff\x00"}, ""},
		"last":      {each.Lines(strings.NewReader("a\nb")), []string{"a", "b"}, ""},
		"nothing":   {each.Lines(strings.NewReader("")), nil, ""},
		"newline":   {each.Lines(strings.NewReader("\n")), []string{""}, ""},
		"records":   {each.Records(strings.NewReader("a\nb\x00\x00c")), []string{"a\nb", "", "c"}, ""},
		"long":      {each.Lines(strings.NewReader(long + "\n" + long)), []string{long, long}, ""},
		"slow":      {each.Lines(iotest.OneByteReader(strings.NewReader("ab\nc\n"))), []string{"ab", "c"}, ""},
		"broken":    {each.Lines(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errors.New("disk")))), []string{"a"}, "item 2: disk"},
		"most":      {each.Lines(strings.NewReader(strings.Repeat("y", each.MaxItem) + "\n")), []string{strings.Repeat("y", each.MaxItem)}, ""},
		"too long":  {each.Lines(strings.NewReader("a\n" + strings.Repeat("y", each.MaxItem+1))), []string{"a"}, "item 2: it is longer than 8388608 bytes"},
		"too long2": {each.Records(strings.NewReader(strings.Repeat("y", each.MaxItem+1) + "\x00")), nil, "item 1: it is longer"},
	} {
		var got []string
		var failed error
		for item, err := range c.items {
			if err != nil {
				failed = err
				continue
			}
			got = append(got, item)
		}
		if !slices.Equal(got, c.want) || (failed == nil) != (c.bad == "") || failed != nil && !strings.Contains(failed.Error(), c.bad) {
			t.Errorf("%s: %.80q, %v", name, got, failed)
		}
	}
}

// A sequence that fails ends with its error, when what came before is done.
func TestItemsFail(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	broken := errors.New("broken")
	for name, items := range map[string]iter.Seq2[string, error]{
		"error": func(yield func(string, error) bool) {
			_ = yield("a", nil) && yield("b", nil) && yield("", broken) && yield("c", nil)
		},
		"panic": func(yield func(string, error) bool) {
			_ = yield("a", nil) && yield("b", nil)
			panic(broken)
		},
	} {
		var out strings.Builder
		sum, err := each.Run(testContext(t), s, items, each.Command{Args: []string{"echo"}}, &each.Options{Stdout: &out, KeepOrder: true})
		if err == nil || !strings.Contains(err.Error(), "broken") || out.String() != "a\nb\n" || sum.Done != 2 {
			t.Errorf("%s: %q, %+v, %v", name, &out, sum, err)
		}
	}
}

// Items are read as they are wanted, and a source that waits does not keep a run from ending.
func TestItemsAreReadAsNeeded(t *testing.T) {
	s := start(t, sleigh.InProcess(2))
	given := 0
	endless := func(yield func(string, error) bool) {
		for yield("1", nil) {
			given++
		}
	}
	halt, err := each.ParseHalt("soon,fail=20")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := each.Run(testContext(t), s, endless, sh("exit 1"), &each.Options{Halt: halt})
	if err != nil || !sum.Halted || sum.Done < 20 || given > 5000 {
		t.Errorf("%d given, %+v, %v", given, sum, err)
	}

	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = io.WriteString(w, "a\n") }()
	sum, err = each.Run(ctx, s, each.Lines(r), each.Command{Args: []string{"echo"}}, &each.Options{
		OnResult: func(each.Result) error { cancel(); return nil },
	})
	if !errors.Is(err, context.Canceled) || sum.Done != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}
