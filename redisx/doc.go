// Package redisx is everything about a connection to Redis that knows nothing of workspaces.
//
// A Server is a Redis: one that is there already, by itself, as a cluster or behind sentinels; an embedded one in this
// process; or a private redis-server that was started for it. A Client is an open connection to a server. A Script is some
// Lua that a server runs as one step, and a Listener gets what is published on one of its channels.
//
//	rdb, err := redisx.Open(ctx, os.Getenv("REDIS_URL"), nil) // empty: embedded
//	if err != nil {
//		return err // says what to do about it
//	}
//	defer rdb.Close()
//
//	var join = redisx.NewScript("join", `redis.call('sadd', KEYS[1], ARGV[1])
//		return redis.call('scard', KEYS[1])`)
//	guests, err := rdb.Run(ctx, join, []string{"guests"}, "Ada") // joined once, however often it had to be sent
//
// # What holds
//
//   - Calls of many goroutines travel together in pipelines over one connection to a server, or to each master of a
//     cluster, and a second one while much is under way; all listeners there share one more. Plain commands by
//     Client.Redis have their own.
//   - A call is sent again after a broken connection, a failover, a moved slot or SCRIPT FLUSH, for up to a minute. So
//     scripts must be repeatable. go-redis' own retries are off.
//   - A call ends with its context, at any moment, and says whether it may have been done.
//   - In a cluster, a node that is slow or dead holds up no calls to others.
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
//   - In a cluster all keys of a script must have one hash tag, and listeners need Redis 7 (SSUBSCRIBE).
//   - A call whose context ends while it alone is on a connection ends that connection, too: go-redis offers no other way
//     to leave it, and handing each call to another goroutine would take a third longer. The next one connects anew.
//   - Once connected, commands wait for a reply 5 s at most, with the embedded server a minute (?read_timeout= in the
//     address), and are then sent again. The context of a plain command by Client.Redis does not interrupt it.
//   - Under testing/synctest, Options.InProcess makes an embedded server live by the clock of the bubble.
package redisx
