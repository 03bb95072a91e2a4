package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// someRows are one that meets its goal, one that misses it, and one that misses it by far.
func someRows(t *testing.T) *report {
	t.Helper()
	r := &report{Machine: machine{Cores: 2, Go: "go1", Redis: "7.0.15", Before: "0.10", After: "0.90"}}
	speedup := &rounds{}
	speedup.addSpeedup("primes_speedup", time.Second, 2*time.Second)
	for _, err := range []error{
		r.add(reportOf(row{name: "each_vs_asynq", unit: perSecond}, []sample{{1e6, 1e4, 100}, {9e5, 1e4, 90}, {1.1e6, 1e4, 110}})),
		r.add(reportOf(row{name: "store64_vs_raw", unit: perSecond}, []sample{{90_000, 80_000, 1.125}})),
		r.add(reportOf(row{name: "uneven", unit: inSeconds}, []sample{{520e-6, 130e-6, 4}})),
		r.add(reportOf(row{name: "primes_speedup", unit: inSeconds}, speedup.samples["primes_speedup"])),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestTable(t *testing.T) {
	var out strings.Builder
	if err := someRows(t).print(&out, &options{}); err != nil {
		t.Fatal(err)
	}
	const want = `2 cores, go1, Redis 7.0.15, persistence off, load 0.10 before and 0.90 after

name            ours      theirs    ratio  goal    spread  rounds  
each_vs_asynq   1.00 M/s  10.0 k/s  100    ≥ 50    20 %    3       
store64_vs_raw  90.0 k/s  80.0 k/s  1.12   ≥ 1.5   0 %     1       missed
uneven          520 µs    130 µs    4      ≤ 1.05  0 %     1       missed by far
primes_speedup  1.00 s    2.00 s    2      ≥ 1.85  0 %     1       
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	var out strings.Builder
	if err := someRows(t).print(&out, &options{json: true}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Ratios map[string]float64
		Rows   []struct {
			Name, Goal string
			Rounds     int
		}
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Ratios) != 4 || got.Ratios["each_vs_asynq"] != 100 || got.Ratios["uneven"] != 4 || got.Rows[0].Rounds != 3 {
		t.Errorf("%s", out.String())
	}
	if !strings.HasPrefix(out.String(), `{"ratios":{"each_vs_asynq":100,`) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("not one line that begins with the ratios: %s", out.String())
	}
}

func TestCheck(t *testing.T) {
	err := someRows(t).check()
	if err == nil || strings.Contains(err.Error(), "store64") || !strings.Contains(err.Error(), "uneven is 4") {
		t.Errorf("got %v", err)
	}
}

func TestNotANumber(t *testing.T) {
	for _, samples := range [][]sample{nil, {{1, 0, math.Inf(1)}}} {
		if err := new(report).add(reportOf(row{name: "x"}, samples)); err == nil {
			t.Errorf("%v makes a row", samples)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, tc := range []struct {
		unit unit
		x    float64
		want string
	}{
		{perSecond, 1_234_567, "1.23 M/s"},
		{perSecond, 12_345, "12.3 k/s"},
		{perSecond, 123, "123 /s"},
		{inBytes, 15.8, "15.8 B"},
		{inSeconds, 12.34, "12.3 s"},
		{inSeconds, 0.1234, "123 ms"},
		{inSeconds, 0.0000123, "12.3 µs"},
		{share, 0.97, "0.970"},
	} {
		if got := tc.unit.format(tc.x); got != tc.want {
			t.Errorf("%g: %q, want %q", tc.x, got, tc.want)
		}
	}
}

func TestCurves(t *testing.T) {
	var p panel
	p.Name, p.Title, p.X, p.Y = "elements", "how it grows", "elements", "seconds"
	for _, n := range []float64{1e4, 1e5} {
		p.add("ours", n, n/1e6)
		p.add("theirs", n, n*n/1e6)
	}
	for _, format := range []string{".png", ".svg", ".pdf"} {
		file := filepath.Join(t.TempDir(), "curves"+format)
		var out strings.Builder
		r := report{Curves: []panel{p, p, p}}
		if err := r.print(&out, &options{plot: file}); err != nil {
			t.Fatal(err)
		}
		if picture, err := os.Stat(file); err != nil || picture.Size() < 1000 {
			t.Errorf("%s: %v", format, err)
		}
		if !strings.Contains(out.String(), "elements  ours    theirs  \n10000     0.01    100     \n100000    0.1     10000   \ngrows as  x^1.00  x^2.00  \n") {
			t.Errorf("it printed\n%s", out.String())
		}
	}
	if err := drawPanels([]panel{p}, "curves.doc"); err == nil {
		t.Error("a picture of no known format")
	}
}

func TestRounds(t *testing.T) {
	r := &rounds{most: 3}
	n := 0
	for r.next() {
		n++
	}
	if n != 3 {
		t.Errorf("%d rounds, want 3", n)
	}
	r = &rounds{most: 3, budget: time.Nanosecond}
	for n = 0; r.next(); n++ {
		time.Sleep(time.Microsecond)
	}
	if n != 1 {
		t.Errorf("%d rounds without any time, want 1", n)
	}
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"--quick", "--only", "each_vs_unsafe,sizes"}, &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	if !o.quick || !o.wantsRow("each_vs_unsafe") || o.wantsRow("uneven") || !o.wantsCurve("sizes") || o.wantsCurve("slots") {
		t.Errorf("%+v", o)
	}
	for _, args := range [][]string{{"--only", "nothing"}, {"more"}, {"--repeats", "0"}, {"--unknown"}} {
		var stderr strings.Builder
		if _, err := parse(args, &stderr); err == nil || stderr.Len() == 0 {
			t.Errorf("%v: %v, and it says %q", args, err, stderr.String())
		}
	}
	seen := map[string]bool{}
	for _, name := range allNames() {
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
	}
}

func TestDocs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "performance.md")
	before := "# Title\n\n<!-- bench: rows -->\nold rows\n<!-- end: rows -->\nbetween\n<!-- bench: elements -->\n<!-- end: elements -->\n" +
		"<!-- bench: carry -->\nold study\n<!-- end: carry -->\nafter\n"
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	r := someRows(t)
	p := panel{Name: "elements", Title: "how it grows", X: "elements", Y: "seconds"}
	p.add("ours", 10, 1)
	p.add("ours", 100, 20)
	p.Steps = p.findSteps(nil)
	r.Curves = []panel{p}
	if err := r.writeDocs(dir, &options{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Title\n", "2 cores, go1", "\n| `uneven` | log-normal times", "| 520 µs | 130 µs | 4 | ≤ 1.05 | 0 % | missed by far |\n",
		"<!-- end: rows -->\nbetween\n<!-- bench: elements -->\n", "![how it grows](performance/elements.svg)", "| 100 | 20 |\n",
		"old study", "after\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old rows") {
		t.Errorf("old rows are left in\n%s", text)
	}
	if picture, err := os.ReadFile(filepath.Join(dir, "performance", "elements.svg")); err != nil || !strings.Contains(string(picture), "<svg") {
		t.Errorf("the picture: %v", err)
	}
	r.Studies = []*sheet{{Name: "shards"}}
	if err := r.writeDocs(dir, &options{}); err == nil || !strings.Contains(err.Error(), "bench: shards") {
		t.Errorf("without marks: %v", err)
	}
}
