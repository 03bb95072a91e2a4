package workspacetest

import (
	"github.com/netspaces/netspaces/workspace"
)

func onceDelete(o *once) {
	first := o.open()
	o.store(first, "v", 1)
	o.strike(o.key("live"))
	if err := workspace.Delete(o.ctx, o.rdb, o.name()); err != nil {
		o.Errorf("Delete: %v", err)
	}
	anew := o.openBy(o.client(), nil)
	o.store(anew, "v", 2)
	o.struck()
	o.holds(anew, "v", "2")
	o.wantErr(first.Store(o.ctx, "v", 3), workspace.ErrNoWorkspace)
}

// There is nothing in it, so that one script deletes all.
func onceDeleteEmpty(o *once) {
	o.open()
	o.strike(o.key("live"))
	if err := workspace.Delete(o.ctx, o.rdb, o.name()); err != nil {
		o.Errorf("Delete: %v", err)
	}
	anew := o.openBy(o.client(), nil)
	o.struck()
	o.store(anew, "v", 2)
	o.holds(anew, "v", "2")
}
