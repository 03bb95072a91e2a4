package workspacetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

// fuzzed opens the workspace in which all inputs of a fuzz target are tried, one after the other.
func fuzzed(f *testing.F, rdb *redisx.Client) *workspace.Workspace {
	ws, err := workspace.Open(f.Context(), rdb, "fuzz", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = ws.Close() })
	return ws
}

// FuzzValues stores any bytes into a variable of any name, and has to get them back by each verb.
func FuzzValues(f *testing.F, rdb *redisx.Client) {
	f.Add("v", []byte("value"), []byte("other"))
	f.Add("", []byte{}, []byte{0})
	f.Add("a b\n{c}:d", []byte("+1 x"), []byte("=1"))
	f.Add("\xff\x00", []byte("*1\r\n$3\r\nabc\r\n"), []byte(nil))
	ws := fuzzed(f, rdb)
	f.Fuzz(func(t *testing.T, variable string, first, second []byte) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, got, want []byte) {
			t.Helper()
			if !bytes.Equal(got, want) {
				t.Fatalf("%s gave %q, want %q", what, got, want)
			}
		}
		var text []byte
		must(ws.StoreAll(ctx, variable, first, second))
		must(ws.Find(ctx, variable, &text))
		want("Find", text, first)
		claim, err := ws.Claim(ctx, variable, &workspace.ClaimOptions{Max: 2})
		must(err)
		if len(claim.Values) != 2 {
			t.Fatalf("%d values claimed", len(claim.Values))
		}
		want("Claim", claim.Values[0].Text, first)
		want("Claim", claim.Values[1].Text, second)
		must(claim.Release(ctx, claim.Values[1].Index))
		must(ws.Fetch(ctx, variable, &text))
		want("Fetch of what was released", text, second)
		outcome := workspace.Outcome{Index: claim.Values[0].Index, Into: variable, Value: first}
		must(claim.Settle(ctx, outcome))
		infos, err := ws.ListVars(ctx)
		must(err)
		values := 1
		if variable == "" { // which stands for none
			values = 0
		}
		if !slices.Equal(infos, []workspace.VarInfo{{Name: variable, Mode: workspace.FIFO, Values: values}}) {
			t.Fatalf("listed: %+v", infos)
		}
		if values == 1 {
			must(ws.Fetch(ctx, variable, &text))
			want("Fetch of what was settled", text, first)
		}
		must(ws.DeleteVar(ctx, variable))
		if known, err := ws.Known(ctx, variable); known || err != nil {
			t.Fatalf("after DeleteVar it is known: %t, %v", known, err)
		}
	})
}

// FuzzTyped reads any bytes into values of several types: they convert as encoding/json has it, or that is ErrValue, and the
// value stays.
func FuzzTyped(f *testing.F, rdb *redisx.Client) {
	for _, text := range []string{
		"", "1", "null", `"a"`, `{"Name":"Ada","Age":36}`, "[1,2", "1e400", "9007199254740993", "\xff",
	} {
		f.Add([]byte(text))
	}
	ws := fuzzed(f, rdb)
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, types := range [][2]any{
			{new(int), new(int)}, {new(string), new(string)}, {new(float64), new(float64)}, {new(person), new(person)},
			{new([]int), new([]int)}, {new(any), new(any)}, {new(map[string]person), new(map[string]person)},
		} {
			got, want := types[0], types[1]
			wantErr := json.Unmarshal(text, want)
			if err := ws.Store(t.Context(), "v", text); err != nil {
				t.Fatal(err)
			}
			_, findErr := ws.TryFind(t.Context(), "v", got)
			ok, err := ws.TryFetch(t.Context(), "v", got)
			if ok != (err == nil) || (err == nil) != (wantErr == nil) || (findErr == nil) != (err == nil) {
				t.Fatalf("%q into %T: %t, %v, %v; json says %v", text, got, ok, err, findErr, wantErr)
			}
			if err != nil {
				if !errors.Is(err, workspace.ErrValue) {
					t.Fatalf("%q into %T: %v", text, got, err)
				}
				var stays []byte
				if ok, err := ws.TryFetch(t.Context(), "v", &stays); !ok || err != nil || !bytes.Equal(stays, text) {
					t.Fatalf("%q is %q after it did not convert: %t, %v", text, stays, ok, err)
				}
				continue
			}
			gotText, _ := json.Marshal(got)
			wantText, _ := json.Marshal(want)
			if !bytes.Equal(gotText, wantText) {
				t.Fatalf("%q into %T gave %s, want %s", text, got, gotText, wantText)
			}
		}
		if ok, err := ws.TryFetch(t.Context(), "v", new([]byte)); ok || err != nil {
			t.Fatalf("a value is left: %t, %v", ok, err)
		}
	})
}
