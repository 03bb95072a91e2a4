package redisx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTLSOptions connects with what the address says of certificates.
func TestTLSOptions(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	makeCertificate(t, cert, key)
	none := filepath.Join(folder, "none.pem")
	if err := os.WriteFile(none, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, clients := range []string{"no", "yes"} {
		port, says := redisServer(t, "port 0\ntls-port %d\ntls-auth-clients "+clients+"\ntls-cert-file "+cert+
			"\ntls-key-file "+key+
			"\ntls-ca-cert-file "+cert+"\nrequirepass "+secret)
		if port == 0 {
			if os.Getenv("CI") != "true" {
				t.Skipf("this redis-server has no TLS: %s", says)
			}
			t.Fatal(says)
		}
		pair := "&cert=" + cert + "&key=" + key
		tests := []struct {
			query string
			kind  error // nil if it connects without a certificate of its own being wanted
			says  string
		}{
			{"", ErrNoServer, "?ca=FILE"},
			{"?ca=" + cert, nil, ""},
			{"?skip_verify=true", nil, ""},
			{"?ca=" + cert + pair, nil, ""},
			{"?server_name=other.example&ca=" + cert, ErrNoServer, "?server_name=NAME"},
			{"?ca=" + none, ErrURL, "no certificate"},
			{"?ca=" + none + "x", ErrURL, "no such file"},
			{"?cert=" + cert, ErrURL, "go together"},
			{"?cert=" + none + "&key=" + key, ErrURL, "failed to find any PEM"},
			{"?skip_verify=perhaps", ErrURL, "true or false"},
		}
		for _, tt := range tests {
			if clients == "yes" && tt.kind == nil && !strings.Contains(tt.query, pair) {
				tt.kind, tt.says = ErrNoServer, "?cert=FILE&key=FILE"
			}
			address := fmt.Sprintf("rediss://:%s@127.0.0.1:%d%s", secret, port, tt.query)
			rdb, err := Open(t.Context(), address, nil)
			if tt.kind == nil && err == nil {
				if _, err := rdb.Run(t.Context(), join, []string{"k"}, "a"); err != nil {
					t.Errorf("%s: %v", tt.query, err)
				}
				err = rdb.Close()
			}
			if !errors.Is(err, tt.kind) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("client certificates %s, %s: %v", clients, tt.query, err)
			}
			mustNotTell(t, err, secret)
		}
	}
	if _, err := Open(t.Context(), "redis://127.0.0.1?ca="+cert, nil); !errors.Is(err, ErrURL) ||
		!strings.Contains(err.Error(), "rediss://") {
		t.Errorf("a CA without TLS: %v", err)
	}
}
