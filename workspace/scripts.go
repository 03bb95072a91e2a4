package workspace

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/netspaces/netspaces/redisx"
)

//go:embed lua/*.lua lua/fast/*.lua
var sources embed.FS

var (
	openScript       = script("open")
	renewScript      = script("renew")
	deleteScript     = script("delete")
	describeScript   = script("describe")
	helloScript      = script("hello")
	beatScript       = script("beat")
	byeScript        = script("bye")
	cancelScript     = script("cancel")
	receivedScript   = script("received")
	declareScript    = script("declare")
	deleteVarScript  = script("deletevar")
	listVarsScript   = script("listvars")
	clientsScript    = script("clients")
	waitersScript    = script("waiters")
	watchScript      = script("watch")
	storeScript      = script("store")
	fetchScript      = script("fetch")
	findScript       = script("find")
	comeScript       = script("come")
	followScript     = script("follow")
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

// shared is what stands before each script that works on a workspace.
var shared = []string{"prelude", "claims", "waiting"}

func script(name string) *redisx.Script {
	return redisx.NewScript(name, slices.Concat(fastOf(name), sourcesOf(name))...)
}

// fastOf is the common case of a script, if it has one. It stands first, since to make the functions of what is shared takes
// longer than to store a value.
func fastOf(name string) []string {
	if _, err := fs.Stat(sources, "lua/fast/"+name+".lua"); err != nil {
		return nil
	}
	return []string{source("fast/" + name)}
}

// sourcesOf is what is shared, and then these.
func sourcesOf(names ...string) []string {
	var texts []string
	for _, part := range slices.Concat(shared, names) {
		texts = append(texts, source(part))
	}
	return texts
}

func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(fmt.Sprintf("workspace: script %s is not embedded: %v", name, err))
	}
	return string(text)
}
