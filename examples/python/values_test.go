package python_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/workspace"
)

// All values mean the same on both sides (V8).
func TestValues(t *testing.T) {
	s := newSite(t)
	for _, text := range []string{
		`""`, `null`, `0`, `[]`, `{}`, `false`, `"Grüße, 世界 🌍\u0000\n"`, `"<a href=\"x\">&</a>"`, `9007199254740993`,
		`-1.5e-300`, `{"b":[1,{"ä":null}],"a":""}`, `[[],[""]]`,
	} {
		var value any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		s.must(decoder.Decode(&value))
		s.must(s.ws.Store(s.ctx, "to python", value))
		s.py.do("store", "to go", value)

		s.same("found by Python", s.py.do("find", "to python"), text)
		s.same("found by Python, trying", s.py.do("find_try", "to python"), text)
		s.same("fetched by Python", s.py.do("fetch_try", "to python"), text)
		s.same("found by Go", s.wantValue(s.start(s.ws.Find, "to go")), text)
		s.same("fetched by Go", s.wantValue(s.start(s.ws.Fetch, "to go")), text)
	}
	s.equal("where there is nothing", s.py.do("fetch_try", "to python"), "null")
	s.wantEmpty("to go")

	const verbatim = " [1,  2] not JSON"
	s.must(s.ws.Store(s.ctx, "bytes", []byte(verbatim)))
	s.py.wantError(s.py.start("fetch", "bytes"), "JSONDecodeError")
	s.equal("what does not decode stays", s.py.do("fetch_bytes", "bytes"), `" [1,  2] not JSON"`)
	s.py.do("store_bytes", "bytes", verbatim)
	var text []byte
	s.must(s.ws.Fetch(s.ctx, "bytes", &text))
	s.equal("bytes of Python", string(text), verbatim)
}

func TestIFind(t *testing.T) {
	s := newSite(t)
	s.must(s.ws.StoreAll(s.ctx, "v", "", nil, 0, []int{}))
	s.equal("what is there", s.py.do("ifind_try", "v"), `["", null, 0, []]`)
	iterator := s.py.start("ifind", "v", 6)
	s.waiting("v", 0, 1)
	s.must(s.ws.Store(s.ctx, "v", 4))
	s.waiting("v", 0, 1)
	s.must(s.ws.Fetch(s.ctx, "v", new(any))) // is not given again, and shifts nothing
	s.must(s.ws.Store(s.ctx, "v", 5))
	s.equal("what came meanwhile too", s.py.wantValue(iterator), `["", null, 0, [], 4, 5]`)
	s.equal("what is still there", s.py.do("ifind_try", "v"), `[null, 0, [], 4, 5]`)

	s.must(s.ws.Declare(s.ctx, "lifo", workspace.LIFO))
	s.py.wantError(s.py.start("ifind", "lifo", 1), "DeclaredError")
}

func TestModes(t *testing.T) {
	s := newSite(t)
	for _, mode := range []workspace.Mode{workspace.FIFO, workspace.LIFO, workspace.Multi, workspace.Single} {
		name := string(mode)
		s.py.do("declare", name, name)
		s.must(s.ws.Declare(s.ctx, name, mode))
		s.py.do("declare", name, name)
		s.py.do("store", name, 1, 2)
	}
	s.py.wantError(s.py.start("declare", "lifo", "fifo"), "DeclaredError")
	s.py.wantError(s.py.start("declare", "lifo", "queue"), "ValueError")
	if err := s.ws.Declare(s.ctx, "single", workspace.FIFO); !errors.Is(err, workspace.ErrDeclared) {
		t.Errorf("%v, want ErrDeclared", err)
	}
	for mode, want := range map[string]string{"fifo": "1", "lifo": "2", "single": "2"} {
		s.equal(mode, s.py.do("find", mode), want)
		s.equal(mode, s.py.do("fetch", mode), want)
	}
	if got := s.py.do("fetch", "multi") + s.py.do("fetch", "multi"); got != "12" && got != "21" {
		t.Errorf("multi gave %s", got)
	}
}
