package workspace

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	mostAhead  = 1000                  // values of a page
	pageBytes  = 4 << 20               // what it should not be much larger than
	longPage   = 16                    // after one of so many values, those that follow are read before they are asked for
	pagesAhead = 2                     // so many of them, since there are as many connections (see redisx)
	stale      = 50 * time.Microsecond // less than a round trip, so that nobody can have taken what the loop has learnt of
	quick      = 1 << 10               // so few bytes are decoded in less than that
)

// reader is for IFind. It reads values ahead, a page at a time, and the next page while the loop uses one up. While the loop
// is fast, they must still be there; where it was not, it asks whether they are.
type reader struct {
	ws    *Workspace
	seen  int64 // the index up to which all was given
	page  *page // what is left of it; nil if there is nothing
	ahead []*nextPage
	head  int64 // of the last page
	n     int   // how many values the last page was to have
	large int   // bytes of the largest of them
	run   int   // how many of them were given since the loop was slow
	most  int   // the largest number of these
	late  bool  // the loop was slow, and nobody has asked since
	slow  bool  // it was slow with this page

	began time.Time
	came  time.Duration // since then, until it came for the last value
	long  bool          // which takes longer to decode
}

// page is some values that were read together.
type page struct {
	born  string
	head  int64 // see follow.lua
	spans []span
	count int
	last  int64 // index
	large int   // bytes of the largest value
}

// span is values whose indexes have no gap; there is at least one.
type span struct {
	index  int64 // of the first
	values []string
}

// nextPage is one that is on its way.
type nextPage struct {
	from int64 // the index after which it begins
	n    int   // how many values it is to have
	done chan struct{}
	page *page // nil if it is to be asked for again: there is nothing on it, or something went wrong
}

// newReader makes one that has read nothing.
func newReader(ws *Workspace) *reader { return &reader{ws: ws, began: time.Now(), late: true} }

func (f *reader) next() (string, bool) {
	now := time.Since(f.began) // which is read sooner than Now
	if now-f.came > stale {
		f.late, f.slow, f.run = true, true, 0
	}
	f.came = now
	if f.late || f.page == nil {
		return "", false
	}
	text := f.page.spans[0].values[0]
	f.long = len(text) > quick
	return text, true
}

func (f *reader) accept() bool {
	if f.long { // the time that decoding took is not the loop's
		f.came = time.Since(f.began)
	}
	f.seen = f.page.spans[0].index
	f.page = f.page.from(f.seen + 1)
	f.run++
	f.most = max(f.most, f.run)
	return true
}

func (f *reader) ask(ctx context.Context, q question, wait bool) (r reply, err error) {
	q.script, q.takes = followScript, "="
	defer func() { f.late, f.came = false, time.Since(f.began) }()
	if f.late && (f.page != nil || len(f.ahead) > 0) {
		if err := f.check(ctx, q); err != nil {
			return reply{}, err
		}
	}
	if f.page == nil {
		f.turn(ctx, q)
	}
	if f.page != nil {
		return reply{word: "VALUES", rest: []any{f.page.born}}, nil
	}
	n := 2 * f.n
	if f.slow {
		n = f.most
	}
	n = atMost(n, f.large)
	ask := f.ws.look
	if wait {
		ask = f.ws.await
	}
	if r, err = ask(ctx, q, n, f.seen, "lists"); err == nil {
		f.open(q, n, pageOf(r))
	}
	return r, err
}

// check drops what was read ahead and is not there any more, or all if there may be something in between now.
func (f *reader) check(ctx context.Context, q question) error {
	r, err := f.ws.look(ctx, q, 0, f.seen, "lists")
	if err != nil || r.word != "VALUES" {
		f.page, f.ahead = nil, nil
		return err
	}
	head := r.index(1)
	if f.page != nil {
		f.page = f.page.from(head)
	}
	if len(f.ahead) > 0 && f.ahead[0].from+1 < head {
		f.ahead = nil
	}
	return nil
}

// turn goes on to the next page, if it was asked for.
func (f *reader) turn(ctx context.Context, q question) {
	if len(f.ahead) == 0 {
		return
	}
	next := f.ahead[0]
	f.ahead = f.ahead[1:]
	select {
	case <-next.done:
		f.open(q, next.n, next.page)
	case <-ctx.Done(): // as asking for it then says
	case <-f.ws.ctx.Done():
	}
}

// atMost is how many of n values a page should have, if they are as large as this.
func atMost(n, large int) int { return max(min(n, mostAhead, pageBytes/max(large, 1)), 1) }

// open begins with a page that was to have n values, if there are some. Where the loop may be fast, the next ones are read
// meanwhile.
func (f *reader) open(q question, n int, p *page) {
	if p == nil {
		f.ahead = nil
		return
	}
	if len(f.ahead) > 0 && f.ahead[0].from != p.last {
		f.ahead = nil // it was not as long as expected
	}
	still := p.head // nobody takes values, as it seems
	if p.head != f.head {
		still = 0
	}
	for from := p.last; len(f.ahead) < pagesAhead && p.count == n && n >= longPage; {
		if last := len(f.ahead) - 1; last >= 0 {
			from = f.ahead[last].from + int64(f.ahead[last].n)
		}
		next := f.ws.readAhead(q, p.born, from, atMost(2*n, p.large), still)
		if next == nil {
			break
		}
		f.ahead = append(f.ahead, next)
	}
	f.page, f.head, f.n, f.large, f.run, f.most, f.slow = p, p.head, n, p.large, 0, 0, false
}

func (f *reader) leave() { f.page, f.ahead = nil, nil }

// readAhead asks for a page. It is nil if the handle is closed; Close waits for it. head is where the list begins, or 0.
func (ws *Workspace) readAhead(q question, born string, from int64, n int, head int64) *nextPage {
	if !ws.calls.enter() {
		return nil
	}
	q.born = born
	next := &nextPage{from: from, n: n, done: make(chan struct{})}
	go func() {
		defer ws.calls.leave()
		defer close(next.done)
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if head > 0 {
			next.page = ws.readPlain(ctx, q, from, n, head)
		}
		if next.page == nil {
			if r, err := ws.look(ctx, q, n, from, "lists"); err == nil {
				next.page = pageOf(r)
			}
		}
	}()
	return next
}

// readPlain reads a page by a plain command, since Lua takes longer for each value than all else together. It is nil if the
// list does not begin at head any more, or anything else is not as expected.
func (ws *Workspace) readPlain(ctx context.Context, q question, from int64, n int, head int64) *page {
	start := from + 1 - head
	if start < 0 {
		return nil
	}
	keys := ws.keysFor(q.variable)
	values := redis.NewStringSliceCmd(ctx, "lrange", keys[4], start, start+int64(n)-1)
	raw, err := ws.rdb.RunAfter(ctx, values, q.script, keys,
		ws.incarnation, "", q.variable, "", q.born, 0, from, "lists")
	r, ok := replyOf(raw)
	if err != nil || !ok || r.word != "VALUES" || r.index(1) != head {
		return nil
	}
	p := &page{born: q.born, head: head}
	p.add(from+1, values.Val())
	if p.count == 0 {
		return nil
	}
	return p
}

// pageOf takes the values out of a reply of follow.lua. It is nil if there are none.
func pageOf(r reply) *page {
	p := &page{born: r.text(0)}
	switch r.word {
	case "KEPT":
		p.add(r.index(1), []string{r.text(2)})
	case "VALUES":
		p.head = r.index(1)
		for i := 2; i+1 < len(r.rest); i += 2 {
			list, _ := r.rest[i+1].([]any)
			p.add(r.index(i), reply{rest: list}.all())
		}
	}
	if p.count == 0 {
		return nil
	}
	return p
}

func (p *page) add(index int64, values []string) {
	if len(values) == 0 {
		return
	}
	p.spans = append(p.spans, span{index, values})
	p.count += len(values)
	p.last = index + int64(len(values)) - 1
	for _, value := range values {
		p.large = max(p.large, len(value))
	}
}

// from drops what has a lower index. It is nil if nothing is left.
func (p *page) from(index int64) *page {
	for len(p.spans) > 0 {
		first := &p.spans[0]
		gone := index - first.index
		if gone <= 0 {
			return p
		}
		if gone < int64(len(first.values)) {
			first.index, first.values = index, first.values[gone:]
			return p
		}
		p.spans = p.spans[1:]
	}
	return nil
}

func (r reply) all() []string {
	texts := make([]string, len(r.rest))
	for i := range r.rest {
		texts[i] = r.text(i)
	}
	return texts
}

func (r reply) index(i int) int64 {
	index, _ := strconv.ParseInt(r.text(i), 10, 64)
	return index
}
