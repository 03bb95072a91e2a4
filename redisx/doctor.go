package redisx

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Report is what Doctor has found.
type Report struct {
	Server string  `json:"server"` // as Client.String names it
	Checks []Check `json:"checks"`
}

// Check is one thing that was looked at.
type Check struct {
	Name   string     `json:"name"`
	State  CheckState `json:"state"`
	Detail string     `json:"detail"`           // what was found
	Advice string     `json:"advice,omitempty"` // what to do about it
}

// CheckState says how a check came out.
type CheckState string

// The outcomes of a check.
const (
	CheckOK      CheckState = "ok"
	CheckWarning CheckState = "warning" // it works, but there is something to do
	CheckNA      CheckState = "n/a"     // it cannot be known here, as where a managed Redis refuses to tell
	CheckFailed  CheckState = "failed"  // workspaces do not work with this
)

const (
	doctorTimeout = 30 * time.Second
	detailWidth   = 120 // of an error that is repeated
	maxDetails    = 6   // of masters of a cluster where not all are alike
)

// Doctor looks at how well this Redis serves workspaces: connection, version, cluster, eviction policy, memory headroom,
// persistence, rights, round-trip time and clock, each as a Check with what to do about it. Of a cluster it looks at all
// masters. It changes no configuration, and leaves no key behind.
//
// It blocks for about a second, and no longer than ctx lasts or 30 s. It never fails as a whole: where no Redis answers,
// the check "connection" has failed and says why, and the others are n/a. It uses connections of its own.
func (c *Client) Doctor(ctx context.Context) Report {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	report := Report{Server: c.label}

	patients, end, connection := c.patients(ctx)
	defer end()
	connection.Name = "connection"
	report.Checks = append(report.Checks, connection)
	for _, check := range []struct {
		name string
		look func(*patient, context.Context) Check
	}{
		{"version", (*patient).version},
		{"cluster", (*patient).cluster},
		{"eviction policy", (*patient).eviction},
		{"memory headroom", (*patient).memory},
		{"persistence", (*patient).persistence},
		{"rights", (*patient).rights},
		{"round-trip time", (*patient).roundTrip},
		{"clock", (*patient).clock}, // the last, so that it has seen some time go by
	} {
		verdict := Check{State: CheckNA, Detail: "there is no connection"}
		if len(patients) > 0 {
			verdict = examine(patients, func(p *patient) Check { return check.look(p, ctx) })
		}
		verdict.Name = check.name
		report.Checks = append(report.Checks, verdict)
	}
	return report
}

// State is the worst of all checks; n/a counts as ok.
func (r Report) State() CheckState {
	worst := CheckOK
	for _, check := range r.Checks {
		if check.State != CheckNA && check.State.badness() > worst.badness() {
			worst = check.State
		}
	}
	return worst
}

// String is the report for people: a line for each check, and one below it with what to do.
func (r Report) String() string {
	width := 0
	for _, check := range r.Checks {
		width = max(width, len(check.Name))
	}
	var text strings.Builder
	for _, check := range r.Checks {
		fmt.Fprintf(&text, "%-*s  %-7s  %s\n", width, check.Name, check.State, check.Detail)
		if check.Advice != "" {
			fmt.Fprintf(&text, "%-*s  %-7s  -> %s\n", width, "", "", check.Advice)
		}
	}
	return text.String()
}

func (s CheckState) badness() int {
	return map[CheckState]int{CheckOK: 0, CheckNA: 1, CheckWarning: 2, CheckFailed: 3}[s]
}

// examine looks at each server, and gives the worst that was found with the names of the servers that it holds for.
func examine(patients []*patient, look func(*patient) Check) Check {
	var worst Check
	var details []string
	where := map[string][]string{} // detail -> names
	for i, p := range patients {
		found := look(p)
		if i == 0 || found.State.badness() > worst.State.badness() {
			worst, details, where = found, nil, map[string][]string{}
		}
		if found.State == worst.State {
			if where[found.Detail] == nil {
				details = append(details, found.Detail)
			}
			where[found.Detail] = append(where[found.Detail], p.name)
		}
	}
	if len(patients) == 1 {
		return worst
	}
	for i, detail := range details {
		names := strings.Join(where[detail], ", ")
		if len(where[detail]) == len(patients) {
			names = fmt.Sprintf("all %d masters", len(patients))
		}
		details[i] = names + ": " + detail
	}
	worst.Detail = strings.Join(details[:min(len(details), maxDetails)], "; ")
	if more := len(details) - maxDetails; more > 0 {
		worst.Detail += fmt.Sprintf("; and %d more", more)
	}
	return worst
}

// brief is an error's text in one line of some width.
func brief(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) <= detailWidth {
		return text
	}
	cut := detailWidth
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
