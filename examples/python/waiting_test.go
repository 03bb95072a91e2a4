package python_test

import (
	"errors"
	"testing"

	"github.com/netspaces/netspaces/workspace"
)

func TestPythonWaits(t *testing.T) {
	s := newSite(t)
	fetcher, finder := s.py.start("fetch", "v"), s.py.start("find", "v")
	s.waiting("v", 1, 1)
	s.must(s.ws.Store(s.ctx, "v", 1))
	s.equal("finder", s.py.wantValue(finder), "1")
	s.equal("fetcher", s.py.wantValue(fetcher), "1")
	s.wantEmpty("v")
}

func TestGoWaits(t *testing.T) {
	s := newSite(t)
	fetcher, finder := s.start(s.ws.Fetch, "v"), s.start(s.ws.Find, "v")
	s.waiting("v", 1, 1)
	s.py.do("store", "v", 1)
	s.equal("finder", s.wantValue(finder), "1")
	s.equal("fetcher", s.wantValue(fetcher), "1")
	s.wantEmpty("v")
}

// Fetchers are served in the order in which they began to wait, in whichever language (V4).
func TestFetchersInTurn(t *testing.T) {
	s := newSite(t)
	var inPython []<-chan answer
	var inGo []<-chan went
	for i := range 4 {
		inPython = append(inPython, s.py.start("fetch", "v"))
		s.waiting("v", 2*i+1, 0)
		inGo = append(inGo, s.start(s.ws.Fetch, "v"))
		s.waiting("v", 2*i+2, 0)
	}
	finders := []<-chan answer{s.py.start("find", "v"), s.py.start("find", "v")}
	s.waiting("v", 8, 2)
	s.py.do("store", "v", 0, 1, 2, 3)
	s.must(s.ws.StoreAll(s.ctx, "v", 4, 5, 6, 7, "left"))
	for i := range 4 {
		s.equal("Python's turn", s.py.wantValue(inPython[i]), string(rune('0'+2*i)))
		s.equal("Go's turn", s.wantValue(inGo[i]), string(rune('1'+2*i)))
	}
	for _, finder := range finders {
		s.equal("finder", s.py.wantValue(finder), "0")
	}
	s.equal("what is left", s.py.do("fetch", "v"), `"left"`)
}

// Deleting a variable is a signal that no waiter misses (V7).
func TestDeletingWakes(t *testing.T) {
	s := newSite(t)
	inPython := []<-chan answer{s.py.start("fetch", "v"), s.py.start("find", "v"), s.py.start("ifind", "v", 1)}
	inGo := []<-chan went{s.start(s.ws.Fetch, "v"), s.start(s.ws.Find, "v")}
	s.waiting("v", 2, 3)
	s.must(s.ws.DeleteVar(s.ctx, "v"))
	s.must(s.ws.Store(s.ctx, "v", "of another variable"))
	s.py.wantError(inPython[0], "VariableDeleted")
	s.py.wantError(inPython[1], "VariableDeleted")
	s.equal("an iterator ends", s.py.wantValue(inPython[2]), "[]")
	for _, came := range inGo {
		if w := <-came; !errors.Is(w.err, workspace.ErrVarDeleted) {
			t.Errorf("Go has %q, %v; want ErrVarDeleted", w.text, w.err)
		}
	}
	s.py.do("delete_var", "v")
	s.py.wantError(s.py.start("delete_var", "v"), "NoVariable")

	fetcher := s.start(s.ws.Fetch, "v")
	s.waiting("v", 1, 0)
	s.py.do("delete_var", "v")
	if w := <-fetcher; !errors.Is(w.err, workspace.ErrVarDeleted) {
		t.Errorf("Go has %q, %v; want ErrVarDeleted", w.text, w.err)
	}

	finder := s.py.start("find", "v")
	s.waiting("v", 0, 1)
	s.must(workspace.Delete(s.ctx, s.rdb, space))
	s.py.wantError(finder, "NoWorkspace")
}

// A call whose time is over takes nothing, and leaves no waiter behind (V9).
func TestTimeout(t *testing.T) {
	s := newSite(t)
	s.py.wantError(s.py.start("fetch_for", "v", 0.01), "TimeoutError")
	s.waiting("v", 0, 0)
	s.must(s.ws.Store(s.ctx, "v", 1))
	s.equal("what was stored then", s.wantValue(s.start(s.ws.Fetch, "v")), "1")
}
