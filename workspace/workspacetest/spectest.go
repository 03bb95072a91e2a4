package workspacetest

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/netspaces/netspaces/workspace"
)

// told is a step and when it was: at any time from the first number to the second.
type told struct {
	from, to int64
	step
}

func storing(values ...rune) []told {
	var all []told
	for i, value := range values {
		all = append(all, told{int64(10 * i), int64(10*i + 1),
			step{kind: stored, value: value, call: 1000 + value, last: true}})
	}
	return all
}

// from gives steps one after the other, beginning at a time.
func from(at int64, steps ...step) []told {
	var all []told
	for i, st := range steps {
		all = append(all, told{at + int64(10*i), at + int64(10*i) + 1, st})
	}
	return all
}

func fetching(values ...rune) []step {
	var all []step
	for _, value := range values {
		all = append(all, step{kind: fetched, value: value})
	}
	return append(all, step{kind: empty})
}

func finding(value rune) step { return step{kind: found, value: value} }

// specTests are histories of one variable, which is declared at the time -1 if it has a mode.
var specTests = []struct {
	name string
	mode workspace.Mode
	ok   bool
	told [][]told
}{
	{"fifo", workspace.FIFO, true, [][]told{storing(1, 2, 3), from(100, fetching(1, 2, 3)...)}},
	{"fifo in the wrong order", workspace.FIFO, false, [][]told{storing(1, 2, 3), from(100, fetching(1, 3, 2)...)}},
	{"undeclared is fifo", "", true, [][]told{storing(1, 2), from(100, fetching(1, 2)...)}},
	{"undeclared is not lifo", "", false, [][]told{storing(1, 2), from(100, fetching(2, 1)...)}},
	{"lifo", workspace.LIFO, true, [][]told{storing(1, 2, 3), from(100, fetching(3, 2, 1)...)}},
	{"lifo in the wrong order", workspace.LIFO, false, [][]told{storing(1, 2, 3), from(100, fetching(3, 1, 2)...)}},
	{"multi", workspace.Multi, true, [][]told{storing(1, 2, 3), from(100, fetching(2, 3, 1)...)}},
	{"multi with a value of nobody", workspace.Multi, false, [][]told{storing(1, 2), from(100, fetching(2, 3)...)}},
	{"single", workspace.Single, true, [][]told{storing(1, 2, 3), from(100, fetching(3)...)}},
	{"single with an old value", workspace.Single, false, [][]told{storing(1, 2, 3), from(100, fetching(2)...)}},
	{"single with two values", workspace.Single, false, [][]told{storing(1, 2), from(100, fetching(2, 1)...)}},
	{"lost", workspace.FIFO, false, [][]told{storing(1, 2), from(100, fetching(1)...)}},
	{"doubled", workspace.FIFO, false, [][]told{storing(1), from(100, fetching(1, 1)...)}},
	{"doubled in multi", workspace.Multi, false, [][]told{storing(1, 2), from(100, fetching(2, 1, 2)...)}},
	{"fetched before it was stored", workspace.FIFO, false,
		[][]told{from(-100, step{kind: fetched, value: 1}), storing(1), from(100, step{kind: empty})}},

	{"found", workspace.FIFO, true, [][]told{storing(1, 2), from(100, finding(1), finding(1)), from(200, fetching(1, 2)...)}},
	{"found the wrong one", workspace.FIFO, false,
		[][]told{storing(1, 2), from(100, finding(2)), from(200, fetching(1, 2)...)}},
	{"found after it was fetched", workspace.FIFO, false,
		[][]told{storing(1), from(100, fetching(1)...), from(200, finding(1))}},
	{"found while it was handed on", workspace.FIFO, true,
		[][]told{{{0, 50, finding(1)}, {0, 50, step{kind: fetched, value: 1}}}, from(20, storing(1)[0].step),
			from(60, step{kind: empty})}},
	{"nothing there while something is", workspace.FIFO, false,
		[][]told{storing(1), from(50, step{kind: empty}), from(100, fetching(1)...)}},

	{"stored together", workspace.FIFO, true, [][]told{from(0, step{kind: stored, value: 1, call: 9}),
		from(0, step{kind: stored, value: 2, call: 9, place: 1, last: true}), from(50, fetching(1, 2)...)}},
	{"stored together in the wrong order", workspace.FIFO, false,
		[][]told{{{0, 9, step{kind: stored, value: 1, call: 9}},
			{0, 9, step{kind: stored, value: 2, call: 9, place: 1, last: true}}}, from(50, fetching(2, 1)...)}},

	{"perhaps stored, and not", workspace.FIFO, true, [][]told{{{0, ever, storing(1)[0].step}}, from(50, step{kind: empty})}},
	{"perhaps stored, and seen", workspace.FIFO, true, [][]told{{{0, ever, storing(1)[0].step}}, from(50, fetching(1)...)}},
	{"perhaps stored, and seen twice", workspace.FIFO, false,
		[][]told{{{0, ever, storing(1)[0].step}}, from(50, fetching(1, 1)...)}},
	{"perhaps stored, found, and lost", workspace.FIFO, false,
		[][]told{{{0, ever, storing(1)[0].step}}, from(50, finding(1)), from(60, step{kind: empty})}},
	{"perhaps stored, and only the second", workspace.FIFO, false,
		[][]told{{{0, ever, step{kind: stored, value: 1, call: 9}},
			{0, ever, step{kind: stored, value: 2, call: 9, place: 1, last: true}}}, from(50, fetching(2)...)}},
	{"perhaps fetched", workspace.FIFO, true,
		[][]told{storing(1, 2), {{50, 50, step{kind: mayTake}}}, from(100, fetching(2)...)}},
	{"perhaps fetched, and not", workspace.FIFO, true,
		[][]told{storing(1, 2), {{50, 50, step{kind: mayTake}}}, from(100, fetching(1, 2)...)}},
	{"perhaps fetched, and two are lost", workspace.FIFO, false,
		[][]told{storing(1, 2), {{50, 50, step{kind: mayTake}}}, from(100, fetching()...)}},
	{"perhaps fetched, any of multi", workspace.Multi, true,
		[][]told{storing(1, 2, 3), {{50, 50, step{kind: mayTake}}}, from(100, fetching(3, 1)...)}},

	{"borrowed", workspace.FIFO, true, [][]told{storing(1),
		{{40, 40, step{kind: borrows, call: 7}}, {60, 60, step{kind: returned, call: 7}}}, from(50, step{kind: empty}),
		from(100, fetching(1)...)}},
	{"borrowed and kept", workspace.FIFO, false, [][]told{storing(1),
		{{40, 40, step{kind: borrows, call: 7}}, {60, 60, step{kind: returned, call: 7}}}, from(100, fetching()...)}},
	{"borrowed, back in its place", workspace.FIFO, true,
		[][]told{storing(1, 2), {{40, 40, step{kind: borrows, call: 7}}, {60, 60, step{kind: returned, call: 7}}},
			from(50, finding(2)), from(100, fetching(1, 2)...)}},
	{"borrowed, back in another", workspace.FIFO, false,
		[][]told{storing(1, 2), {{40, 40, step{kind: borrows, call: 7}}, {60, 60, step{kind: returned, call: 7}}},
			from(50, finding(2)), from(100, fetching(2, 1)...)}},
	{"borrowed too late", workspace.FIFO, false, [][]told{storing(1),
		{{60, 60, step{kind: borrows, call: 7}}, {70, 70, step{kind: returned, call: 7}}}, from(50, step{kind: empty}),
		from(100, fetching(1)...)}},
	{"borrowed and overwritten", workspace.Single, true,
		[][]told{storing(1), {{5, 5, step{kind: borrows, call: 7}}, {60, 60, step{kind: returned, call: 7}}},
			from(20, step{kind: empty}, step{kind: stored, value: 2, call: 8, last: true}), from(100, fetching(2)...)}},
	{"borrowed, overwritten and back", workspace.Single, false,
		[][]told{storing(1), {{5, 5, step{kind: borrows, call: 7}}, {60, 60, step{kind: returned, call: 7}}},
			from(20, step{kind: empty}, step{kind: stored, value: 2, call: 8, last: true}), from(100, fetching(2, 1)...)}},

	{"deleted", "", true,
		[][]told{storing(1), from(50, step{kind: deleted}, step{kind: noVar}, step{kind: empty}, step{kind: deleted})}},
	{"deleted and still there", "", false, [][]told{storing(1), from(50, step{kind: deleted}), from(100, fetching(1)...)}},
	{"deleted, and nothing was there", "", false, [][]told{from(50, step{kind: deleted})}},
	{"deleted, and something was there", "", false, [][]told{storing(1), from(50, step{kind: noVar})}},
	{"deleted under a waiter", "", true, [][]told{{{0, 50, step{kind: begins, call: 7}}, {0, 50, step{kind: woken, call: 7}}},
		from(20, step{kind: deleted})}},
	{"woken and not deleted", "", false, [][]told{{{0, 50, step{kind: begins, call: 7}}, {0, 50, step{kind: woken, call: 7}}},
		from(100, step{kind: deleted})}},
	{"perhaps deleted", "", true, [][]told{storing(1), {{30, ever, step{kind: deleting}}}, from(50, step{kind: noVar})}},
	{"perhaps deleted and not", "", true, [][]told{storing(1), {{30, ever, step{kind: deleting}}}, from(50, fetching(1)...)}},
	{"perhaps deleted, and half of it is there", "", false,
		[][]told{storing(1, 2), {{30, ever, step{kind: deleting}}}, from(50, fetching(2)...)}},

	{"declared twice", workspace.LIFO, true,
		[][]told{from(0, step{kind: declared, mode: workspace.LIFO}, step{kind: otherMode, mode: workspace.FIFO})}},
	{"declared otherwise", workspace.LIFO, false, [][]told{from(0, step{kind: declared, mode: workspace.FIFO})}},
	{"refused without a reason", workspace.LIFO, false, [][]told{from(0, step{kind: otherMode, mode: workspace.LIFO})}},
	{"declared late", "", true, [][]told{from(-50, step{kind: empty}, step{kind: declared, mode: workspace.LIFO}),
		storing(1, 2), from(50, fetching(2, 1)...)}},
	{"a find may make it known", "", true, [][]told{{{0, 10, step{kind: asked}}}, from(50, step{kind: deleted})}},
}

// RunSpec tests the checker of histories itself.
func RunSpec(t *testing.T) {
	for _, c := range specTests {
		t.Run(c.name, func(t *testing.T) {
			var history []porcupine.Operation
			if c.mode != "" {
				history = append(history, porcupine.Operation{
					Input: step{kind: declared, mode: c.mode}, Call: -1000, Return: -999,
				})
			}
			for _, group := range c.told {
				for _, told := range group {
					history = append(history, porcupine.Operation{Input: told.step, Call: told.from, Return: told.to})
				}
			}
			want := porcupine.Illegal
			if c.ok {
				want = porcupine.Ok
			}
			if got, _ := checkHistory(sharpen(history)); got != want {
				t.Errorf("the history is %s, want %s", got, want)
			}
		})
	}
}
