package redistest

import (
	"fmt"
	"path/filepath"
	"testing"
)

// RequireClientCert is configuration for StartTLS: the server turns away clients without a certificate.
const RequireClientCert = "tls-auth-clients yes"

// TLSServer is a server that speaks TLS on its port, with a certificate for 127.0.0.1 and localhost. Its Unix socket is
// as that of any other.
type TLSServer struct {
	*Server

	CAFile   string // the certificate of the authority that has signed all others, as PEM
	CertFile string // a client's certificate
	KeyFile  string // the client's private key
}

// StartTLS starts a server that speaks TLS, and makes certificates for it and a client that last as long as the test.
// It takes clients without a certificate too, unless RequireClientCert is among the lines of config.
func StartTLS(t testing.TB, config ...string) *TLSServer {
	t.Helper()
	needRedis(t)
	dir := t.TempDir()
	ca := newAuthority(t)
	s := &TLSServer{CAFile: filepath.Join(dir, "ca.crt")}
	writePEM(t, s.CAFile, "CERTIFICATE", ca.der)
	serverCert, serverKey := ca.issue(t, dir, "server")
	s.CertFile, s.KeyFile = ca.issue(t, dir, "client")
	s.Server = launch(t, layout{scheme: "rediss", config: func(port int) []string {
		return append([]string{
			"port 0",
			fmt.Sprintf("tls-port %d", port),
			fmt.Sprintf("tls-ca-cert-file %q", s.CAFile),
			fmt.Sprintf("tls-cert-file %q", serverCert),
			fmt.Sprintf("tls-key-file %q", serverKey),
			"tls-auth-clients no",
		}, dataConfig...)
	}}, config)
	return s
}
