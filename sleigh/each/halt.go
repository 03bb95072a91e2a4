package each

import (
	"fmt"
	"strconv"
	"strings"
)

// Halt says when a run is to stop before all items are done. The zero value is never.
type Halt struct {
	Now     bool   // running commands are killed; else they may end
	Why     string // what is counted: "fail", "success" or "done"; "" is never
	Count   int    // so many
	Percent int    // or so many of a hundred; of all items, which are read first to be counted, where Options.Total is 0
}

var oldHalts = map[string]string{"0": "never", "1": "soon,fail=1", "2": "now,fail=1", "-1": "soon,success=1", "-2": "now,success=1"}

// ParseHalt reads when to stop as GNU parallel's --halt has it: never; soon or now, a comma, fail, success or done, =, and a
// number, which may be followed by %. 0, 1, 2, -1, -2 and 5% are its old forms of never; soon,fail=1; now,fail=1;
// soon,success=1; now,success=1 and soon,fail=5%.
func ParseHalt(text string) (Halt, error) {
	long := text
	if old, ok := oldHalts[text]; ok {
		long = old
	} else if _, err := strconv.ParseUint(strings.TrimSuffix(text, "%"), 10, 8); err == nil && strings.HasSuffix(text, "%") {
		long = "soon,fail=" + text
	}
	if long == "never" {
		return Halt{}, nil
	}
	when, condition, _ := strings.Cut(long, ",")
	why, limit, _ := strings.Cut(condition, "=")
	number, percent := strings.CutSuffix(limit, "%")
	n, err := strconv.Atoi(number)
	h := Halt{Now: when == "now", Why: why, Count: n}
	if percent {
		h.Count, h.Percent = 0, n
	}
	if (when != "now" && when != "soon") || why == "" || err != nil || n < 1 || h.check() != nil {
		return Halt{}, fmt.Errorf("each: bad halt %q: never, or like now,fail=1: now or soon, and fail, success or done, and a number or 1%% to 100%%", text)
	}
	return h, nil
}

// String is what ParseHalt reads.
func (h Halt) String() string {
	switch {
	case h.Why == "":
		return "never"
	case h.Percent > 0:
		return fmt.Sprintf("%s,%s=%d%%", h.when(), h.Why, h.Percent)
	}
	return fmt.Sprintf("%s,%s=%d", h.when(), h.Why, h.Count)
}

func (h Halt) when() string {
	if h.Now {
		return "now"
	}
	return "soon"
}

func (h Halt) check() error {
	known := h.Why == "fail" || h.Why == "success" || h.Why == "done"
	oneLimit := (h.Count > 0) != (h.Percent > 0)
	if h.Why != "" && (!known || !oneLimit || h.Count < 0 || h.Percent < 0 || h.Percent > 100) {
		return fmt.Errorf("each: bad Halt %+v", h)
	}
	return nil
}

// isReached reports whether it is time, with so many items done, of which some failed. The total is -1 if it is not known.
func (h Halt) isReached(done, failed, total int) bool {
	n := done
	switch h.Why {
	case "":
		return false
	case "fail":
		n = failed
	case "success":
		n = done - failed
	}
	if h.Percent > 0 {
		return n > 0 && total >= 0 && n*100 >= total*h.Percent
	}
	return n >= h.Count
}
