// Package workspace has named variables that live in Redis, for programs on any number of machines that share nothing else.
//
// A Workspace is a named set of variables; a variable is a queue of values. Store adds a value; Fetch takes one away and
// waits until there is one; Find reads one and waits until there is one. Var is a typed handle on a variable. An Iterator
// goes through the values as they come. A Claim is a fetch under a lease: its values are settled together with what came of
// them, or go to somebody else.
//
//	ws, err := workspace.Open(ctx, rdb, "weather", nil)
//	temperature := workspace.NewVar[float64](ws, "temperature")
//	err = temperature.Store(ctx, 21.5)
//	t, err := temperature.Find(ctx)
//
// # What holds
//
//   - One value goes to one Fetch. A value that is stored goes to all who wait in Find, then to the Fetch that has waited
//     longest, on whichever machine; else it stays.
//   - A call that changes something is done once, also if its reply is lost, the connection breaks, Redis forgets its
//     scripts, starts again with all its data, or fails over without losing any. It is tried for up to a minute
//     (redisx.Options.Retry). If it then is not known what became of it, that is a *redisx.UnknownError: it was done once
//     or not at all. After any other error it was not done.
//   - A call ends with its context, within a second where Redis does not answer. What it has taken is the next again.
//   - A call that waits holds no connection and does not poll. Deleting a variable or a workspace wakes all who wait for it,
//     also those who missed the message.
//   - A workspace that is not persistent is deleted when its owner closes it, or dies and its lease runs out. Time is that of
//     Redis.
//   - When Redis is short of memory, a call that stores fails with nothing changed, and those that take go on.
//   - All of it works on one server, by Sentinel and on a cluster, where a workspace is in one slot: that of its name up to
//     the first slash.
//
// # What to know
//
//   - What Redis loses is lost: a failover or a crash may take the last writes along. See docs/redis.md for how to run it.
//   - A value that was fetched dies with the process that has it; so does one whose Fetch was given up while Redis did not
//     answer, if the process ends before it could give it back. Claim is for what must not be lost.
//   - A waiting call whose machine vanishes without closing its connections holds up a value for some seconds. So does a
//     server that refuses PUBLISH, or messages that are lost: then calls that wait wake with the next beat, within two
//     seconds.
//   - A client that is silent for ten minutes is forgotten. Should it have been stopped for so long in the middle of a call
//     whose reply is lost, that call ends with a *redisx.UnknownError; a call that waits goes on waiting, and what it was
//     given meanwhile is lost.
//   - Values are JSON in plain lists, which redis-cli and other languages can read and add to; docs/protocol.md says all that
//     they must know. A value has 64 MiB at most: MaxValue.
//   - StoreAll stores a thousand values in one step, not all of them.
//
// The verbs and their meaning come from NetWorkSpaces for Python and R (2005–2010), and by it from Linda.
package workspace
