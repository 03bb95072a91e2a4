//go:build unix

package cli

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// whenReaderGoes calls f once nobody reads any more what is written to file, if that is a pipe or a socket. It is for
// commands that wait: without it they would only notice when they have something to write.
func whenReaderGoes(file *os.File, f func()) {
	info, err := file.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	fd := int32(file.Fd()) //nolint:gosec // Descriptors are small.
	go func() {
		for {
			ask := []unix.PollFd{{Fd: fd}}
			n, err := unix.Poll(ask, -1)
			if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
				continue
			}
			if err == nil && n == 1 && ask[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
				f()
			}
			return
		}
	}()
}
