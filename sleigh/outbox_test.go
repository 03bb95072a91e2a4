package sleigh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// mailbox is a Redis that takes lines, or not.
type mailbox struct {
	takes time.Duration // for each page

	mu    sync.Mutex
	got   []string // lines, "-n" for n that were left out, and "/" after each page
	times []time.Time
	fail  error
}

func (m *mailbox) outbox() *outbox {
	o := &outbox{}
	o.page = func(_, left int, lines []printed) ([]byte, int) {
		n := min(len(lines), 100)
		var texts []string
		if left > 0 {
			texts = append(texts, fmt.Sprint("-", left))
		}
		for _, l := range lines[:n] {
			texts = append(texts, l.Text)
		}
		return []byte(strings.Join(texts, " ")), n
	}
	o.store = func(ctx context.Context, text []byte) error {
		select {
		case <-time.After(m.takes):
		case <-ctx.Done():
			return ctx.Err()
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.fail != nil {
			return m.fail
		}
		m.got = append(append(m.got, strings.Fields(string(text))...), "/")
		m.times = append(m.times, time.Now())
		return nil
	}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o
}

// read takes what is there.
func (m *mailbox) read() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}

func (m *mailbox) want(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(m.read(), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func (m *mailbox) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// TestS14Outbox sends the first line at once, and those that follow some time later together.
func TestS14Outbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		o := m.outbox()
		defer o.close()
		time.Sleep(time.Hour)
		began := time.Now()
		for _, text := range []string{"a", "b", "c", "d"} {
			o.add(printed{Text: text})
			synctest.Wait()
		}
		m.want(t, "a /")
		time.Sleep(sendEvery)
		synctest.Wait()
		m.want(t, "b c d /")
		m.mu.Lock()
		if d := m.times[1].Sub(began); d != sendEvery {
			t.Errorf("sent after %v", d)
		}
		m.mu.Unlock()
		o.add(printed{Text: "e"})
		o.flush()
		synctest.Wait()
		m.want(t, "e /")
		o.add(printed{Text: strings.Repeat("f", pageBytes)}) // enough to go by itself
		synctest.Wait()
		if got := m.read(); len(got) != 2 {
			t.Errorf("got %d texts", len(got))
		}
		if o.lines() != 6 {
			t.Errorf("%d lines", o.lines())
		}
	})
}

// TestS14OutboxFails has Redis refuse lines, and then take them again.
func TestS14OutboxFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := mailbox{fail: errors.New("no memory")}
		o := m.outbox()
		o.add(printed{Text: "a"})
		synctest.Wait()
		o.add(printed{Text: "b"})
		o.flush() // it is tried again when it is time
		synctest.Wait()
		m.failWith(nil)
		time.Sleep(retryPause)
		synctest.Wait()
		m.want(t, "-1 b /")

		// What nobody is left to read goes, and no more comes.
		m.failWith(workspace.ErrNoWorkspace)
		o.add(printed{Text: "c"})
		time.Sleep(sendEvery)
		synctest.Wait()
		m.failWith(nil)
		o.add(printed{Text: "d"})
		time.Sleep(time.Hour)
		o.close()
		m.want(t, "")
	})
}

// TestS14OutboxFull prints much more than Redis takes: who prints does not wait, the oldest lines go, and are counted.
func TestS14OutboxFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := mailbox{takes: time.Minute}
		o := m.outbox()
		text := strings.Repeat("x", 1000)
		const n = 5000
		began := time.Now()
		for range n {
			o.add(printed{Text: text})
		}
		if time.Since(began) > 0 {
			t.Error("it has waited")
		}
		o.mu.Lock()
		if o.bytes > mostBytes || len(o.waiting) > mostBytes/len(text) {
			t.Errorf("%d lines of %d bytes wait", len(o.waiting), o.bytes)
		}
		o.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		lines, left := 0, 0
		for _, word := range m.read() {
			switch {
			case word == text:
				lines++
			case word != "/":
				k := 0
				if _, err := fmt.Sscanf(word, "-%d", &k); err != nil {
					t.Fatal(err)
				}
				left += k
			}
		}
		if lines+left != n || left < n/2 || lines < 500 {
			t.Errorf("%d lines and %d left out", lines, left)
		}
		o.close()
	})
}

// TestS14OutboxCloses looks for the last lines, and leaves where Redis does not take them.
func TestS14OutboxCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		o := m.outbox()
		for i := range 250 {
			o.add(printed{Text: fmt.Sprint(i)})
		}
		o.close()
		if got := strings.Join(m.read(), " "); strings.Count(got, "/") < 3 || !strings.HasSuffix(got, " 249 /") || o.lines() != 250 {
			t.Errorf("got %s", got)
		}
		o.close()

		late := mailbox{takes: time.Hour}
		o = late.outbox()
		o.add(printed{Text: "a"})
		began := time.Now()
		o.close()
		if d := time.Since(began); d != lastWords {
			t.Errorf("it took %v", d)
		}
		late.want(t, "")
	})
}
