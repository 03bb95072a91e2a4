// Package workspace has named variables that live in Redis, for programs on any number of machines that share nothing else.
//
// A Workspace is a named set of variables; a variable is a queue of values. Store adds a value; Fetch takes one away and
// waits until there is one; Find reads one and waits until there is one. Var is a typed handle on a variable. Claim is a
// fetch under a lease: the values are settled together with what came of them, or go to somebody else.
//
//	ws, err := workspace.Open(ctx, rdb, "weather", nil)
//	temperature := workspace.NewVar[float64](ws, "temperature")
//	err = temperature.Store(ctx, 21.5)
//	t, err := temperature.Find(ctx)
//
// # Guarantees
//
// One value goes to one Fetch. A value that is stored goes to all who wait in Find, then to the Fetch that has waited
// longest, on whichever machine; else it stays. A call that waits ends with its context, and then has taken nothing. It
// holds no connection while it waits, and does not poll. Deleting a variable or a workspace wakes all who wait for it.
//
// A workspace that is not persistent is deleted when its owner closes it, or dies and its lease runs out. Time is that of
// Redis.
//
// Values are stored as JSON in plain lists, so that redis-cli and other languages can read them; keys.go has all keys.
//
// # Caveats
//
// Store, Fetch, TryFetch and DeleteVar are sent once: if the connection breaks while one is on its way, it returns a
// *redisx.UnknownError, and may or may not have happened. All other calls are tried again for up to a minute. A waiting
// call whose machine vanishes without closing its connections holds up a value for some seconds at most.
//
// The verbs and their meaning come from NetWorkSpaces for Python and R (2005–2010), and by it from Linda.
package workspace
