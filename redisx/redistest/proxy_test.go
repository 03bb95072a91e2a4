package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// happens waits for a channel of the Proxy.
func happens(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("not after %v: %s", patience, what)
	}
}

// proxied gives a server, a proxy before it, and a client that goes by the proxy.
func proxied(t *testing.T) (*Server, *Proxy, *redis.Client) {
	t.Helper()
	s := Start(t)
	p := StartProxy(t, s.Addr())
	rdb := dial(t, p.URL())
	must(t, rdb.Ping(t.Context()).Err())
	return s, p, rdb
}

func wantNumber(t *testing.T, s *Server, key string, want int) {
	t.Helper()
	if got, err := s.Redis().Get(t.Context(), key).Int(); err != nil && !errors.Is(err, redis.Nil) || got != want {
		t.Fatalf("%s = %d, %v; want %d", key, got, err, want)
	}
}

func TestProxyPassesAllOn(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint("RESP", protocol), func(t *testing.T) {
			s := Start(t)
			for _, target := range []string{s.Addr(), s.socket} {
				rdb := dial(t, fmt.Sprintf("%s?protocol=%d", StartProxy(t, target).URL(), protocol))
				big := strings.Repeat("x\r\n", 1<<20)
				must(t, rdb.Set(t.Context(), "big", big, 0).Err())
				wantValue(t, rdb, "big", big)
				must(t, rdb.HSet(t.Context(), "h", "a", "1", "b", "2").Err())
				if h, err := rdb.HGetAll(t.Context(), "h").Result(); err != nil || len(h) != 2 {
					t.Errorf("HGETALL: %v, %v", h, err)
				}
				if err := rdb.Get(t.Context(), "none").Err(); !errors.Is(err, redis.Nil) {
					t.Errorf("a missing key: %v", err)
				}
				if err := rdb.LPush(t.Context(), "h", "x").Err(); !redis.HasErrorPrefix(err, "WRONGTYPE") {
					t.Errorf("the wrong type: %v", err)
				}
				pipe := rdb.Pipeline()
				for range 1000 {
					pipe.Incr(t.Context(), "n")
				}
				replies, err := pipe.Exec(t.Context())
				must(t, err)
				if last := replies[999].(*redis.IntCmd).Val(); last%1000 != 0 {
					t.Errorf("the last of 1000 replies is %d", last)
				}
			}
		})
	}
}

func TestLostReply(t *testing.T) {
	s, p, rdb := proxied(t)
	done := p.LoseReply([]byte("victim"))
	conn, err := net.Dial("tcp", p.Addr())
	must(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("INCR before\r\n*2\r\n$4\r\nINCR\r\n$6\r\nvictim\r\nINCR after\r\n"))
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	if replies, err := io.ReadAll(conn); string(replies) != ":1\r\n" {
		t.Errorf("replies are %q, %v; want that before the lost one", replies, err)
	}
	happens(t, "the reply is lost", done)
	wantNumber(t, s, "before", 1)
	wantNumber(t, s, "victim", 1)
	must(t, rdb.Incr(t.Context(), "victim").Err())
	if got := p.Counts(); got != (Counts{LostReplies: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestLostReplyOfLargeRequest(t *testing.T) {
	s, p, rdb := proxied(t)
	done := p.LoseReply([]byte("victim"))
	big := strings.Repeat("x", 10<<20)
	if err := rdb.Set(t.Context(), "victim", big, 0).Err(); err == nil {
		t.Error("the reply came")
	}
	happens(t, "the reply is lost", done)
	if n := s.Redis().StrLen(t.Context(), "victim").Val(); n != int64(len(big)) {
		t.Errorf("%d bytes were stored", n)
	}
}

func TestLostRequest(t *testing.T) {
	s, p, rdb := proxied(t)
	done := p.LoseRequest([]byte("victim"))
	pipe := rdb.Pipeline()
	pipe.Incr(t.Context(), "before")
	pipe.Incr(t.Context(), "victim")
	if _, err := pipe.Exec(t.Context()); err == nil {
		t.Error("no call failed")
	}
	happens(t, "the request is lost", done)
	wantNumber(t, s, "victim", 0)
	must(t, rdb.Incr(t.Context(), "victim").Err())
	wantNumber(t, s, "victim", 1)
	if got := p.Counts(); got != (Counts{LostRequests: 1}) {
		t.Errorf("%+v", got)
	}
}

func TestCutAndRefuse(t *testing.T) {
	_, p, rdb := proxied(t)
	conn := rdb.Conn()
	defer conn.Close()
	must(t, conn.Ping(t.Context()).Err())
	p.Cut()
	if err := conn.Ping(t.Context()).Err(); err == nil {
		t.Error("a connection that was cut works")
	}
	must(t, dial(t, p.URL()).Ping(t.Context()).Err())
	p.Refuse()
	if err := dial(t, p.URL()).Ping(t.Context()).Err(); err == nil {
		t.Error("a connection that was refused works")
	}
	p.Allow()
	must(t, dial(t, p.URL()).Ping(t.Context()).Err())
}

func TestFreezeHoldsBytesBack(t *testing.T) {
	s, p, rdb := proxied(t)
	p.Freeze()
	got := make(chan error, 1)
	go func() { got <- rdb.Incr(context.Background(), "n").Err() }()
	select {
	case err := <-got:
		t.Errorf("there was a reply: %v", err)
	case <-time.After(50 * time.Millisecond): // too short would only make the test see less
	}
	wantNumber(t, s, "n", 0)
	p.Thaw()
	must(t, <-got)
	wantNumber(t, s, "n", 1)
}

func TestFrozenProxyEnds(t *testing.T) {
	_, p, rdb := proxied(t)
	p.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err == nil {
		t.Error("there was a reply")
	}
	p.close() // it would hang if a connection did
}

func TestNetworkWorksAgainWhenClientsAreClosed(t *testing.T) {
	s := Start(t)
	for name, fault := range map[string]func(*Proxy){
		"refuse": (*Proxy).Refuse,
		"freeze": (*Proxy).Freeze,
		"faults": func(p *Proxy) { p.Faults(1, Rates{LoseRequest: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			p := StartProxy(t, s.Addr())
			rdb := dial(t, p.URL())
			t.Cleanup(func() {
				if err := rdb.Ping(context.Background()).Err(); err != nil {
					t.Error(err)
				}
			})
			fault(p)
		})
	}
}

func TestDeafSubscriber(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint("RESP", protocol), func(t *testing.T) {
			s := Start(t)
			p := StartProxy(t, s.Addr())
			rdb := dial(t, fmt.Sprintf("%s?protocol=%d", p.URL(), protocol))
			sub := rdb.Subscribe(t.Context(), "news", "more")
			defer sub.Close()
			for range 2 {
				if _, err := sub.ReceiveTimeout(t.Context(), patience); err != nil {
					t.Fatal(err)
				}
			}
			publish := func(text string) { must(t, s.Redis().Publish(t.Context(), "news", text).Err()) }
			publish("one")
			wantMessage(t, sub, "one")
			p.Deafen()
			publish("two")
			// The reply to PING comes after what was published before it.
			must(t, sub.Ping(t.Context(), "still there"))
			if reply, err := sub.ReceiveTimeout(t.Context(), patience); err != nil || !strings.Contains(fmt.Sprint(reply), "still there") {
				t.Fatalf("%v, %v", reply, err)
			}
			p.Hear()
			publish("three")
			wantMessage(t, sub, "three")
			if n := p.InFlight(); n != 0 {
				t.Errorf("%d requests wait for a reply", n)
			}
		})
	}
}

func wantMessage(t *testing.T, sub *redis.PubSub, want string) {
	t.Helper()
	reply, err := sub.ReceiveTimeout(t.Context(), patience)
	if m, ok := reply.(*redis.Message); err != nil || !ok || m.Payload != want {
		t.Fatalf("received %v, %v; want %q", reply, err, want)
	}
}

// TestFaultsByChance compares what clients and server counted: a request that is lost leaves no trace, one whose reply
// is lost does.
func TestFaultsByChance(t *testing.T) {
	s, p, rdb := proxied(t)
	const calls = 2000
	p.Faults(1, Rates{LoseRequest: 0.02, LoseReply: 0.03, Delay: 0.01, MaxDelay: time.Millisecond})
	failed := 0
	for range calls {
		if rdb.Incr(t.Context(), "n").Err() != nil {
			failed++
		}
	}
	p.Calm()
	counts := p.Counts()
	if counts.LostRequests == 0 || counts.LostReplies == 0 || counts.Delays == 0 {
		t.Errorf("not all faults happened: %+v", counts)
	}
	n, err := s.Redis().Get(t.Context(), "n").Int()
	must(t, err)
	// Some faults hit what go-redis says at the beginning of a connection.
	if n < calls-failed || n > calls-failed+counts.LostReplies {
		t.Errorf("%d calls of %d failed, %+v, and the server has run %d", failed, calls, counts, n)
	}
	if lost := counts.LostReplies + counts.LostRequests; failed == 0 || failed > lost {
		t.Errorf("%d calls failed by %d faults", failed, lost)
	}
	for range 100 {
		must(t, rdb.Incr(t.Context(), "n").Err())
	}
	if p.Counts() != counts {
		t.Errorf("after Calm there were faults: %+v, before %+v", p.Counts(), counts)
	}
}

func TestSameSeedSameFaults(t *testing.T) {
	run := func() []bool {
		_, p, rdb := proxied(t)
		conn := make([]bool, 0, 200)
		p.Faults(7, Rates{LoseReply: 0.05, LoseRequest: 0.05})
		for range 200 {
			conn = append(conn, rdb.Incr(t.Context(), "n").Err() == nil)
		}
		return conn
	}
	if a, b := fmt.Sprint(run()), fmt.Sprint(run()); a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
}

func TestProxyOfServerThatIsDown(t *testing.T) {
	s, p, rdb := proxied(t)
	s.Kill()
	if err := rdb.Ping(t.Context()).Err(); err == nil {
		t.Error("there was a reply")
	}
	s.Restart()
	must(t, dial(t, p.URL()).Ping(t.Context()).Err())
}

func TestReadReply(t *testing.T) {
	for _, frame := range []string{
		"+OK\r\n", "-ERR x\r\n", ":1\r\n", ",1.5\r\n", "#t\r\n", "(12345\r\n", "_\r\n", "$-1\r\n", "*-1\r\n", "$0\r\n\r\n",
		"$5\r\n\r\n+\r\n\r\n", "!5\r\nERR x\r\n", "=6\r\ntxt:ab\r\n", "*0\r\n", "*2\r\n*1\r\n:1\r\n$1\r\na\r\n", "~1\r\n:1\r\n",
		">2\r\n+a\r\n:1\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n", "|1\r\n+ttl\r\n:3\r\n:7\r\n",
	} {
		got, err := readReply(bufio.NewReader(strings.NewReader(frame+"+next\r\n")), nil)
		if err != nil || string(got) != frame {
			t.Errorf("%q was read as %q, %v", frame, got, err)
		}
	}
	for _, bad := range []string{"", "\r\n", "?\r\n", "$x\r\n", "*x\r\n", "$5\r\nab\r\n", "*2\r\n:1\r\n", "+OK"} {
		if got, err := readReply(bufio.NewReader(strings.NewReader(bad)), nil); err == nil {
			t.Errorf("%q was read as %q", bad, got)
		}
	}
}

func TestReadRequest(t *testing.T) {
	for frame, want := range map[string]string{
		"PING x\r\n":                                      "0 ",
		"*1\r\n$4\r\nPING\r\n":                            "1 ping",
		"*2\r\n$3\r\nGET\r\n$1\r\na\r\n":                  "2 get",
		"*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n": "3 subscribe",
	} {
		got, err := readRequest(bufio.NewReader(strings.NewReader(frame+"*1\r\n")), nil)
		if err != nil || string(got) != frame {
			t.Errorf("%q was read as %q, %v", frame, got, err)
		}
		if n, name := head(got); fmt.Sprint(n, " ", name) != want {
			t.Errorf("the head of %q: %d %q", frame, n, name)
		}
	}
}
