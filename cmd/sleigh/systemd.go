package main

import (
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// systemd is told how a service is, if it has started this one with Type=notify: see sd_notify(3).
type systemd struct {
	conn  net.Conn // nil if nobody listens
	every time.Duration
}

// newSystemd takes what systemd has put into the environment, so that no command that is run takes it for its own.
func newSystemd(log *slog.Logger) *systemd {
	s := &systemd{}
	socket, micros, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		_ = os.Unsetenv(name)
	}
	if socket == "" {
		return s
	}
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		log.Warn("systemd cannot be told that the service is ready, and may end it", "NOTIFY_SOCKET", socket, "error", err)
		return s
	}
	s.conn = conn
	if n, err := strconv.Atoi(micros); err == nil && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.every = time.Duration(n) * time.Microsecond / 2
	}
	return s
}

func (s *systemd) tell(state string) {
	if s.conn != nil {
		_, _ = s.conn.Write([]byte(state)) // the service goes on without
	}
}

// watchdog says that the process is alive, as often as was asked for, until the function that it returns is called.
func (s *systemd) watchdog() (stop func()) {
	if s.conn == nil || s.every <= 0 {
		return func() {}
	}
	ticks, done := time.NewTicker(s.every), make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		for {
			select {
			case <-ticks.C:
				s.tell("WATCHDOG=1")
			case <-done:
				return
			}
		}
	})
	return func() {
		ticks.Stop()
		close(done)
		telling.Wait()
	}
}
