//go:build unix

package sleigh

import (
	"errors"
	"syscall"
)

// mostDrained is at least what a pipe holds: what has been printed is read then.
const mostDrained = 1 << 20

// follow reads what is printed, until the other end is closed.
func (p *pipe) follow() {
	raw, err := p.r.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(fd uintptr) (done bool) {
		for {
			p.c.mu.Lock()
			n, err := p.readOnce(fd)
			p.c.mu.Unlock()
			if n <= 0 {
				return !errors.Is(err, syscall.EAGAIN)
			}
		}
	})
}

// drain reads what is in the pipe, without waiting for more. c.mu is held.
func (p *pipe) drain() {
	raw, err := p.r.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		for read := 0; read < mostDrained; {
			n, _ := p.readOnce(fd)
			if n <= 0 {
				return
			}
			read += n
		}
		p.certain = false // others print faster than this reads
	})
}

func (p *pipe) readOnce(fd uintptr) (n int, err error) {
	for {
		n, err = syscall.Read(int(fd), p.buffer) //nolint:gosec // It is a small number.
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if n > 0 {
		p.take(p.buffer[:n])
	}
	if errors.Is(err, syscall.EAGAIN) {
		p.certain = true
	}
	return n, err
}
