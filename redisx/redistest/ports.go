package redistest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports lie below those that systems give to outgoing connections, and so do those of the cluster's bus.
const (
	firstPort = 10_000
	lastPort  = 22_767
	busOffset = 10_000 // from a server's port to that of its bus
)

// reserved are the ports of this process. A port stays reserved while its server is down.
var reserved = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// FreePort gives a port of the loopback on which nothing listens, and which nobody else of this process is given until the test
// ends. Another process may take it, though hardly any other one is given the same by chance.
func FreePort(t testing.TB) int {
	t.Helper()
	return reservePort(t, false)
}

// reservePort finds a free port, with bus one whose bus port is free too. It is reserved until the end of the test.
func reservePort(t testing.TB, bus bool) int {
	t.Helper()
	for range 1000 {
		ports := []int{firstPort + rand.IntN(lastPort-firstPort+1)}
		if bus {
			ports = append(ports, ports[0]+busOffset)
		}
		if reserve(ports) {
			t.Cleanup(func() { release(ports) })
			return ports[0]
		}
	}
	t.Fatal("redistest: no port is free")
	return 0
}

func reserve(ports []int) bool {
	reserved.Lock()
	defer reserved.Unlock()
	for _, port := range ports {
		if reserved.ports[port] || !free(port) {
			return false
		}
	}
	for _, port := range ports {
		reserved.ports[port] = true
	}
	return true
}

func release(ports []int) {
	reserved.Lock()
	defer reserved.Unlock()
	for _, port := range ports {
		delete(reserved.ports, port)
	}
}

func free(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
