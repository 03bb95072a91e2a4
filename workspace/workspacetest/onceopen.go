package workspacetest

import (
	"github.com/netspaces/netspaces/workspace"
)

// The first copy of what opened a workspace does not bring it back after it was closed.
func onceOpen(o *once) {
	o.strike(o.key("live"))
	ws := o.openBy(o.rdb, nil)
	if !ws.Mine() {
		o.Error("nobody else has opened it, and it is not mine")
	}
	o.store(ws, "v", 1)
	o.must(ws.Close())
	o.noKeyLeft()
	o.struck()
}

func onceOpenTemporary(o *once) {
	o.strike("nws:{" + o.name() + "}/")
	ws, err := workspace.OpenTemporary(o.ctx, o.rdb, o.name()+"/%d", nil)
	o.must(err)
	if !ws.Mine() {
		o.Error("a temporary workspace is not its maker's")
	}
	infos, err := workspace.List(o.ctx, o.server.Client)
	o.must(err)
	mine := 0
	for _, info := range infos {
		if info.Name == ws.Name() && info.Mine {
			mine++
		}
	}
	if mine != 1 {
		o.Errorf("%d workspaces were made", mine)
	}
	o.struck()
	o.store(ws, "v", 1)
	o.must(ws.Close())
}

func onceClose(o *once) {
	ws := o.openBy(o.rdb, nil)
	o.store(ws, "v", 1)
	o.strike(o.key("live"))
	o.must(ws.Close())
	anew := o.openBy(o.client(), nil)
	o.store(anew, "v", 2)
	o.struck()
	o.holds(anew, "v", "2")
}

// One who merely uses a workspace leaves nothing behind.
func onceBye(o *once) {
	far := o.far()
	o.strike(o.key("live"))
	o.must(far.Close())
	o.struck()
	o.unknownClient(far)
}
