package redisx

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// lineBuffer is how many bytes of calls or replies are collected for one system call.
const lineBuffer = 32 << 10

// line speaks to Redis over a connection that go-redis has made and agreed on all with: to build its commands takes longer
// than it takes Redis to run a small script. It knows what scripts and their callers need, and no more.
type line struct {
	conn        net.Conn
	in          *bufio.Reader
	out         *bufio.Writer
	number      []byte // room for one
	read, write time.Duration
}

func newLine(conn net.Conn, read, write time.Duration) *line {
	return &line{conn: conn, in: bufio.NewReaderSize(conn, lineBuffer), out: bufio.NewWriterSize(conn, lineBuffer),
		read: read, write: write}
}

// isClosed says whether the wire has closed the connection, such as for a context that ended when all was done.
func (l *line) isClosed() bool {
	conn, ok := l.conn.(*wireConn)
	return ok && conn.closed.Load()
}

// roundTrip sends calls and takes their replies. After an error, which those have that got no reply, the line is of no use.
func (l *line) roundTrip(batch []*call, now time.Time) error {
	if err := l.send(batch, now); err != nil {
		for _, c := range batch {
			c.err = err
		}
		return err
	}
	for i, c := range batch {
		var err error
		if c.reply, c.err, err = l.reply(); err != nil {
			for _, c := range batch[i:] {
				c.reply, c.err = nil, err
			}
			return err
		}
	}
	return nil
}

func (l *line) send(batch []*call, now time.Time) error {
	if err := l.conn.SetWriteDeadline(deadline(now, l.write)); err != nil {
		return err
	}
	if err := l.conn.SetReadDeadline(deadline(now, l.read)); err != nil {
		return err
	}
	for _, c := range batch {
		c.sent = true
		l.call(c)
	}
	if err := l.out.Flush(); err != nil {
		return err
	}
	if sent := time.Now(); l.read > 0 && sent.Sub(now) > l.read/10 { // it was much
		return l.conn.SetReadDeadline(sent.Add(l.read))
	}
	return nil
}

func deadline(now time.Time, timeout time.Duration) time.Time {
	if timeout <= 0 {
		return time.Time{}
	}
	return now.Add(timeout)
}

// call writes one call. The writer keeps its first error.
func (l *line) call(c *call) {
	l.head('*', 3+len(c.keys)+len(c.args))
	if c.whole {
		l.text("eval")
		l.text(c.script.source)
	} else {
		l.text("evalsha")
		l.text(c.script.sha)
	}
	l.arg(len(c.keys))
	for _, key := range c.keys {
		l.text(key)
	}
	for _, arg := range c.args {
		l.arg(arg)
	}
}

func (l *line) bytes(b []byte) {
	l.head('$', len(b))
	_, _ = l.out.Write(b)
	_, _ = l.out.WriteString("\r\n")
}

func (l *line) arg(arg any) {
	switch v := arg.(type) {
	case string:
		l.text(v)
	case []byte:
		l.bytes(v)
	case *Text:
		l.bytes(*v)
	case int:
		l.whole(strconv.AppendInt(l.number[:0], int64(v), 10))
	case int64:
		l.whole(strconv.AppendInt(l.number[:0], v, 10))
	case uint64:
		l.whole(strconv.AppendUint(l.number[:0], v, 10))
	default:
		panic(fmt.Sprintf("redisx: an argument is a %T", v)) // see arePlain
	}
}

// arePlain says whether a line can write all arguments. go-redis writes many more.
func arePlain(batch []*call) bool {
	for _, c := range batch {
		if c.before != nil {
			return false
		}
		for _, arg := range c.args {
			switch arg.(type) {
			case string, []byte, int, int64, uint64, *Text:
			default:
				return false
			}
		}
	}
	return true
}

func (l *line) whole(digits []byte) {
	l.number = digits
	var length [4]byte
	_ = l.out.WriteByte('$')
	_, _ = l.out.Write(strconv.AppendInt(length[:0], int64(len(digits)), 10))
	_, _ = l.out.WriteString("\r\n")
	_, _ = l.out.Write(digits)
	_, _ = l.out.WriteString("\r\n")
}

func (l *line) text(text string) {
	l.head('$', len(text))
	_, _ = l.out.WriteString(text)
	_, _ = l.out.WriteString("\r\n")
}

func (l *line) head(kind byte, n int) {
	_ = l.out.WriteByte(kind)
	l.number = strconv.AppendInt(l.number[:0], int64(n), 10)
	_, _ = l.out.Write(l.number)
	_, _ = l.out.WriteString("\r\n")
}

// replyError is an error that Redis has sent. It is a redis.Error.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError makes it a redis.Error.
func (replyError) RedisError() {}

var errReply = errors.New("redisx: a reply cannot be understood")

// reply reads one: nil, an int64, a string, a []any of these and of errors, or an error of Redis. The last error is that of
// the connection.
func (l *line) reply() (reply any, refused error, err error) {
	head, err := l.in.ReadSlice('\n')
	if err != nil {
		return nil, nil, err
	}
	if len(head) < 3 || head[len(head)-2] != '\r' {
		return nil, nil, errReply
	}
	kind, rest := head[0], head[1:len(head)-2]
	switch kind {
	case '+':
		return string(rest), nil, nil
	case '-':
		return nil, replyError(rest), nil
	case '_':
		return nil, nil, nil
	}
	n, err := strconv.ParseInt(string(rest), 10, 64)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: it begins with %.40q", errReply, head)
	case kind == ':':
		return n, nil, nil
	case n < 0:
		return nil, nil, nil
	case kind == '$':
		reply, err = l.bulk(int(n))
		return reply, nil, err
	case kind == '*':
		reply, err = l.list(int(n))
		return reply, nil, err
	case kind == '>': // nobody has asked for it
		if _, err = l.list(int(n)); err != nil {
			return nil, nil, err
		}
		return l.reply()
	}
	return nil, nil, fmt.Errorf("%w: it begins with %.40q", errReply, head)
}

func (l *line) list(n int) (any, error) {
	list := make([]any, n)
	for i := range list {
		reply, refused, err := l.reply()
		if err != nil {
			return nil, err
		}
		list[i] = reply
		if refused != nil {
			list[i] = refused
		}
	}
	return list, nil
}

func (l *line) bulk(n int) (any, error) {
	var text strings.Builder
	text.Grow(n)
	for left := n; left > 0; {
		some, err := l.in.Peek(min(left, max(l.in.Buffered(), 1)))
		if err != nil {
			return nil, err
		}
		text.Write(some)
		_, _ = l.in.Discard(len(some))
		left -= len(some)
	}
	end, err := l.in.Peek(2)
	if err == nil && (end[0] != '\r' || end[1] != '\n') {
		err = errReply
	}
	_, _ = l.in.Discard(len(end))
	return text.String(), err
}

// wireConn is the connection of a wire. Where the wire has closed it, go-redis finds that out before it uses it.
type wireConn struct {
	net.Conn
	closed atomic.Bool
}

// Close closes it.
func (c *wireConn) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

// SyscallConn is what go-redis looks at.
func (c *wireConn) SyscallConn() (syscall.RawConn, error) {
	if c.closed.Load() {
		return nil, net.ErrClosed
	}
	if conn, ok := c.Conn.(syscall.Conn); ok {
		return conn.SyscallConn()
	}
	return unseen{}, nil
}

// unseen is a connection that cannot be looked at.
type unseen struct{}

// Control does nothing.
func (unseen) Control(func(uintptr)) error { return nil }

// Read does nothing.
func (unseen) Read(func(uintptr) bool) error { return nil }

// Write does nothing.
func (unseen) Write(func(uintptr) bool) error { return nil }
