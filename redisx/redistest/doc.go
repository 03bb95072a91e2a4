// Package redistest starts real redis-server processes for tests: one server (Start), one that speaks TLS (StartTLS), a
// cluster (StartCluster), a master with replicas and Sentinels (StartSentinel), and a network in between that fails on
// demand (StartProxy).
//
//	s := redistest.Start(t, redistest.AppendOnly)
//	rdb, err := redisx.Open(ctx, s.URL(), nil)
//	…
//	s.Kill()
//	s.Restart()
//
// All of it listens on 127.0.0.1 only, keeps its data in the test's temporary folder and ends with the test. Servers
// are ready when a function that starts them returns. On Linux they also end when the test's process is killed.
//
// Without a redis-server in PATH the test is skipped, or fails where CI=true is in the environment.
//
// Configuration may add users, but where servers form a cluster or are watched by Sentinels the default user has to
// stay without a password.
//
// A method that cannot do its work fails the test. If another goroutine than the test's has called it, that goroutine
// ends. All methods may be called by several goroutines at a time.
package redistest
