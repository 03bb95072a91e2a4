package workspacetest

func onceStore(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 0)
	o.strikeLossy()
	o.store(far, "lossy", 1)
	o.store(o.ws, "lossy", 2)
	o.struck()
	o.holds(o.ws, "lossy", "0", "1", "2")
}

// The value is gone from its place when the request comes a second time.
func onceStoreServes(o *once) {
	far := o.far()
	first, finder := o.fetch(o.ws, "lossy"), o.find(o.ws, "lossy")
	o.waiting(o.ws, "lossy", 1, 1)
	second := o.fetch(o.ws, "lossy")
	o.waiting(o.ws, "lossy", 2, 1)
	o.strikeLossy()
	o.store(far, "lossy", 1)
	first.gets("1")
	finder.gets("1")
	o.struck()
	o.waiting(o.ws, "lossy", 1, 0)
	o.store(o.ws, "lossy", 2)
	second.gets("2")
	o.holds(o.ws, "lossy")
}

func onceStoreAll(o *once) {
	far := o.far()
	o.strikeLossy()
	o.store(far, "lossy", 1, 2, 3)
	o.store(o.ws, "lossy", 4)
	o.struck()
	o.holds(o.ws, "lossy", "1", "2", "3", "4")
}
