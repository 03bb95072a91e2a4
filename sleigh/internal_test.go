package sleigh

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// MaxText is how many bytes a task or a result may have.
var MaxText = &maxText

// Places are the ranks that a keeper has.
type Places = places

// NewPlaces takes ranks in the sleigh that a workspace is of, where at least some are there or are to be.
func NewPlaces(own *workspace.Workspace, lease time.Duration, slots, least int) *Places {
	return newPlaces(own, lease, slots, least, slog.New(slog.DiscardHandler))
}

// Take is what a keeper does first.
func (p *places) Take(ctx context.Context, n int) ([]int, error) { return p.take(ctx, n) }

// Leave is what it does at last.
func (p *places) Leave(ctx context.Context, rank int) error { return p.leave(ctx, rank) }

// Look says who is there: workers, slots, ranks; and which ranks were given up.
func (p *places) Look(ctx context.Context) (there [3]int, gone []int, err error) {
	h, gone, err := p.look(ctx)
	return [3]int{h.Workers, h.Slots, h.Count}, gone, err
}

// Renew renews the leases, and returns the ranks that others have.
func (p *places) Renew(ctx context.Context, ranks ...any) ([]int, error) {
	_, lost, err := p.do(ctx, "renew", ranks...)
	return lost, err
}

// SetHostname changes what workers that join from now on take for the name of their machine.
func SetHostname(f func() string) (restore func()) {
	before := hostname
	hostname = f
	return func() { hostname = before }
}

// Hosts counts failures.
type Hosts = hosts

// Note notes elements that ran on a host.
func (h *hosts) Note(fn, host string, done, failed int) {
	h.note(slog.New(slog.DiscardHandler), fn, host, done, failed)
}

// Troubles are the hosts that are in trouble.
func (h *hosts) Troubles() []HostTrouble { return h.troubles() }

// Meter measures a rate.
type Meter = meter

// Note notes n elements.
func (m *meter) Note(now time.Time, n int) { m.note(now, n) }

// Rate is a number of elements each second.
func (m *meter) Rate(now time.Time) float64 { return m.rate(now) }

// NoteDeath is what a keeper does when a worker has died.
func NoteDeath(ctx context.Context, own *workspace.Workspace, client, cause string) error {
	k := &keeper{own: own}
	return k.noteDeath(ctx, WorkerInfo{Client: client}, end{cause: cause})
}

// For tests of the package's own.
var (
	ProgressOf = progressOf
	Cut        = cut
)

const (
	PageBytes = pageBytes
	MostPages = mostPages
	LineBytes = lineBytes
	MostBytes = mostBytes
	TellEvery = tellEvery

	RecentPages = recentPages
)

// StoreLines stores lines as a worker does.
func StoreLines(ctx context.Context, ws *workspace.Workspace, rank int, client string, before, left int, texts ...string) (stored int, err error) {
	var lines []printed
	for _, text := range texts {
		lines = append(lines, printed{Stream: Stdout, Text: text})
	}
	text, n := pageOf(rank, "host", client, before, left, lines)
	return n, storePage(ctx, ws, false, text)
}

// Unregistered is a function that no program knows.
func Unregistered[A, R any](name string) Func[A, R] { return Func[A, R]{name} }

// Route is where ssh is to connect a tunnel to, and the address of Redis at the other end, or without a tunnel.
func Route(address string, tunnel bool, port string) (target, there string, err error) {
	r, err := newRoute(address, tunnel)
	if err != nil {
		return "", "", err
	}
	way := r.through()
	if r.target != "" {
		way.hear("Allocated port " + port + " for remote forward to anywhere")
	}
	there, err = way.url(context.Background())
	return r.target, there, err
}

// WrongPlatform judges a host.
func WrongPlatform(uname string) error { return wrongPlatform("host", uname) }

// NewSieve keeps back some line, until another one that it keeps back too.
func NewSieve(to io.Writer, line, last string) (write func(string), end func()) {
	s := &sieve{to: to, take: func(text string) (bool, bool) { return text == line || text == last, text == last }}
	return func(text string) { _, _ = io.WriteString(s, text) }, s.end
}

// TellStop is what Disband does first.
func (s *Sleigh) TellStop(ctx context.Context) error {
	return s.own.Store(ctx, stopVar, s.own.Client())
}

// Lease is that of the team.
func (s *Sleigh) Lease() time.Duration { return s.lease }

// embeddedWorkspace is one on an embedded server of its own.
func embeddedWorkspace(t *testing.T) *workspace.Workspace {
	t.Helper()
	rdb, err := redisx.Open(t.Context(), "mem://", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	ws, err := workspace.Open(t.Context(), rdb, "embedded", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}
