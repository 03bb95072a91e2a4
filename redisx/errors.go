package redisx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// The errors of Open. Each comes with the address, without its password, and with what can be done. A command of this
// project ends with exit code 4 for ErrNoServer, ErrAuth and ErrNoRedisServer, and with 2 for ErrURL.
var (
	// ErrNoServer says that no usable Redis answers: nothing listens, the host is not known, it takes too long, TLS fails,
	// it is still loading its data, or something else than a Redis is there.
	ErrNoServer = errors.New("redisx: no Redis answers")
	// ErrAuth says that a Redis answers and lets this user or password not in.
	ErrAuth = errors.New("redisx: Redis refuses access")
	// ErrURL says that the address cannot be understood, or names a database that the server does not have.
	ErrURL = errors.New("redisx: malformed Redis address")
	// ErrNoRedisServer says that local:// found no redis-server program.
	ErrNoRedisServer = errors.New("redisx: no redis-server on PATH")
)

// explain makes the error of a first PING one that a person can act on.
func explain(err error, t *target) error {
	hint, sentinel := "", ErrNoServer
	if kind, ok := errors.AsType[kindError](err); ok {
		hint, sentinel = kindHint(kind, t), ErrURL
	} else if _, replied := errors.AsType[redis.Error](err); replied {
		hint, sentinel = replyHint(err, t)
	} else if isStranger(err) {
		// The text of err holds what came back, which may be what was sent.
		err, hint = errStranger, "If it speaks TLS, use rediss:// instead of redis://."
		if t.options.TLSConfig != nil {
			hint = "If it does not speak TLS, use redis:// instead of rediss://. If it wants a certificate of the client, " +
				"put ?cert=FILE&key=FILE into the address."
		}
	} else {
		hint = transportHint(err, t.options.TLSConfig != nil)
	}
	return fmt.Errorf("%w at %s: %w\n%s", sentinel, t.label, t.clean(err), hint)
}

// replyHint is for errors that a Redis has sent.
func replyHint(err error, t *target) (hint string, sentinel error) {
	is := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return redis.HasErrorPrefix(err, p) })
	}
	switch {
	case errors.Is(err, redis.Nil):
		return fmt.Sprintf("The sentinels know no master %q; redis-cli -p 26379 sentinel masters lists those that they know.",
			t.master), ErrURL
	case t.mode == sentinelMode && is("unknown command"):
		return "It is a Redis and no sentinel: use redis:// with its address, or name the sentinels (by default port 26379).",
			ErrURL
	case t.mode == clusterMode && is("This instance has cluster support disabled", "unknown command"):
		return "It is a Redis that stands alone: use redis:// instead of redis+cluster://.", ErrURL
	case t.mode == sentinelMode && is("NOAUTH", "WRONGPASS"):
		return "Either the sentinels want ?sentinel_password=, or the server another user or password than the address has; " + passwordHint, ErrAuth
	case is("NOAUTH") && t.options.Password == "" && t.options.Username != "":
		return "The address has a user but no password; a password alone needs a colon: redis://:PASSWORD@host:port", ErrAuth
	case is("NOAUTH"):
		return "It wants a password; put it into the address: redis://:PASSWORD@host:port", ErrAuth
	case is("WRONGPASS", "invalid password", "AUTH", "Client sent AUTH"):
		return "Check the user and the password in the address; " + passwordHint, ErrAuth
	case is("NOPERM"):
		return "The user is known, but its ACL rules do not let it do this.", ErrAuth
	case is("DENIED"):
		return "From other machines it takes connections only with a password: set requirepass there.", ErrAuth
	case is("LOADING"):
		return "It is still loading its data from disk; try again in a moment.", ErrNoServer
	case is("max number of clients"):
		return "It has as many connections as its maxclients allows.", ErrNoServer
	case is("DB index", "invalid DB index", "SELECT is not allowed"):
		return fmt.Sprintf("The server has no database %d; most have 0 to 15, and a cluster has 0 only.", t.options.DB),
			ErrURL
	default:
		return "There is a Redis, but it does not answer PING.", ErrNoServer
	}
}

// kindHint is for a server that is not of the kind which the address says.
func kindHint(kind kindError, t *target) string {
	encrypted := ""
	if t.options.TLSConfig != nil {
		encrypted = "s"
	}
	if kind == "sentinel" {
		return fmt.Sprintf("Say which master it watches: redis%s+sentinel://%s/MASTER", encrypted, t.options.Addr)
	}
	return fmt.Sprintf("Use redis%s+cluster://%s instead; one node's address is enough, some are better.",
		encrypted, t.options.Addr)
}

var errStranger = errors.New("something listens there, but does not talk as a Redis does")

// isStranger says whether bytes came back that are not from a Redis, or the connection was closed over ours.
func isStranger(err error) bool {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) {
		return true
	}
	_, network := errors.AsType[net.Error](err)
	return !network && !isTLS(err)
}

func isTLS(err error) bool {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	return untrusted || plain || alert
}

// isCertificateWanted says whether the server ended TLS since the client has no certificate, or one it does not like.
func isCertificateWanted(err error) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	return ok && remote.Op == "remote error" && strings.Contains(remote.Err.Error(), "certificate")
}

// transportHint is for what happened before the server could reply.
func transportHint(err error, overTLS bool) string {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownHost := errors.AsType[*net.DNSError](err)
	netErr, network := errors.AsType[net.Error](err)
	switch {
	case untrusted:
		return "Its certificate is not trusted here: put the file of its CA into the address, ?ca=FILE, or into SSL_CERT_FILE; " +
			"if only the name differs, ?server_name=NAME; or (for tests only) ?skip_verify=true."
	case isCertificateWanted(err):
		return "It wants another certificate of the client, or one at all: put ?cert=FILE&key=FILE into the address."
	case isTLS(err):
		return "TLS cannot be agreed on; if the server does not speak it, use redis:// instead of rediss://."
	case unknownHost:
		return "Check the host's name in the address."
	case errors.Is(err, fs.ErrNotExist):
		return "There is no such socket: is the server running, with this path as its unixsocket?"
	case errors.Is(err, fs.ErrPermission):
		return "This user may not use that socket: see unixsocketperm in the server's configuration."
	case network && netErr.Timeout() && overTLS:
		return "Nothing came back in time: check host and port, and whether the server speaks TLS; if not, use redis:// instead of rediss://."
	case network && netErr.Timeout():
		return "Nothing came back in time: check host and port, and whether a firewall is in the way."
	default:
		return "Is it running? Start one with redis-server, or leave the address empty for an embedded one."
	}
}

// secrets are the forms in which a user or password could turn up in an error. What stands in raw is added as it is.
func secrets(user *url.Userinfo, raw string) []string {
	password, _ := user.Password()
	all := strings.SplitN(raw, ":", 2)
	for _, v := range []string{user.Username(), password} {
		quoted := strconv.Quote(v)
		all = append(all, v, quoted[1:len(quoted)-1], url.QueryEscape(v), url.PathEscape(v))
	}
	return slices.DeleteFunc(all, func(v string) bool { return v == "" })
}

// clean gives err back if it holds no secret, nor the beginning of one: some servers, and whatever else may listen there,
// repeat what they are sent, often shortened.
func (t *target) clean(err error) error {
	text := err.Error()
	for _, secret := range t.secrets {
		if strings.Contains(text, secret[:min(len(secret), 6)]) {
			return errors.New("the reason is left out, since it repeats the user or the password")
		}
	}
	return err
}
