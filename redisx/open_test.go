package redisx

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/netspaces/netspaces/redisx/redistest"
)

const secret = "hunter2-hunter2"

// listen serves connections to a loopback port until the end of the test.
func listen(t *testing.T, serve func(conn net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// fakeRedis answers each command with what reply makes of it.
func fakeRedis(t *testing.T, reply func(args []string) string) (addr string) {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		number := func() int {
			line, _ := in.ReadString('\n')
			n, _ := strconv.Atoi(strings.Trim(line, "*$\r\n"))
			return n
		}
		for {
			args := make([]string, number())
			for i := range args {
				arg := make([]byte, number()+2)
				if _, err := io.ReadFull(in, arg); err != nil {
					return
				}
				args[i] = string(arg[:len(arg)-2])
			}
			if len(args) == 0 {
				return
			}
			if _, err := io.WriteString(conn, reply(args)+"\r\n"); err != nil {
				return
			}
		}
	})
}

// always is a fake Redis that answers PING in one way, and AUTH in another.
func always(ping, auth string) func([]string) string {
	return func(args []string) string {
		switch args[0] {
		case "ping":
			return ping
		case "auth":
			return auth
		default:
			return "-ERR unknown command"
		}
	}
}

func TestOpenFails(t *testing.T) {
	dead := fmt.Sprintf("127.0.0.1:%d", redistest.FreePort(t))
	http := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	mute := listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	tests := []struct {
		name, addr string
		kind       error
		says       []string
	}{
		{"dead", dead, ErrNoServer, []string{"refused", "Is it running?"}},
		{"closes", listen(t, func(net.Conn) {}), ErrNoServer, []string{"does not talk as a Redis", "rediss://"}},
		{"echo", listen(t, func(conn net.Conn) { _, _ = io.Copy(conn, conn) }), ErrNoServer,
			[]string{"does not talk as a Redis"}},
		{"http", http, ErrNoServer, []string{"does not talk as a Redis"}},
		{"mute", mute + "?read_timeout=100ms", ErrNoServer, []string{"in time", "firewall"}},
		{"noauth", fakeRedis(t, always("-NOAUTH Authentication required.", "+OK")), ErrAuth, []string{"wants a password"}},
		{"wrongpass", fakeRedis(t, always("", "-WRONGPASS invalid username-password pair")), ErrAuth,
			[]string{"Check the user", "%40"}},
		{"redis 5", fakeRedis(t, always("", "-ERR invalid password")), ErrAuth, []string{"Check the user"}},
		{"not set", fakeRedis(t, always("", "-ERR Client sent AUTH, but no password is set")), ErrAuth,
			[]string{"no password is set"}},
		{"noperm", fakeRedis(t, always("-NOPERM User x has no permissions to run the 'ping' command", "+OK")), ErrAuth,
			[]string{"ACL"}},
		{"protected", fakeRedis(t, always("-DENIED Redis is running in protected mode", "+OK")), ErrAuth,
			[]string{"requirepass"}},
		{"full", fakeRedis(t, always("-ERR max number of clients reached", "+OK")), ErrNoServer, []string{"maxclients"}},
		{"odd", fakeRedis(t, always("-ERR no", "+OK")), ErrNoServer, []string{"ERR no"}},
		{"tells", fakeRedis(t, always("", "-ERR unknown command 'AUTH', with args beginning with: '"+secret+"'")),
			ErrNoServer, []string{"left out"}},
		{"tells half", fakeRedis(t, always("", "-ERR you sent "+secret[:8])), ErrNoServer, []string{"left out"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), "redis://:"+secret+"@"+tt.addr, nil)
			if !errors.Is(err, tt.kind) || errors.Is(err, ErrNoServer) == errors.Is(err, ErrAuth) {
				t.Fatalf("got %v", err)
			}
			host, _, _ := strings.Cut(tt.addr, "?")
			for _, want := range append(tt.says, "redis://"+host+"/0") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			mustNotTell(t, err, secret[:8])
		})
	}
}

func TestOpenUserOnly(t *testing.T) {
	addr := fakeRedis(t, always("-NOAUTH Authentication required.", "+OK"))
	_, err := Open(t.Context(), "redis://"+secret+"@"+addr, nil)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "needs a colon") {
		t.Errorf("got %v", err)
	}
	mustNotTell(t, err, secret)
}

func TestOpenUnknownHost(t *testing.T) {
	u, err := parseURL("redis://redis.invalid")
	if err != nil {
		t.Fatal(err)
	}
	dns := &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "redis.invalid", IsNotFound: true}}
	if err := explain(dns, u); !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "Check the host's name") {
		t.Errorf("got %v", err)
	}
}

func TestOpenNoSocket(t *testing.T) {
	_, err := Open(t.Context(), "unix://"+filepath.Join(t.TempDir(), "none"), nil)
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "no such socket") {
		t.Errorf("got %v", err)
	}
}

func TestOpenWaitsForLoading(t *testing.T) {
	var pings atomic.Int32
	addr := fakeRedis(t, func(args []string) string {
		if args[0] == "ping" && pings.Add(1) > 3 {
			return "+PONG"
		}
		return "-LOADING Redis is loading the dataset in memory"
	})
	mustOpen(t, "redis://"+addr)
}

func TestOpenStillLoading(t *testing.T) {
	addr := fakeRedis(t, always("-LOADING Redis is loading the dataset in memory", "+OK"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := Open(ctx, "redis://"+addr, nil)
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "still loading") {
		t.Errorf("got %v", err)
	}
}

// TestOpenCancelled has ctx end while the server says nothing.
func TestOpenCancelled(t *testing.T) {
	connected := make(chan struct{}, 8)
	mute := listen(t, func(conn net.Conn) {
		connected <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-connected
		cancel()
	}()
	_, err := Open(ctx, "redis://"+mute+"?read_timeout=1h", nil)
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrNoServer) {
		t.Errorf("cancelled: %v", err)
	}

	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Open(ctx, "redis://"+mute+"?read_timeout=1h", nil)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNoServer) {
		t.Errorf("deadline: %v", err)
	}
}

// TestOpenIsQuiet checks that go-redis writes nothing beside our error.
func TestOpenIsQuiet(t *testing.T) {
	c := spawn(t, "open", fmt.Sprintf("redis://:%s@127.0.0.1:%d", secret, redistest.FreePort(t)))
	if said := c.hear(); !strings.HasPrefix(said, "error redisx: no Redis answers") {
		t.Errorf("it says %q", said)
	}
	c.end()
	if c.stderr.Len() > 0 {
		t.Errorf("on stderr: %s", c.stderr.String())
	}
}

func TestRealServer(t *testing.T) {
	port, says := redisServer(t, "port %d\nrequirepass "+secret+"\ndatabases 4\nuser bob on >"+secret+" ~* +get")
	if port == 0 {
		t.Fatal(says)
	}
	at := fmt.Sprintf("@127.0.0.1:%d", port)
	rdb := mustOpen(t, "redis://:"+secret+at+"/3")
	if want := fmt.Sprintf("redis://127.0.0.1:%d/3", port); rdb.String() != want {
		t.Errorf("it calls itself %q", rdb.String())
	}
	if rdb.URL() != "redis://:"+secret+at+"/3" {
		t.Error("URL is not as given")
	}

	tests := []struct {
		url  string
		kind error
		says string
	}{
		{"redis://" + at[1:], ErrAuth, "wants a password"},
		{"redis://:hunter2-wrong" + at, ErrAuth, "Check the user"},
		{"redis://nobody:" + secret + at, ErrAuth, "Check the user"},
		{"redis://bob:" + secret + at, ErrAuth, "ACL"},
		{"redis://:" + secret + at + "/9", ErrURL, "no database 9"},
		{"rediss://:" + secret + at + "?dial_timeout=200ms", ErrNoServer, "redis:// instead of rediss://"},
	}
	for _, tt := range tests {
		_, err := Open(t.Context(), tt.url, nil)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v", tt.url, err)
		}
		mustNotTell(t, err, "hunter2")
	}
}

func TestRealTLS(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	makeCertificate(t, cert, key)
	port, says := redisServer(t, "port 0\ntls-port %d\ntls-auth-clients no\ntls-cert-file "+cert+"\ntls-key-file "+key+
		"\ntls-ca-cert-file "+cert+"\nrequirepass "+secret)
	if port == 0 {
		if os.Getenv("CI") != "true" {
			t.Skipf("this redis-server has no TLS: %s", says)
		}
		t.Fatal(says)
	}
	address := fmt.Sprintf("rediss://:%s@127.0.0.1:%d", secret, port)

	_, err := Open(t.Context(), address, nil)
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "certificate is not trusted") {
		t.Errorf("unknown CA: %v", err)
	}
	mustNotTell(t, err, secret)
	_, err = Open(t.Context(), "redis"+strings.TrimPrefix(address, "rediss"), nil)
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "use rediss://") {
		t.Errorf("without TLS: %v", err)
	}
	mustNotTell(t, err, secret)

	mustOpen(t, address+"?skip_verify=true")
	// As the message says. The file is read once in a process, so that takes another one; macOS does not read it.
	c := spawn(t, "open", address, "SSL_CERT_FILE="+cert)
	if said := c.hear(); !strings.HasPrefix(said, "rediss://") {
		t.Errorf("with its CA: %s", said)
	}
}

// makeCertificate writes a certificate for 127.0.0.1 that is its own CA.
func makeCertificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
