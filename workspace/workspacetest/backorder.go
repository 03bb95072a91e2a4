package workspacetest

import (
	"context"
	"slices"

	"github.com/netspaces/netspaces/workspace"
)

var backOrderTests = []test{
	{"V4WhatGoesBackKeepsItsPlace", v4WhatGoesBackKeepsItsPlace},
	{"I2FetchesGiveBackInAnyOrder", i2FetchesGiveBackInAnyOrder},
	{"I2PartsOfAClaimInterleave", i2PartsOfAClaimInterleave},
}

// Some values go back together, then one of them is taken again and goes back alone: it still comes before the others.
func v4WhatGoesBackKeepsItsPlace(s *site) {
	ws := s.open()
	for _, iterated := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "iterated"}[iterated]
		s.store(ws, name, "x", "y", 3, 4)
		if iterated {
			for _, err := range workspace.NewVar[any](ws, name).IFind().Try(s.ctx) {
				s.must(err)
			}
		}
		numbers := workspace.NewVar[int](ws, name)
		for _, n := range []int{3, 1, 2, 1} {
			_, err := numbers.FetchN(s.ctx, n)
			s.wantErr(err, workspace.ErrValue)
		}
		s.holds(ws, name, `"x"`, `"y"`, "3", "4")
	}
}

// Two loops have taken one value each, and the first of these goes back first.
func i2FetchesGiveBackInAnyOrder(s *site) {
	ws := s.open()
	s.store(ws, "v", "x", "y", 3)
	loop := func() (leave func()) {
		inside, end := make(chan struct{}), make(chan struct{})
		p := s.start("loop", func(ctx context.Context, p *pending) {
			for _, err := range workspace.NewVar[int](ws, "v").IFetch().All(ctx) {
				p.err = err
				close(inside)
				<-end
			}
		})
		<-inside
		return func() {
			close(end)
			p.end()
			s.wantErr(p.err, workspace.ErrValue)
		}
	}
	first, second := loop(), loop()
	first()
	second()
	s.holds(ws, "v", `"x"`, `"y"`, "3")
}

// A claim ends after something was released that lies between its other values.
func i2PartsOfAClaimInterleave(s *site) {
	ws := s.open()
	for _, iterated := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "iterated"}[iterated]
		s.store(ws, name, 1, 2, 3, 4, 5)
		if iterated {
			s.gives(ifind(ws, name), 1, 2, 3, 4, 5)
		}
		claimer := s.use(s.rdb)
		claim := s.claim(claimer, name, &workspace.ClaimOptions{Max: 4})
		s.must(claim.Release(s.ctx, claim.Values[1].Index, claim.Values[2].Index))
		s.must(ws.EndClaims(s.ctx, name, claimer.Client()))
		all := ifind(ws, name)
		if got := s.some(all, 2); !slices.Equal(got, []int{1, 2}) {
			s.Errorf("%s: the first two are %d", name, got)
		}
		s.gives(all, 3, 4, 5)
		s.holds(ws, name, "1", "2", "3", "4", "5")
		s.must(claimer.Close())
	}
}
