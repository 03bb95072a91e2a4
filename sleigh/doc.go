// Package sleigh has a team of worker processes run Go functions, with nothing between them but a Redis.
//
// A Sleigh is a team: a master that started it, and Workers, which are other processes of the same program. A Func is a
// function that is registered by name, since Go cannot send code. What a call hands to the workers is a job; it consists of
// tasks, each of which is some elements.
//
//	var square = sleigh.Register("square", func(ctx context.Context, x int) (int, error) { return x * x, nil })
//
//	func main() {
//		sleigh.Main() // a worker never returns from here
//		ctx := context.Background()
//		rdb, err := redisx.Open(ctx, os.Getenv("REDIS_URL"), nil)
//		…
//		s, err := sleigh.Start(ctx, rdb, &sleigh.Options{Launch: sleigh.Local(4)})
//		…
//		defer s.Stop(ctx)
//		squares, err := square.EachElem(ctx, s, slices.Values([]int{1, 2, 3}), nil)
//	}
//
// EachElem runs a function once for each element of a sequence, on whichever worker is free. Accumulate hands the results
// over as they come; Submit does not wait: a Job is waited for, streamed, cancelled, or its failures tried again. EachWorker
// runs a function once on each worker, Initialise on those too that join later. Export gives all functions a value. Several
// jobs run at a time and share the team.
//
// # Guarantees
//
// Each element has exactly one result. A worker takes tasks under a lease and settles them together with their results in
// one step. If it dies, its tasks go to others: at once if this program launched it, else when the lease has run out. So a
// function may run more than once for one element, but only one result counts. At the end of a job workers that have
// nothing else to do run copies of tasks that take long, at the same time as the first ones, unless JobOptions.NoCopies is
// set. An element over which three workers died becomes a TaskError; so does an error or a panic of the function, and the
// other elements have their results all the same. A death over a task of several elements takes that apart first, and where a
// worker has several slots, what ran there begins without the others the next time. If elements of which one ends its worker run
// beside each other for more than a second all the same, the death counts for each.
//
// A task is as many elements as take about 50 ms. An element that takes longer does not hold up those of its task: they go
// to others. Redis holds the tasks that are handed out and about as many more, never all.
//
// What Redis loses of a job, by a failover or by hand, is noticed within seconds and handed out again.
//
// Workers are launched on this machine by Local, on others by SSH or Command, or started by hand (Manual). Where that fails
// it is tried again, and does not hold up the others. They come and leave at any time. Each has the lowest rank that is free,
// and keeps it; a worker that dies is replaced under its rank. At SIGTERM a worker lets end what runs, or gives it back.
// Status says what each does, and Explain why nothing moves.
//
// An idle team costs Redis little: about one call of a script every two seconds for each worker, and three for the master.
//
// Workers and masters share a workspace of variables, User, in which functions may store, fetch and find.
//
// # Teams that last
//
// A sleigh that Start has made ends with its master. A team that masters Join lasts: they come and go, many at a time, and
// its workers stay. There a job that has a name (JobOptions.Name) outlives its master: the same call in the next run of the
// program goes on where the last one was, with the elements that are left; Attach does so from anywhere, and Detach leaves a
// job to itself. Each result is given once, but for those that a master had used in the last 100 ms before it was killed.
//
// # From outside
//
// Visit looks into any sleigh without becoming one of its masters, from any program: what it does and why nothing moves, and
// by Lines what workers have printed lately. CancelJob ends a job, and DrainWorker has a worker leave, wherever they are;
// Disband ends the team. Teams lists the sleighs of a server. Serve is a worker program that has a main of its own.
//
// # Caveats
//
// Arguments and results travel as JSON. When the master of Start dies, so do the workers that it launched, and the rest of its
// sleigh in Redis is deleted after its lease by any other client. A function that blocks for something that only a later
// element provides can block the whole team. So can one that waits for what a dead worker's element was to provide, when
// all workers do and no other takes its place: that of a machine that is gone, where nobody starts another one.
//
// Sleigh comes from NetWorkSpaces for Python and R (2005–2010), its eachElem and eachWorker.
package sleigh
