package sleigh

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// TestExchangeDeleted has a variable deleted while there are news of a slot that wait for the next request: it is not forgotten
// which variable it was, so that this request does not wait for another one of its name, and the slot is answered.
func TestExchangeDeleted(t *testing.T) {
	t.Parallel()
	own := embeddedWorkspace(t)
	x := newExchange(own, taskVar, taskVar, time.Minute, slog.New(slog.DiscardHandler))
	x.one, x.born, x.isOver = true, "1", func(error) bool { return true }
	for range 2 {
		if _, err := x.send(&errand{slots: []*slot{newSlot()}}); !errors.Is(err, workspace.ErrVarDeleted) {
			t.Fatalf("a request returns %v", err)
		}
	}

	x.start()
	defer x.close()
	first, second := newSlot(), newSlot()
	for _, s := range []*slot{first, second} {
		x.add(&news{claim: "2", slot: s})
		select { // another goroutine may tell the news
		case c := <-s.given:
			if c != nil {
				t.Errorf("a slot is given %v", c)
			}
		case <-time.After(time.Minute):
			t.Fatal("a slot waits for ever")
		}
	}
	if _, err := x.next(t.Context(), t.Context(), first); !errors.Is(err, workspace.ErrVarDeleted) {
		t.Errorf("it is over by %v", err)
	}
}
