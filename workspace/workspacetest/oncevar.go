package workspacetest

import (
	"github.com/netspaces/netspaces/workspace"
)

func onceDeclare(o *once) {
	far := o.far()
	o.strikeLossy()
	o.declare(far, "lossy", workspace.LIFO)
	o.must(o.ws.DeleteVar(o.ctx, "lossy"))
	o.struck()
	o.declare(o.ws, "lossy", workspace.Multi)
}

func onceDeclareRefused(o *once) {
	far := o.far()
	o.declare(o.ws, "lossy", workspace.FIFO)
	o.strikeLossy()
	o.wantErr(far.Declare(o.ctx, "lossy", workspace.LIFO), workspace.ErrDeclared)
	o.must(o.ws.DeleteVar(o.ctx, "lossy"))
	o.struck()
	if info := o.info(o.ws, "lossy"); info.Name != "" {
		o.Errorf("what was refused was done later: %+v", info)
	}
}

func onceDeleteVar(o *once) {
	far := o.far()
	o.store(o.ws, "lossy", 1)
	o.strikeLossy()
	o.must(far.DeleteVar(o.ctx, "lossy"))
	o.store(o.ws, "lossy", 2)
	o.struck()
	o.holds(o.ws, "lossy", "2")
}

func onceDeleteNoVar(o *once) {
	far := o.far()
	o.strikeLossy()
	o.wantErr(far.DeleteVar(o.ctx, "lossy"), workspace.ErrNoVar)
	o.store(o.ws, "lossy", 2)
	o.struck()
	o.holds(o.ws, "lossy", "2")
}
