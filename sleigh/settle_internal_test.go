package sleigh

import (
	"fmt"
	"strings"
	"testing"
)

// A visit claims no more than a claim of the largest size has, for all slots together. Where there is more, nobody is to wait.
func TestSettleLeavesTasks(t *testing.T) {
	t.Parallel()
	own := embeddedWorkspace(t)
	for i := range 1500 {
		if err := own.Store(t.Context(), taskVar, i); err != nil {
			t.Fatal(err)
		}
	}
	waiter := fmt.Sprint(own.Client(), ":1=1000")
	visit := func(slots string, sharers int) (claims, values int, state string) {
		t.Helper()
		word, texts, err := own.Do(t.Context(), settleScript, []string{taskVar, taskVar},
			taskVar, "", slots, sharers, 60000, "", 0, waiter, 0, "[]")
		if err != nil {
			t.Fatal(err)
		}
		made, rest, err := own.MadeClaims(taskVar, word, texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range made {
			values += len(c.Values)
		}
		return len(made), values, rest[1]
	}
	if claims, values, state := visit(strings.Repeat("100 ", 12), 1); claims != 10 || values != 1000 || state != "" {
		t.Errorf("%d claims of %d tasks, %q", claims, values, state)
	}
	if claims, values, state := visit(strings.Repeat("100 ", 6), 1); claims != 5 || values != 500 || state != "WAITS" {
		t.Errorf("%d claims of %d tasks, %q", claims, values, state)
	}
	if claims, _, state := visit("1 ", 0); claims != 0 || state != "WAITS" {
		t.Errorf("where nothing is: %d claims, %q", claims, state)
	}
}
