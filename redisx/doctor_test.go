package redisx

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx/redistest"
)

var checkNames = []string{
	"connection", "version", "cluster", "eviction policy", "memory headroom", "persistence", "rights", "round-trip time",
	"clock",
}

func TestChecksAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range checkNames {
		if !strings.Contains(string(text), "\n| "+name+" | ") {
			t.Errorf("docs/redis.md does not say what %q looks at", name)
		}
	}
}

func mustHaveAll(t *testing.T, r Report) {
	t.Helper()
	var names []string
	for _, check := range r.Checks {
		names = append(names, check.Name)
		if check.Detail == "" || strings.Contains(check.Detail+check.Advice, "\n") {
			t.Errorf("%s: %+v", check.Name, check)
		}
		if check.State == CheckWarning && check.Advice == "" {
			t.Errorf("%s does not say what to do: %+v", check.Name, check)
		}
	}
	if !slices.Equal(names, checkNames) {
		t.Errorf("checks: %q", names)
	}
}

// mustBe compares states; round-trip time and clock depend on what else this machine does.
func mustBe(t *testing.T, r Report, state CheckState, names ...string) {
	t.Helper()
	for _, name := range names {
		if got := checkOf(t, r, name); got.State != state {
			t.Errorf("%s is not %s: %+v", name, state, got)
		}
	}
}

func TestDoctorFindsNothing(t *testing.T) {
	server := redistest.Start(t, redistest.AppendOnly, "maxmemory 1gb", "maxmemory-policy noeviction")
	r := mustOpen(t, server.URL()).Doctor(t.Context())
	mustHaveAll(t, r)
	mustBe(t, r, CheckOK, checkNames[:7]...)
	if got := checkOf(t, r, "persistence").Detail; !strings.Contains(got, "before a call returns") {
		t.Errorf("persistence: %s", got)
	}
	if r.Server != server.URL()+"/0" || !strings.Contains(checkOf(t, r, "version").Detail, "Redis ") {
		t.Errorf("%s: %s", r.Server, r)
	}
	mustBeEmpty(t, server.Redis())
}

func TestDoctorWarns(t *testing.T) {
	server := redistest.Start(t, "maxmemory 1gb", "maxmemory-policy allkeys-lru")
	r := mustOpen(t, server.URL()).Doctor(t.Context())
	mustHaveAll(t, r)
	mustBe(t, r, CheckWarning, "eviction policy", "persistence")
	mustBe(t, r, CheckOK, "connection", "version", "cluster", "memory headroom", "rights")
	if r.State() != CheckWarning {
		t.Errorf("all in all %s", r.State())
	}

	if err := server.Redis().ConfigSet(t.Context(), "save", "3600 1").Err(); err != nil {
		t.Fatal(err)
	}
	r = mustOpen(t, server.URL()).Doctor(t.Context())
	if got := checkOf(t, r, "persistence"); got.State != CheckWarning || !strings.HasPrefix(got.Detail, "snapshots only") {
		t.Errorf("persistence: %+v", got)
	}
}

func TestDoctorOnEmbedded(t *testing.T) {
	rdb := mustOpen(t, "mem://")
	r := rdb.Doctor(t.Context())
	mustHaveAll(t, r)
	mustBe(t, r, CheckOK, "connection", "version", "cluster", "rights")
	mustBe(t, r, CheckNA, "eviction policy", "memory headroom")
	mustBe(t, r, CheckWarning, "persistence")
	mustBeEmpty(t, rdb.Redis())
	if strings.Contains(r.String(), "@") {
		t.Errorf("the address is told with its password:\n%s", r)
	}
}

// What a managed Redis takes away is n/a.
func TestDoctorOnManaged(t *testing.T) {
	server := redistest.Start(t, redistest.AppendOnly, `rename-command INFO ""`, `rename-command CONFIG ""`,
		`rename-command TIME ""`)
	r := mustOpen(t, server.URL()).Doctor(t.Context())
	mustHaveAll(t, r)
	mustBe(t, r, CheckNA, "eviction policy", "memory headroom", "persistence", "clock")
	mustBe(t, r, CheckOK, "connection", "version", "cluster")
	if got := checkOf(t, r, "memory headroom").Detail; !strings.Contains(got, "INFO is refused: ERR unknown command") {
		t.Errorf("memory: %s", got)
	}
	// Workspaces cannot do without this one.
	if got := checkOf(t, r, "rights"); got.State != CheckFailed || got.Detail != "refused: TIME" {
		t.Errorf("rights: %+v", got)
	}

	server = redistest.Start(t, redistest.AppendOnly, `rename-command CONFIG ""`)
	r = mustOpen(t, server.URL()).Doctor(t.Context())
	mustBe(t, r, CheckOK, checkNames[:7]...)
}

func TestDoctorOnReplica(t *testing.T) {
	master := redistest.Start(t)
	host, port, _ := strings.Cut(master.Addr(), ":")
	replica := redistest.Start(t, "replicaof "+host+" "+port)
	r := mustOpen(t, replica.URL()).Doctor(t.Context())
	mustHaveAll(t, r)
	mustBe(t, r, CheckFailed, "cluster", "rights")
	if got := checkOf(t, r, "rights").Detail; !strings.Contains(got, "READONLY") {
		t.Errorf("rights: %s", got)
	}
	if r.State() != CheckFailed {
		t.Errorf("all in all %s", r.State())
	}
}

func TestDoctorWithoutServer(t *testing.T) {
	server := redistest.Start(t)
	rdb := mustOpen(t, server.URL())
	server.Kill()
	r := rdb.Doctor(t.Context())
	mustHaveAll(t, r)
	mustBe(t, r, CheckFailed, "connection")
	mustBe(t, r, CheckNA, checkNames[1:]...)
	got := checkOf(t, r, "connection")
	if !strings.Contains(got.Detail, "refused") || !strings.Contains(got.Advice, "Is it running?") {
		t.Errorf("connection: %+v", got)
	}
}

func TestDoctorWithoutPassword(t *testing.T) {
	server := redistest.Start(t)
	rdb := mustOpen(t, as(t, server, "bob", documentedUser(t, "")))
	if err := server.Redis().Do(t.Context(), "ACL", "SETUSER", "bob", "resetpass", ">another").Err(); err != nil {
		t.Fatal(err)
	}
	got := checkOf(t, rdb.Doctor(t.Context()), "connection")
	if got.State != CheckFailed || !strings.Contains(got.Advice, "Check the user and the password") {
		t.Errorf("connection: %+v", got)
	}
	if strings.Contains(got.Detail+got.Advice, secret) {
		t.Error("it tells the password")
	}
}

func TestDoctorAfterClose(t *testing.T) {
	rdb, err := Open(t.Context(), redistest.Start(t).URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := rdb.Close(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, rdb.Doctor(t.Context()), CheckFailed, "connection")
}

// A server that says nothing would let a reply be waited for for an hour.
func TestDoctorEndsWithItsContext(t *testing.T) {
	server := redistest.Start(t)
	rdb := mustOpen(t, server.URL()+"?read_timeout=1h")
	server.Pause()
	defer server.Resume()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := rdb.Doctor(ctx)
	mustBe(t, r, CheckFailed, "connection")
	if got := checkOf(t, r, "connection").Detail; !strings.Contains(got, "i/o timeout") &&
		!strings.Contains(got, "deadline exceeded") {
		t.Errorf("connection: %s", got)
	}

	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	r = rdb.Doctor(ctx)
	mustBe(t, r, CheckFailed, "connection")
	if got := checkOf(t, r, "connection").Detail; !strings.Contains(got, "canceled") {
		t.Errorf("connection: %s", got)
	}
}

// Of a cluster all masters are looked at; a wrong one among them is named.
func TestDoctorOnCluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	var addrs []string
	for _, node := range cluster.Nodes() {
		addrs = append(addrs, node.Addr())
	}
	wrong := cluster.Nodes()[1]
	if err := wrong.Redis().ConfigSet(t.Context(), "maxmemory", "1gb").Err(); err != nil {
		t.Fatal(err)
	}
	if err := wrong.Redis().ConfigSet(t.Context(), "maxmemory-policy", "allkeys-random").Err(); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { _ = rdb.Close() })

	patients, err := gather(t.Context(), rdb, patient{user: "default"})
	if err != nil || len(patients) != 3 {
		t.Fatalf("%d masters, %v", len(patients), err)
	}
	look := func(check func(*patient, context.Context) Check) Check {
		return examine(patients, func(p *patient) Check { return check(p, t.Context()) })
	}
	for name, check := range map[string]func(*patient, context.Context) Check{
		"version": (*patient).version, "cluster": (*patient).cluster, "rights": (*patient).rights,
	} {
		got := look(check)
		if got.State != CheckOK || !strings.HasPrefix(got.Detail, "all 3 masters: ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	got := look((*patient).eviction)
	if got.State != CheckWarning || !strings.HasPrefix(got.Detail, wrong.Addr()+": allkeys-random") ||
		strings.Contains(got.Detail, ";") {
		t.Errorf("eviction policy: %+v", got)
	}
	for _, node := range cluster.Nodes() {
		mustBeEmpty(t, node.Redis())
	}

	alone, err := gather(t.Context(), wrong.Redis(), patient{})
	if err != nil || len(alone) != 1 {
		t.Fatalf("%d servers, %v", len(alone), err)
	}
	if got := alone[0].cluster(t.Context()); got.State != CheckFailed || !strings.Contains(got.Advice, "redis+cluster://") {
		t.Errorf("cluster: %+v", got)
	}
}

func TestReportPrintsAligned(t *testing.T) {
	r := Report{Server: "redis://h:1/0", Checks: []Check{
		{Name: "version", State: CheckOK, Detail: "Redis 7.0.15"},
		{Name: "eviction policy", State: CheckWarning, Detail: "allkeys-lru", Advice: "Do something."},
		{Name: "clock", State: CheckNA, Detail: "TIME is refused"},
	}}
	const want = "" +
		"version          ok       Redis 7.0.15\n" +
		"eviction policy  warning  allkeys-lru\n" +
		"                          -> Do something.\n" +
		"clock            n/a      TIME is refused\n"
	if got := r.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	text, err := json.Marshal(r)
	const wantJSON = `{"server":"redis://h:1/0","checks":[{"name":"version","state":"ok","detail":"Redis 7.0.15"},` +
		`{"name":"eviction policy","state":"warning","detail":"allkeys-lru","advice":"Do something."},` +
		`{"name":"clock","state":"n/a","detail":"TIME is refused"}]}`
	if err != nil || string(text) != wantJSON {
		t.Errorf("got %s, %v", text, err)
	}
	if r.State() != CheckWarning {
		t.Errorf("all in all %s", r.State())
	}
	if r.Checks = r.Checks[2:]; r.State() != CheckOK {
		t.Errorf("n/a counts as %s", r.State())
	}
}

// Masters of a cluster that are alike are told of once, and only those that are worst.
func TestReportOfSeveral(t *testing.T) {
	var patients []*patient
	for i := range 10 {
		patients = append(patients, &patient{name: string(rune('a' + i))})
	}
	for _, tt := range []struct {
		found string // the state and the detail of each
		state CheckState
		want  string
	}{
		{"oooooooooo", CheckOK, "all 10 masters: o"},
		{"oowooowooo", CheckWarning, "c, g: w"},
		{"oowoofwooo", CheckFailed, "f: f"},
		{"0123456789", CheckOK, "a: 0; b: 1; c: 2; d: 3; e: 4; f: 5; and 4 more"},
	} {
		got := examine(patients, func(p *patient) Check {
			detail := tt.found[p.name[0]-'a']
			state := map[byte]CheckState{'w': CheckWarning, 'f': CheckFailed}[detail]
			if state == "" {
				state = CheckOK
			}
			return Check{State: state, Detail: string(detail)}
		})
		if got.State != tt.state || got.Detail != tt.want {
			t.Errorf("%s: %+v", tt.found, got)
		}
	}
}

func TestBrief(t *testing.T) {
	got := brief(errors.New("two\nlines " + strings.Repeat("é", 100)))
	if strings.Contains(got, "\n") || len(got) > detailWidth+len("…") || !strings.HasSuffix(got, "é…") {
		t.Errorf("got %q", got)
	}
}
