package workspacetest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/netspaces/netspaces/workspace"
)

var valueTests = []test{
	{"V8AnyValue", v8AnyValue},
	{"V8AnyBytes", v8AnyBytes},
	{"V8AnyVariableName", v8AnyVariableName},
	{"V8ReadableInRedis", v8ReadableInRedis},
	{"V8BadValue", v8BadValue},
}

type person struct {
	Name string
	Age  int `json:",omitempty"`
}

// v8AnyValue sends each value by way of the list, and again to a find and a fetch that wait for it.
func v8AnyValue(s *site) {
	ws := s.open()
	number := int64(1)<<53 + 1
	for _, want := range []any{
		"", 0, false, true, 0.1, -1, number, -number, []int{}, []int{0}, []string{""}, map[string]int{}, person{},
		person{"Ada", 36}, "a\nb\r\nc", "a:b", "$3\r\nabc\r\n", "ünïcödé \u2028 <&>", "\x00", "null", "=1", "+x", "?", "-",
		strings.Repeat("long ", 1<<17), [3]int{1, 2, 3}, (*int)(nil),
	} {
		into := func() any { return reflect.New(reflect.TypeOf(want)).Interface() }
		check := func(verb string, got any, err error) {
			s.Helper()
			if err != nil || !reflect.DeepEqual(reflect.ValueOf(got).Elem().Interface(), want) {
				s.Errorf("%s of %T %.50q gave %.50q, %v", verb, want, want, reflect.ValueOf(got).Elem(), err)
			}
		}
		s.store(ws, "v", want)
		got := into()
		_, err := ws.TryFind(s.ctx, "v", got)
		check("TryFind", got, err)
		got = into()
		check("Fetch", got, ws.Fetch(s.ctx, "v", got))

		waited := []any{into(), into()}
		errs := make(chan error, 1)
		go func() { errs <- ws.Find(s.ctx, "v", waited[0]) }()
		s.waiting(ws, "v", 0, 1)
		fetched := make(chan error, 1)
		go func() { fetched <- ws.Fetch(s.ctx, "v", waited[1]) }()
		s.waiting(ws, "v", 1, 1)
		s.store(ws, "v", want)
		check("waiting Find", waited[0], <-errs)
		check("waiting Fetch", waited[1], <-fetched)
		s.holds(ws, "v")
	}

	s.store(ws, "v", nil)
	var got any = "something"
	if ok, err := ws.TryFetch(s.ctx, "v", &got); !ok || err != nil || got != nil {
		s.Errorf("nil came as %v, %t, %v", got, ok, err)
	}
}

func v8AnyBytes(s *site) {
	ws := s.open()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, want := range [][]byte{{}, {0}, {0xff, 0xfe}, every, []byte("\xc3("), []byte("=7"), bytes.Repeat(every, 5000)} {
		s.store(ws, "v", want)
		s.holds(ws, "v", string(want))
		finder := s.find(ws, "v")
		s.waiting(ws, "v", 0, 1)
		fetcher := s.fetch(ws, "v")
		s.waiting(ws, "v", 1, 1)
		s.store(ws, "v", want)
		finder.gets(string(want))
		fetcher.gets(string(want))
		s.store(ws, "v", want)
		claim, err := ws.Claim(s.ctx, "v", nil)
		s.must(err)
		if got := claim.Values[0].Text; !bytes.Equal(got, want) {
			s.Errorf("claimed %.50q, want %.50q", got, want)
		}
		s.must(claim.Settle(s.ctx, workspace.Outcome{Index: claim.Values[0].Index, Into: "v", Value: want}))
		s.holds(ws, "v", string(want))
	}
	s.store(ws, "v", []byte(nil), json.RawMessage(` {"as": "it is"} `), json.RawMessage(nil))
	s.holds(ws, "v", "", ` {"as": "it is"} `, "")
}

func v8AnyVariableName(s *site) {
	ws := s.open()
	names := []string{
		"", " ", "a b", "a:b", ":", "v:x:y", "{v}", "}{", "ünïcödé", "line\nbreak", "\x00\xff", "0", "=1", "%d", "a/b",
		strings.Repeat("n", 1000),
	}
	for i, name := range names {
		s.store(ws, name, i)
		waiter := s.fetch(ws, name+"'s waiter")
		s.waiting(ws, name+"'s waiter", 1, 0)
		s.store(ws, name+"'s waiter", i)
		waiter.end()
		s.must(waiter.err)
	}
	for i, name := range names {
		var got int
		if ok, err := ws.TryFetch(s.ctx, name, &got); !ok || got != i || err != nil {
			s.Errorf("variable %q: %d, %t, %v; want %d", name, got, ok, err, i)
		}
	}
	infos, err := ws.ListVars(s.ctx)
	if s.must(err); len(infos) != 2*len(names) {
		s.Errorf("%d variables are listed, want %d", len(infos), 2*len(names))
	}
	for _, name := range names {
		s.must(ws.DeleteVar(s.ctx, name))
	}
}

func v8ReadableInRedis(s *site) {
	ws := s.open()
	s.store(ws, "v", person{"Ada <&>", 36}, "text", 1.5)
	got, err := s.admin.LRange(s.ctx, s.key("values", "v"), 0, -1).Result()
	s.must(err)
	if want := []string{`{"Name":"Ada <&>","Age":36}`, `"text"`, `1.5`}; !reflect.DeepEqual(got, want) {
		s.Fatalf("redis-cli shows %q, want %q", got, want)
	}
}

// A value that does not convert is an error that names the variable, and stays; few values are stored all or none.
func v8BadValue(s *site) {
	ws := s.open()
	s.wantErr(ws.Store(s.ctx, "v", make(chan int)), workspace.ErrValue)
	s.wantErr(ws.StoreAll(s.ctx, "v", 1, func() {}), workspace.ErrValue)
	s.holds(ws, "v")

	s.store(ws, "v", "text", "text")
	var n int
	_, err := ws.TryFind(s.ctx, "v", &n)
	s.wantErr(err, workspace.ErrValue)
	s.wantErr(ws.Fetch(s.ctx, "v", &n), workspace.ErrValue)
	if !strings.Contains(err.Error(), `"v"`) {
		s.Errorf("error %q does not name the variable", err)
	}
	s.holds(ws, "v", `"text"`, `"text"`)
}
