package redisx

import (
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/netspaces/netspaces/redisx/redistest"
)

// What comes by the short way is what comes by go-redis.
func TestLineIsAsGoRedis(t *testing.T) {
	rdb := mustOpen(t, redistest.Start(t).URL())
	w := rdb.single.wires[0]
	large := strings.Repeat("x", 3*lineBuffer+1)
	for source, args := range map[string][]any{
		"return {ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], KEYS[1], #ARGV}": {
			"text", []byte("bytes\r\n"), -5, int64(1) << 60, ^uint64(0), "",
		},
		"return ARGV[1]":                       {large},
		"return {ARGV[1], {ARGV[1], ''}}":      {[]byte(large)},
		"return {}":                            nil,
		"return {1, 'a', {false, {2}, 'b'}}":   nil,
		"return false":                         nil,
		"return redis.call('PING')":            nil,
		"return redis.error_reply('MY fault')": nil,
		"return {redis.error_reply('MY own')}": nil,
		"no Lua":                               nil,
	} {
		var got [2]*call
		for i := range got {
			got[i] = &call{script: NewScript("test", source), keys: []string{"key"}, args: args}
			w.line = nil
			if i == 1 {
				w.findLine(nil)
			}
			w.used = time.Now()
			w.send(t.Context(), []*call{got[i]})
		}
		theirs, ours := got[0], got[1]
		if fmt.Sprint(theirs.err) != fmt.Sprint(ours.err) || fateOf(theirs.err) != fateOf(ours.err) {
			t.Errorf("%.40s: error %v, want %v", source, ours.err, theirs.err)
		}
		if !reflect.DeepEqual(plain(theirs.reply), plain(ours.reply)) || !ours.sent {
			t.Errorf("%.40s: %.200v, want %.200v", source, ours.reply, theirs.reply)
		}
	}
}

// plain has errors within a reply compared by what they say.
func plain(reply any) any {
	switch v := reply.(type) {
	case error:
		return v.Error()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return reply
}

// Calls that travel together have their own replies, and those that Redis does not know are loaded.
func TestLineTakesMany(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL())
	connectAll(t, rdb)
	w := rdb.single.wires[0]
	for range 2 { // at first, Redis does not know the scripts
		var batch []*call
		for i := range 200 {
			batch = append(batch, &call{script: NewScript("test", fmt.Sprintf("return ARGV[1] + %d", i%3)), args: []any{i}})
		}
		w.used = time.Now()
		w.send(t.Context(), batch)
		for i, c := range batch {
			if c.err != nil || c.reply != int64(i+i%3) {
				t.Fatalf("%d: %v, %v", i, c.reply, c.err)
			}
		}
	}
	if w.line == nil {
		t.Error("it has not gone the short way")
	}
}

// A connection that Redis has closed is found out before it is used, unless that was a moment ago.
func TestLineIsMadeAnew(t *testing.T) {
	s := redistest.Start(t)
	rdb := mustOpen(t, s.URL())
	connectAll(t, rdb)
	w := rdb.single.wires[0]
	for _, fresh := range []bool{true, false} {
		if err := s.Redis().Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
			t.Fatal(err)
		}
		w.used = time.Now()
		if !fresh {
			w.used = w.used.Add(-freshFor)
		}
		for try := 0; ; try++ {
			c := &call{script: NewScript("test", "return 1")}
			w.send(t.Context(), []*call{c})
			if c.err == nil {
				if try > 0 != fresh {
					t.Errorf("used a moment ago: %v; it took %d tries more", fresh, try)
				}
				break
			}
			if !fresh || try > 0 || fateOf(c.err) != unknown {
				t.Fatal(try, c.err)
			}
		}
	}
}

func TestLineReplies(t *testing.T) {
	for text, want := range map[string]any{
		"+OK\r\n":                               "OK",
		":-12\r\n":                              int64(-12),
		"$-1\r\n":                               nil,
		"*-1\r\n":                               nil,
		"_\r\n":                                 nil,
		"$0\r\n\r\n":                            "",
		"$2\r\n\r\n\r\n":                        "\r\n",
		"*2\r\n$1\r\na\r\n*1\r\n:1\r\n":         []any{"a", []any{int64(1)}},
		">2\r\n+push\r\n$1\r\na\r\n$1\r\nb\r\n": "b",
		"-MOVED 1 a:1\r\n":                      replyError("MOVED 1 a:1"),
		"what\r\n":                              errReply,
		"$x\r\n":                                errReply,
		"\r\n":                                  errReply,
		"+\n":                                   errReply,
		"$1\r\nabc":                             errReply,
		"%1\r\n":                                errReply,
		"$5\r\nab":                              io.EOF,
		"*2\r\n:1\r\n":                          io.EOF,
		"":                                      io.EOF,
	} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write([]byte(text))
			_ = theirs.Close()
		}()
		reply, refused, err := newLine(ours, 0, 0).reply()
		_ = ours.Close()
		switch want := want.(type) {
		case replyError:
			if !errors.Is(refused, want) || err != nil || !redis.HasErrorPrefix(refused, "MOVED ") {
				t.Errorf("%q: %v, %v", text, refused, err)
			}
		case error:
			if !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", text, err, want)
			}
		default:
			if !reflect.DeepEqual(reply, want) || refused != nil || err != nil {
				t.Errorf("%q: %v, %v, %v; want %v", text, reply, refused, err, want)
			}
		}
	}
}

// Where a server is not the master any more, the connection is not used again: its name may be that of another server by now.
func TestLineLeavesAReplica(t *testing.T) {
	server := redistest.Start(t)
	rdb := mustOpen(t, server.URL()+"?retry=200ms")
	w := rdb.single.wires[0]
	write := func() *call {
		c := &call{script: NewScript("write", "return redis.call('INCR', KEYS[1])"), keys: []string{"n"}}
		w.send(t.Context(), []*call{c})
		return c
	}
	for range 2 {
		if c := write(); c.err != nil {
			t.Fatal(c.err)
		}
	}
	w.findLine(nil)
	w.used = time.Now()
	before := w.conn
	if err := rdb.Redis().Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if c := write(); c.err == nil || !strings.HasPrefix(c.err.Error(), "READONLY ") || w.line != nil {
		t.Errorf("%v, and the line is %v", c.err, w.line)
	}
	if err := rdb.Redis().Do(t.Context(), "REPLICAOF", "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	if c := write(); c.err != nil || w.conn == before {
		t.Errorf("%v; it is another connection: %v", c.err, w.conn != before)
	}
}

// A connection that was cut after its last reply is not spoken to: the next call goes over another one, at once.
func TestLineWasCut(t *testing.T) {
	rdb := mustOpen(t, redistest.Start(t).URL())
	w := rdb.single.wires[0]
	for i := range 3 {
		if i == 2 {
			w.findLine(nil)
			w.used = time.Now()
			_ = w.conn.Close()
		}
		c := &call{script: NewScript("one", "return 1")}
		w.send(t.Context(), []*call{c})
		if c.err != nil {
			t.Errorf("call %d: %v", i, c.err)
		}
	}
}
