//go:build unix

package each

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// ownGroup makes a command the leader of a process group, so that what it starts can be ended with it. It leads a session, too,
// which has no terminal: one that asks there for a password fails, where the terminal would stop it for good as a background job.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	dieWithUs(cmd.SysProcAttr)
}

func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
func kill(cmd *exec.Cmd)      { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func isTooLong(err error) bool { return errors.Is(err, syscall.E2BIG) }

// start starts the command. The returned function waits for its end, and for all that it has printed until then. Whatever the
// command leaves in the background may hold the pipes open, and is not waited for.
func (p *process) start() (finish func(), err error) {
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		closeAll(outR, outW)
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = outW, errW
	p.cmd.WaitDelay = time.Second // for an item that nobody reads
	err = p.cmd.Start()
	closeAll(outW, errW)
	if err != nil {
		closeAll(outR, errR)
		return nil, err
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.stdout.follow(outR) })
	readers.Go(func() { p.stderr.follow(errR) })
	return func() {
		_ = p.cmd.Wait()
		_ = outR.SetReadDeadline(time.Unix(1, 0)) // follow reads what is there, and no more
		_ = errR.SetReadDeadline(time.Unix(1, 0))
		readers.Wait()
		closeAll(outR, errR)
	}, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

const (
	readBytes = 32 << 10
	pipeBytes = 1 << 20 // a pipe holds no more, by default not even for root
)

var buffers = sync.Pool{New: func() any { return new([readBytes]byte) }}

// follow reads until the end, or until the command has ended.
func (s *stream) follow(r *os.File) {
	buffer := buffers.Get().(*[readBytes]byte)
	defer buffers.Put(buffer)
	for {
		n, err := r.Read(buffer[:])
		_, _ = s.Write(buffer[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.drain(r, buffer[:])
		}
		if err != nil {
			return
		}
	}
}

// drain reads what is in a pipe, without waiting for more.
func (s *stream) drain(r *os.File, buffer []byte) {
	conn, err := r.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		for left := pipeBytes; left > 0; {
			n, err := syscall.Read(int(fd), buffer) //nolint:gosec // It is a file descriptor.
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if n <= 0 || err != nil {
				return
			}
			_, _ = s.Write(buffer[:n])
			left -= n
		}
	})
}
