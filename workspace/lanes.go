package workspace

import (
	"context"
	"strconv"
	"sync"
)

// maxLanes is how many requests of one handle can be under way at a time; more wait. Two full pipelines (see redisx).
const maxLanes = 512

// lane carries one request after the other, with rising numbers, so that Redis can tell one that it has done already.
type lane struct {
	name   int
	number uint64
}

// request is the number of the lane's next request, as the scripts want it.
func (l *lane) request(epoch string) string {
	l.number++
	return epoch + " " + strconv.Itoa(l.name) + " " + strconv.FormatUint(l.number, 10)
}

// lanes are those of one handle. The lane that was used last is used first, so that few of them ever exist: Redis keeps
// the last reply of each.
type lanes struct {
	mu   sync.Mutex
	free []*lane
	made int
	busy chan struct{} // holds one for each lane in use
}

func (l *lanes) init() { l.busy = make(chan struct{}, maxLanes) }

// take gives a lane that nobody else has. It blocks while there is none, but not longer than the handle is open.
func (l *lanes) take(ctx context.Context, closed <-chan struct{}) (*lane, error) {
	select {
	case l.busy <- struct{}{}:
	default:
		select {
		case l.busy <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-closed:
			return nil, ErrClosed
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		last := l.free[n-1]
		l.free = l.free[:n-1]
		return last, nil
	}
	l.made++
	return &lane{name: l.made}, nil
}

func (l *lanes) give(back *lane) {
	l.mu.Lock()
	l.free = append(l.free, back)
	l.mu.Unlock()
	<-l.busy
}
