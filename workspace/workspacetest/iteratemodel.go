package workspacetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

var iterateModelTests = []test{
	{"I2Model", i2Model},
}

// iterateModel is what a fifo variable and its iterators must be like. The values are 0, 1, 2 … as they were stored.
type iterateModel struct {
	*site
	chance  *rand.Rand
	ws      *workspace.Workspace
	claimer *workspace.Workspace
	claims  []*workspace.Claim
	stored  int
	there   map[int]bool // values that a fetch could take
	finds   []*workspace.Iterator[int]
	seen    []int // the last value that each has given
	takes   *workspace.Iterator[int]
	done    []string // what was done, to be told where something is wrong
}

// i2Model does at random whatever takes values away, brings them back or reads them, and compares with the model: an IFind
// gives the values that are there and come after its last one, in their order.
func i2Model(s *site) {
	const steps = 60
	runs := 6
	if os.Getenv("NETSPACES_ALL") == "1" {
		runs = 40
	}
	for seed := range runs {
		m := &iterateModel{site: s, chance: rand.New(rand.NewPCG(uint64(seed), 3)), there: map[int]bool{}}
		if m.ws = s.open(); seed%2 == 0 {
			m.ws = s.use(s.client())
		}
		m.claimer = s.use(s.rdb)
		for range 3 {
			m.finds, m.seen = append(m.finds, ifind(m.ws, "v")), append(m.seen, -1)
		}
		m.takes = ifetch(m.ws, "v")
		for range steps {
			m.step()
			if n := s.info(m.ws, "v").Values; n != len(m.there) {
				s.Fatalf("%d values are listed, want %d, after %q", n, len(m.there), m.done)
			}
		}
		for i := range m.finds {
			m.find(i, 1000)
		}
		m.takeSome(1000)
		s.must(m.ws.DeleteVar(s.ctx, "v"))
		s.must(m.claimer.Close())
	}
}

func (m *iterateModel) step() {
	switch n := m.chance.IntN(20); n {
	case 0, 1, 2, 3:
		m.note("store")
		for range 1 + m.chance.IntN(5) {
			m.store(m.ws, "v", m.stored)
			m.there[m.stored] = true
			m.stored++
		}
	case 4:
		m.note("fetch")
		var value int
		ok, err := m.ws.TryFetch(m.ctx, "v", &value)
		if m.must(err); ok {
			m.taken(value)
		}
	case 5:
		if len(m.there) > 0 {
			m.note("FetchN")
			values, err := workspace.NewVar[int](m.ws, "v").FetchN(m.ctx, 1+m.chance.IntN(3))
			m.must(err)
			m.taken(values...)
		}
	case 6, 7:
		m.note("fetch of what does not convert")
		var list []string
		if _, err := m.ws.TryFetch(m.ctx, "v", &list); len(m.there) > 0 {
			m.wantErr(err, workspace.ErrValue)
		}
	case 8, 9, 10:
		if len(m.there) > 0 {
			claim := m.claim(m.claimer, "v", &workspace.ClaimOptions{Max: 1 + m.chance.IntN(4)})
			m.note("claim", texts(claim)...)
			m.claims = append(m.claims, claim)
			m.taken(valuesOf(claim)...)
		}
	case 11, 12, 13:
		m.finish(true)
	case 14:
		m.finish(false)
	case 15:
		m.note("claims end")
		m.must(m.ws.EndClaims(m.ctx, "v", m.claimer.Client()))
		m.must(m.claimer.Close())
		for _, claim := range m.claims {
			for _, value := range valuesOf(claim) {
				m.there[value] = true
			}
		}
		m.claimer, m.claims = m.use(m.rdb), nil
	case 16:
		m.takeSome(1 + m.chance.IntN(4))
	default:
		i := m.chance.IntN(len(m.finds))
		if n == 17 && m.chance.IntN(3) == 0 {
			m.note(fmt.Sprint("reset of IFind ", i))
			m.finds[i].Reset()
			m.seen[i] = -1
		}
		m.find(i, 1+m.chance.IntN(6))
	}
}

func (m *iterateModel) note(what string, values ...string) {
	m.done = append(m.done, strings.Join(append([]string{what}, values...), " "))
}

// taken checks that these values were there, and are no more.
func (m *iterateModel) taken(values ...int) {
	m.Helper()
	for _, value := range values {
		if !m.there[value] {
			m.Fatalf("%d was taken and is not there, after %q", value, m.done)
		}
		delete(m.there, value)
	}
}

// finish releases or settles some values of a claim.
func (m *iterateModel) finish(release bool) {
	m.Helper()
	if len(m.claims) == 0 {
		return
	}
	i := m.chance.IntN(len(m.claims))
	claim := m.claims[i]
	k := 1 + m.chance.IntN(len(claim.Values))
	m.chance.Shuffle(len(claim.Values), func(a, b int) {
		claim.Values[a], claim.Values[b] = claim.Values[b], claim.Values[a]
	})
	some := *claim
	some.Values = slices.Clone(claim.Values[:k])
	slices.SortFunc(some.Values, func(a, b workspace.Claimed) int { return a.Index - b.Index })
	if claim.Values = claim.Values[k:]; len(claim.Values) == 0 {
		m.claims = slices.Delete(m.claims, i, i+1)
	}
	if !release {
		m.note("settle", texts(&some)...)
		m.must(settleAll(m.ctx, &some, ""))
		return
	}
	m.note("release", texts(&some)...)
	m.must(claim.Release(m.ctx, indexes(&some)...))
	for _, value := range valuesOf(&some) {
		m.there[value] = true
	}
}

func valuesOf(claim *workspace.Claim) []int {
	var all []int
	for _, text := range texts(claim) {
		value, _ := strconv.Atoi(text)
		all = append(all, value)
	}
	return all
}

func (m *iterateModel) takeSome(n int) {
	m.Helper()
	m.note("IFetch")
	m.taken(m.some(m.takes, n)...)
}

func (m *iterateModel) find(i, n int) {
	m.Helper()
	want := []int{}
	for value := range m.stored {
		if m.there[value] && value > m.seen[i] && len(want) < n {
			want = append(want, value)
		}
	}
	got := m.some(m.finds[i], n)
	if !slices.Equal(got, want) {
		m.Fatalf("IFind %d gave %d, want %d, after %q", i, got, want, m.done)
	}
	if len(got) > 0 {
		m.seen[i] = got[len(got)-1]
	}
	m.note(fmt.Sprint("IFind ", i, " gave ", got))
}
