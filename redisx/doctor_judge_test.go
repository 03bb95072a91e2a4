package redisx

import (
	"strings"
	"testing"
	"time"
)

func TestVersions(t *testing.T) {
	for version, want := range map[string]CheckState{
		"4.0.14": CheckFailed, "2.8": CheckFailed, "5.0.0": CheckWarning, "6.0.16": CheckWarning, "6.2.0": CheckOK,
		"7.0.15": CheckOK, "8.4.0": CheckOK, "10.0.1": CheckOK, "unstable": CheckNA, "": CheckNA,
	} {
		p := &patient{info: map[string]string{"redis_version": version}}
		if got := p.version(t.Context()); got.State != want {
			t.Errorf("%q: %+v", version, got)
		}
	}
	clustered := &patient{clustered: true, info: map[string]string{"redis_version": "6.2.14"}}
	if got := clustered.version(t.Context()); got.State != CheckWarning {
		t.Errorf("in a cluster: %+v", got)
	}
	other := &patient{info: map[string]string{"redis_version": "7.2.4", "valkey_version": "8.1.3"}}
	if got := other.version(t.Context()); got.State != CheckOK || !strings.Contains(got.Detail, "valkey 8.1.3") {
		t.Errorf("valkey: %+v", got)
	}
	// A user who may not ask for INFO may say HELLO.
	hello := &patient{hello: map[string]string{"version": "7.0.15"}}
	if got := hello.version(t.Context()); got.State != CheckOK {
		t.Errorf("by HELLO: %+v", got)
	}
}

func TestClusterVerdicts(t *testing.T) {
	info := func(state, served, size string) map[string]string {
		return map[string]string{"cluster_state": state, "cluster_slots_ok": served, "cluster_size": size}
	}
	for _, tt := range []struct {
		name      string
		clustered bool
		info      map[string]string
		want      CheckState
	}{
		{"well", true, info("ok", "16384", "3"), CheckOK},
		{"down", true, info("fail", "0", "3"), CheckFailed},
		{"slots are missing", true, info("ok", "10922", "2"), CheckFailed},
		{"one by itself", false, info("ok", "16384", "3"), CheckFailed},
		{"the only one", false, info("ok", "16384", "1"), CheckWarning},
	} {
		if got := (&patient{clustered: tt.clustered}).judgeCluster(tt.info); got.State != tt.want {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
	sentinel := &patient{hello: map[string]string{"mode": "sentinel"}}
	if got := sentinel.cluster(t.Context()); got.State != CheckFailed || !strings.Contains(got.Advice, "redis+sentinel://") {
		t.Errorf("a sentinel: %+v", got)
	}
}

func TestMemoryVerdicts(t *testing.T) {
	const gb = "1073741824"
	for _, tt := range []struct {
		info             string
		eviction, memory CheckState
	}{
		{"used_memory:100\nmaxmemory:0\nmaxmemory_policy:allkeys-lru\ntotal_system_memory:" + gb, CheckOK, CheckOK},
		{"used_memory:100\nmaxmemory:0\nmaxmemory_policy:noeviction", CheckOK, CheckOK},
		{"used_memory:900000000\nmaxmemory:0\nmaxmemory_policy:noeviction\ntotal_system_memory:" + gb, CheckOK, CheckWarning},
		{"used_memory:100\nmaxmemory:" + gb + "\nmaxmemory_policy:allkeys-lfu", CheckWarning, CheckOK},
		{"used_memory:100\nmaxmemory:" + gb + "\nmaxmemory_policy:volatile-ttl", CheckOK, CheckOK},
		{"used_memory:900000000\nmaxmemory:" + gb + "\nmaxmemory_policy:noeviction", CheckOK, CheckWarning},
		{"used_memory:900000000\nmem_not_counted_for_evict:800000000\nmaxmemory:" + gb, CheckNA, CheckOK},
		{"used_memory:1073741824\nmaxmemory:" + gb + "\nmaxmemory_policy:noeviction", CheckOK, CheckFailed},
		{"# Memory\r\nused_memory:100\r\n", CheckNA, CheckNA},
	} {
		p := &patient{info: parseInfo(tt.info)}
		if got := p.eviction(t.Context()); got.State != tt.eviction {
			t.Errorf("%q: eviction %+v", tt.info, got)
		}
		if got := p.memory(t.Context()); got.State != tt.memory {
			t.Errorf("%q: memory %+v", tt.info, got)
		}
	}
}

func TestPersistenceVerdicts(t *testing.T) {
	for _, tt := range []struct {
		info, save, fsync string
		want              CheckState
		says              string
	}{
		{"aof_enabled:1", "", "everysec", CheckOK, "two seconds"},
		{"aof_enabled:1", untoldSetting, untoldSetting, CheckOK, "append-only file"},
		{"aof_enabled:1\naof_last_write_status:err", "", "everysec", CheckFailed, "could not be written"},
		{"aof_enabled:1\naof_last_bgrewrite_status:err", "", "everysec", CheckWarning, "rewritten"},
		{"aof_enabled:1\nrdb_last_bgsave_status:err", "3600 1", "everysec", CheckWarning, "snapshot failed"},
		{"aof_enabled:0", "3600 1", "everysec", CheckWarning, "snapshots only"},
		{"aof_enabled:0\nrdb_saves:3", untoldSetting, untoldSetting, CheckWarning, "snapshots only"},
		{"aof_enabled:0\nrdb_saves:0", untoldSetting, untoldSetting, CheckWarning, "not told"},
		{"aof_enabled:0\nrdb_saves:3", "", "everysec", CheckWarning, "neither"},
	} {
		got := (&patient{info: parseInfo(tt.info)}).judgePersistence(tt.save, tt.fsync)
		if got.State != tt.want || !strings.Contains(got.Detail, tt.says) {
			t.Errorf("%q, %q: %+v", tt.info, tt.save, got)
		}
	}
}

func TestRoundTripVerdicts(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		times []time.Duration
		want  CheckState
		says  string
	}{
		{[]time.Duration{ms}, CheckOK, "median 1.00 ms, the slowest of 1 1.00 ms"},
		{[]time.Duration{200 * ms, ms, 2 * ms}, CheckOK, "median 2.00 ms, the slowest of 3 200.00 ms"},
		{[]time.Duration{300 * ms, ms, 2 * ms}, CheckWarning, "median 2.00 ms"},
		{[]time.Duration{20 * ms, 20 * ms, ms}, CheckWarning, "at most 50 calls a second"},
	} {
		if got := judgeRoundTrip(tt.times); got.State != tt.want || !strings.Contains(got.Detail, tt.says) {
			t.Errorf("%v: %+v", tt.times, got)
		}
	}
}

func TestClockVerdicts(t *testing.T) {
	now := time.Now()
	at := func(ahead, within time.Duration) offset { return offset{ahead: ahead, within: within, here: now} }
	for _, tt := range []struct {
		name       string
		first, now offset
		want       CheckState
		says       string
	}{
		{"close", at(time.Millisecond, time.Millisecond), at(2*time.Millisecond, time.Millisecond), CheckOK, "2.00 ms ahead"},
		{"behind", at(-time.Second, 0), at(-time.Second, 0), CheckOK, "1000.00 ms behind"},
		{"far", at(time.Minute, 0), at(time.Minute, 0), CheckWarning, "ahead"},
		{"far behind", at(-time.Minute, 0), at(-time.Minute, 0), CheckWarning, "behind"},
		{"jumped", at(0, 0), at(-time.Second, 0), CheckWarning, "jumped by -1000.00 ms"},
		{"not known well enough", at(0, time.Second), at(time.Second, time.Second), CheckOK, "give or take 1000.00 ms"},
		{"no first", offset{}, at(time.Second, 0), CheckOK, "ahead"},
	} {
		if got := judgeClock(tt.first, tt.now); got.State != tt.want || !strings.Contains(got.Detail, tt.says) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestRightsVerdicts(t *testing.T) {
	p := &patient{user: "bob"}
	for _, tt := range []struct {
		found  findings
		want   CheckState
		advice string
	}{
		{findings{}, CheckOK, ""},
		{findings{keys: true}, CheckFailed, "~nws:*"},
		{findings{refused: []string{"HSET"}, mute: []string{"PUBLISH"}}, CheckFailed, "ACL SETUSER bob +hset +publish"},
		{findings{mute: []string{"SUBSCRIBE"}}, CheckWarning, "ACL SETUSER bob +subscribe &nws:*"},
		{findings{unheard: true}, CheckWarning, "proxy"},
	} {
		if got := p.judgeRights(tt.found); got.State != tt.want || !strings.Contains(got.Advice, tt.advice) {
			t.Errorf("%+v: %+v", tt.found, got)
		}
	}
}
