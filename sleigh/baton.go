package sleigh

// baton is a lock that may be held while Redis is asked. Those who wait for it wait as for a channel, so that the clock of
// testing/synctest goes on meanwhile, as it does not for a sync.Mutex.
type baton chan struct{}

func newBaton() baton { return make(baton, 1) }

func (b baton) Lock()   { b <- struct{}{} }
func (b baton) Unlock() { <-b }
