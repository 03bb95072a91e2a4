// Package redisx is everything about a connection to Redis that knows nothing of workspaces.
//
// A Server is a Redis: one that is there already, an embedded one in this process, or a private redis-server that was
// started for it. A Client is an open connection to a server. A Script is some Lua that a server runs as one step, and a
// Listener gets what is published on one of its channels.
//
//	rdb, err := redisx.Open(ctx, os.Getenv("REDIS_URL"), nil) // empty: embedded
//	if err != nil {
//		return err // says what to do about it
//	}
//	defer rdb.Close()
//
//	var join = redisx.NewScript("join", `return redis.call('sadd', KEYS[1], ARGV[1])`)
//	_, err = rdb.Run(ctx, join, []string{"guests"}, "Ada") // joined once, however often it had to be sent
//
// # What holds
//
//   - Calls of many goroutines travel together in pipelines over two connections; all listeners share one more.
//   - go-redis' own retries are off: they would run a script twice whose reply was lost. What is sent again is said at
//     Client.Run.
//   - A server that Open has started ends with Client.Close. Should that never come, it ends with the process, even after
//     kill -9, and its folder is removed.
//   - A password is in no error and no log, and in no list of processes. Client.URL has it, for worker processes.
//   - Worker processes on the same machine reach an embedded and a private server by Client.URL.
//   - Nothing is written to stderr, but for one line when an embedded server is first used: its data will be gone.
//     Importing this package also silences go-redis' own lines; redis.SetLogger brings them back.
//
// # What to know
//
//   - The embedded server is miniredis: one goroutine at a time, nothing on disk, and some commands are missing
//     (FUNCTION, CONFIG, ACL, sharded pub/sub). It takes connections from this machine only.
//   - The private server (local://) keeps nothing on disk either. It needs redis-server on PATH, and /bin/sh, which
//     guards it; it is not there on Windows. Kill the guard, and the server stays until it is killed too.
//   - Clusters and sentinels have no address here yet.
//   - Once connected, commands wait for a reply 5 s at most, with the embedded server a minute (?read_timeout= in the
//     address); a context that ends does not interrupt one that is on its way.
package redisx
