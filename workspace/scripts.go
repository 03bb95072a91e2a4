package workspace

import (
	"embed"
	"fmt"

	"github.com/netspaces/netspaces/redisx"
)

//go:embed lua/*.lua
var sources embed.FS

// Scripts that are repeatable act once however often they are sent with the same arguments.
var (
	openScript       = script("open", true)
	renewScript      = script("renew", true)
	deleteScript     = script("delete", true)
	declareScript    = script("declare", true)
	deleteVarScript  = script("deletevar", false)
	listVarsScript   = script("listvars", true)
	storeScript      = script("store", false)
	fetchScript      = script("fetch", false)
	findScript       = script("find", true)
	leaveScript      = script("leave", true)
	beatScript       = script("beat", true)
	claimScript      = script("claim", true)
	renewClaimScript = script("renewclaim", true)
	settleScript     = script("settle", true)
	releaseScript    = script("release", true)
	endClaimsScript  = script("endclaims", true)

	plainScript      = redisx.NewScript("plain", true, source("plain"))
	registerScript   = redisx.NewScript("register", true, source("register"))
	unregisterScript = redisx.NewScript("unregister", true, source("unregister"))
	endedScript      = redisx.NewScript("ended", true, source("ended"))
)

func script(name string, repeatable bool) *redisx.Script {
	return redisx.NewScript(name, repeatable, source("prelude"), source(name))
}

func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(fmt.Sprintf("workspace: script %s is not embedded: %v", name, err))
	}
	return string(text)
}
