package redistest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	linkBuffer    = 64 << 10
	tlsRecordType = 22 // the first byte of a TLS connection; no request begins with it
)

// link is one connection through a Proxy.
type link struct {
	p              *Proxy
	client, server net.Conn
	once           sync.Once
	done           chan struct{} // closed when the connection is broken

	// Guarded by the Proxy's lock:
	awaiting   []*fate // of the requests whose replies have not come, oldest first
	subscribed bool
}

// run passes on both directions, until one of them ends.
func (l *link) run() {
	requests := bufio.NewReaderSize(l.client, linkBuffer)
	first, err := requests.Peek(1)
	if err != nil {
		return
	}
	var replies sync.WaitGroup
	if first[0] == tlsRecordType {
		replies.Go(func() { l.copyBytes(l.client, l.server) })
		l.copyBytes(l.server, requests)
	} else {
		replies.Go(l.passReplies)
		l.passRequests(requests)
	}
	replies.Wait()
}

// cut breaks the connection.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.done)
		_, _ = l.client.Close(), l.server.Close()
	})
}

func (l *link) end() {
	l.cut()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	delete(l.p.links, l)
}

// copyBytes passes on what it does not understand.
func (l *link) copyBytes(to io.Writer, from io.Reader) {
	defer l.cut()
	buffer := make([]byte, linkBuffer)
	for {
		n, err := from.Read(buffer)
		if err != nil || !l.flows() {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// flows waits while the proxy is frozen. It tells whether the connection is still there.
func (l *link) flows() bool {
	l.p.mu.Lock()
	frozen := l.p.frozen
	l.p.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-l.done:
		}
	}
	select {
	case <-l.done:
		return false
	default:
		return true
	}
}

func (l *link) passRequests(from *bufio.Reader) {
	defer l.cut()
	to := bufio.NewWriterSize(l.server, linkBuffer)
	var request []byte
	for {
		var err error
		if request, err = readRequest(from, request[:0]); err != nil || !l.flows() {
			return
		}
		by := l.judge(request)
		if by != nil && by.delay > 0 && (to.Flush() != nil || !l.sleep(by.delay)) {
			return
		}
		if by != nil && by.loseRequest {
			_ = to.Flush()
			l.lost(by)
			return
		}
		if _, err := to.Write(request); err != nil {
			return
		}
		if from.Buffered() == 0 && to.Flush() != nil {
			return
		}
	}
}

// judge decides about a request, and notes that its reply has to come.
func (l *link) judge(request []byte) *fate {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	by := l.p.faults.judge(request)
	if by != nil && by.loseRequest {
		return by
	}
	replies := 1
	if words, name := head(request); strings.HasSuffix(name, "subscribe") {
		l.subscribed = true
		replies = max(1, words-1) // one a channel
	}
	for range replies {
		l.awaiting = append(l.awaiting, by)
	}
	return by
}

// sleep tells whether the connection is still there afterwards.
func (l *link) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}

// lost breaks the connection in place of a request or reply.
func (l *link) lost(by *fate) {
	l.cut()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.faults.happened(by)
}

func (l *link) passReplies() {
	defer l.cut()
	from, to := bufio.NewReaderSize(l.server, linkBuffer), bufio.NewWriterSize(l.client, linkBuffer)
	var reply []byte
	for {
		var err error
		if reply, err = readReply(from, reply[:0]); err != nil || !l.flows() {
			return
		}
		by, drop := l.settle(reply)
		if by != nil && by.loseReply {
			_ = to.Flush()
			l.lost(by)
			return
		}
		if !drop {
			if _, err := to.Write(reply); err != nil {
				return
			}
		}
		if from.Buffered() == 0 && to.Flush() != nil {
			return
		}
	}
}

// settle finds the fate of the request that a reply belongs to. What was published belongs to none; drop tells whether
// nobody is to hear it.
func (l *link) settle(reply []byte) (by *fate, drop bool) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.published(reply) {
		return nil, l.p.deaf
	}
	if len(l.awaiting) == 0 {
		return nil, false
	}
	by, l.awaiting = l.awaiting[0], l.awaiting[1:]
	return by, false
}

// published tells whether the server has sent this without having been asked.
func (l *link) published(reply []byte) bool {
	_, kind := head(reply)
	if reply[0] == '>' {
		return !strings.HasSuffix(kind, "subscribe")
	}
	return l.subscribed && strings.HasSuffix(kind, "message")
}
