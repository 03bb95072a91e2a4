package redisx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"
	"os"
	"strconv"
)

var errTLSOption = errors.New("ca, cert, key, skip_verify and server_name are for rediss:// only")

// takeTLS removes the options of TLS from a query and understands them; nil without TLS. SSL_CERT_FILE and SSL_CERT_DIR
// hold where no ca is given, as for any Go program.
func takeTLS(q url.Values, encrypted bool) (*tls.Config, error) {
	ca, cert, key, skip, name := take(q, "ca"), take(q, "cert"), take(q, "key"), take(q, "skip_verify"),
		take(q, "server_name")
	if !encrypted {
		if ca+cert+key+skip+name != "" {
			return nil, errTLSOption
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
	if skip != "" {
		var err error
		if config.InsecureSkipVerify, err = strconv.ParseBool(skip); err != nil { //nolint:gosec // Asked for by the address.
			return nil, errors.New("skip_verify is true or false")
		}
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("the file that ca names holds no certificate in PEM form")
		}
	}
	if (cert == "") != (key == "") {
		return nil, errors.New("cert and key go together: the files of the client's certificate and of its key")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// take removes an option from a query.
func take(q url.Values, name string) string {
	v := q.Get(name)
	q.Del(name)
	return v
}
