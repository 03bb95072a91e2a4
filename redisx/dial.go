package redisx

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// dialFunc makes a connection.
type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// keepAlive finds out that a peer has vanished.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 3}

// dialer connects by dial, and agrees on TLS with the host that is dialled: the nodes of a cluster have names of their own.
func (t *target) dialer(dial dialFunc) dialFunc {
	timeout := t.options.DialTimeout
	if dial == nil {
		dial = (&net.Dialer{Timeout: timeout, KeepAliveConfig: keepAlive}).DialContext
	}
	if t.options.TLSConfig == nil {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		config := t.options.TLSConfig.Clone()
		if config.ServerName == "" {
			host, _, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, fmt.Errorf("the address has no host: %w", err)
			}
			config.ServerName = host
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		encrypted := tls.Client(conn, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return encrypted, nil
	}
}

// lateFailure gives a connection that fails when it is used where there is none. go-redis would answer failed dials by
// dialling in a goroutine of its own, once a second, which outlives its client, and would use no other connection before
// that succeeds.
func lateFailure(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			conn = newNoConn(err)
		}
		return conn, nil
	}
}

// dialError is that of a call for which there was no connection.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// noConn stands for a connection that could not be made.
type noConn struct{ err error }

func newNoConn(err error) noConn {
	return noConn{fmt.Errorf("%w", &dialError{err})} // go-redis takes one layer off
}

func (c noConn) Read([]byte) (int, error)       { return 0, c.err }
func (c noConn) Write([]byte) (int, error)      { return 0, c.err }
func (noConn) Close() error                     { return nil }
func (noConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (noConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (noConn) SetDeadline(time.Time) error      { return nil }
func (noConn) SetReadDeadline(time.Time) error  { return nil }
func (noConn) SetWriteDeadline(time.Time) error { return nil }
