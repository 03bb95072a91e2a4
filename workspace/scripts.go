package workspace

import (
	"embed"
	"fmt"

	"github.com/netspaces/netspaces/redisx"
)

//go:embed lua/*.lua
var sources embed.FS

// Each script acts once however often it is sent with the same arguments.
var (
	openScript       = script("open")
	renewScript      = script("renew")
	deleteScript     = script("delete")
	declareScript    = script("declare")
	deleteVarScript  = script("deletevar")
	listVarsScript   = script("listvars")
	storeScript      = script("store")
	fetchScript      = script("fetch")
	findScript       = script("find")
	leaveScript      = script("leave")
	beatScript       = script("beat")
	claimScript      = script("claim")
	renewClaimScript = script("renewclaim")
	settleScript     = script("settle")
	releaseScript    = script("release")
	endClaimsScript  = script("endclaims")

	plainScript      = redisx.NewScript("plain", source("plain"))
	registerScript   = redisx.NewScript("register", source("register"))
	unregisterScript = redisx.NewScript("unregister", source("unregister"))
	endedScript      = redisx.NewScript("ended", source("ended"))
)

func script(name string) *redisx.Script {
	return redisx.NewScript(name, source("prelude"), source(name))
}

func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(fmt.Sprintf("workspace: script %s is not embedded: %v", name, err))
	}
	return string(text)
}
