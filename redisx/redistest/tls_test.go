package redistest

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// dialTLS gives a client that trusts a server's authority, and shows a certificate if it is to.
func dialTLS(t *testing.T, s *TLSServer, addr string, certificate bool) *redis.Client {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile)
	must(t, err)
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		t.Fatal("the authority has no certificate")
	}
	if certificate {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		must(t, err)
		config.Certificates = []tls.Certificate{pair}
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr, TLSConfig: config, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestTLS(t *testing.T) {
	for _, tc := range []struct {
		name     string
		config   []string
		needCert bool
	}{
		{"any client", nil, false},
		{"with certificate", []string{RequireClientCert}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := StartTLS(t, tc.config...)
			if s.URL() != "rediss://"+s.Addr() {
				t.Errorf("the address is %s", s.URL())
			}
			must(t, dialTLS(t, s, s.Addr(), true).Set(t.Context(), "k", "v", 0).Err())
			wantValue(t, s.Redis(), "k", "v")
			if err := dialTLS(t, s, s.Addr(), false).Ping(t.Context()).Err(); (err != nil) != tc.needCert {
				t.Errorf("without a certificate: %v", err)
			}
			if err := dial(t, strings.Replace(s.URL(), "rediss", "redis", 1)).Ping(t.Context()).Err(); err == nil {
				t.Error("the port takes connections without TLS")
			}
			if err := dial(t, s.URL()).Ping(t.Context()).Err(); err == nil {
				t.Error("a client that does not know the authority trusts the server")
			}
			s.Restart()
			must(t, dialTLS(t, s, s.Addr(), true).Ping(t.Context()).Err())
		})
	}
}

func TestProxyPassesTLSOn(t *testing.T) {
	s := StartTLS(t)
	p := StartProxy(t, s.Addr())
	conn := dialTLS(t, s, p.Addr(), false).Conn()
	defer conn.Close()
	p.Faults(1, Rates{LoseRequest: 1})
	must(t, conn.Set(t.Context(), "k", strings.Repeat("x", 1<<20), 0).Err())
	p.Cut()
	if err := conn.Ping(t.Context()).Err(); err == nil {
		t.Error("a connection that was cut works")
	}
}
