package workspacetest

import (
	"strconv"

	"github.com/netspaces/netspaces/workspace"
)

var modeTests = []test{
	{"V1FIFO", v1FIFO},
	{"V1LIFO", v1LIFO},
	{"V1Single", v1Single},
	{"V1MultiGivesEachOnce", v1MultiGivesEachOnce},
	{"V1MultiIsRandom", v1MultiIsRandom},
	{"V2DeclareAgain", v2DeclareAgain},
	{"V2StoreDeclares", v2StoreDeclares},
	{"V2BadMode", v2BadMode},
}

var allModes = []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi, workspace.Single}

func v1FIFO(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.FIFO)
	s.store(ws, "v", 1, 2)
	s.store(ws, "v", 3)
	s.find(ws, "v").gets("1")
	s.fetch(ws, "v").gets("1")
	s.find(ws, "v").gets("2")
	s.holds(ws, "v", "2", "3")
}

func v1LIFO(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.LIFO)
	s.store(ws, "v", 1, 2)
	s.store(ws, "v", 3)
	s.find(ws, "v").gets("3")
	s.fetch(ws, "v").gets("3")
	s.find(ws, "v").gets("2")
	s.holds(ws, "v", "2", "1")
}

func v1Single(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Single)
	s.store(ws, "v", 1, 2)
	s.store(ws, "v", 3)
	if n := s.info(ws, "v").Values; n != 1 {
		s.Fatalf("%d values are kept, want the latest only", n)
	}
	s.find(ws, "v").gets("3")
	s.find(ws, "v").gets("3")
	s.fetch(ws, "v").gets("3")
	s.holds(ws, "v")
	s.store(ws, "v", 4)
	s.holds(ws, "v", "4")
}

func v1MultiGivesEachOnce(s *site) {
	ws := s.open()
	s.declare(ws, "v", workspace.Multi)
	const n = 100
	s.store(ws, "v", numbers(n)...)
	seen := map[string]bool{}
	for _, value := range s.drain(ws, "v") {
		if seen[value] {
			s.Fatalf("%s came twice", value)
		}
		seen[value] = true
	}
	if len(seen) != n {
		s.Fatalf("%d of %d values came", len(seen), n)
	}
}

// Each verb draws from a bag that always holds the same four values. All pairs of one draw and the next must come about
// equally often, which also tells drawing at random from taking turns. The bound on chi square, with 15 degrees of
// freedom, is passed by chance once in 10^13 runs.
func v1MultiIsRandom(s *site) {
	const values, draws, bound = 4, 120, 100.0
	ws := s.open()
	for _, verb := range []struct {
		name string
		draw func(variable string) string
	}{
		{"find", func(variable string) string {
			var text []byte
			_, err := ws.TryFind(s.ctx, variable, &text)
			s.must(err)
			return string(text)
		}},
		{"fetch", func(variable string) string {
			var text []byte
			_, err := ws.TryFetch(s.ctx, variable, &text)
			s.must(err)
			s.store(ws, variable, text)
			return string(text)
		}},
		{"claim", func(variable string) string {
			claim, err := ws.Claim(s.ctx, variable, nil)
			s.must(err)
			text := claim.Values[0].Text
			s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: variable, Value: text}))
			return string(text)
		}},
	} {
		s.declare(ws, verb.name, workspace.Multi)
		for i := range values {
			s.store(ws, verb.name, i)
		}
		counts := [values * values]float64{}
		last := 0
		for range draws {
			i, err := strconv.Atoi(verb.draw(verb.name))
			s.must(err)
			counts[values*last+i]++
			last = i
		}
		const want = float64(draws) / (values * values)
		chi := 0.0
		for _, got := range counts {
			chi += (got - want) * (got - want) / want
		}
		if chi > bound {
			s.Errorf("%s drew %v times each pair of values: chi square %.0f, want at most %.0f",
				verb.name, counts, chi, bound)
		}
	}
}

func v2DeclareAgain(s *site) {
	ws := s.open()
	for _, mode := range allModes {
		name := string(mode)
		s.declare(ws, name, mode)
		s.store(ws, name, 7)
		s.declare(ws, name, mode)
		for _, other := range allModes {
			if other != mode {
				s.wantErr(ws.Declare(s.ctx, name, other), workspace.ErrDeclared)
			}
		}
		if info := s.info(ws, name); info.Mode != mode || info.Values != 1 {
			s.Errorf("a refused declaration changed the variable: %+v", info)
		}
		s.holds(ws, name, "7")
	}
}

func v2StoreDeclares(s *site) {
	ws := s.open()
	s.store(ws, "v", 1, 2)
	if mode := s.info(ws, "v").Mode; mode != workspace.FIFO {
		s.Fatalf("a store made the variable %q, want fifo", mode)
	}
	s.wantErr(ws.Declare(s.ctx, "v", workspace.LIFO), workspace.ErrDeclared)
	s.declare(ws, "v", workspace.FIFO)
	s.holds(ws, "v", "1", "2")
}

func v2BadMode(s *site) {
	ws := s.open()
	for _, mode := range []workspace.Mode{"", "FIFO", "queue", workspace.Unknown} {
		s.wantErr(ws.Declare(s.ctx, "v", mode), workspace.ErrMode)
	}
	if info := s.info(ws, "v"); info.Name != "" {
		s.Fatalf("a bad mode made the variable: %+v", info)
	}
}
