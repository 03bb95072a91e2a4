package sleigh

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/netspaces/netspaces/workspace"
)

//go:embed lua/*.lua lua/fast/*.lua
var sources embed.FS

var (
	submitScript  = script("submit")
	settleScript  = script("settle")
	deferScript   = script("defer")
	endScript     = script("end")
	forgetScript  = script("forget")
	keepScript    = script("keep")
	attachScript  = script("attach")
	noteScript    = script("note")
	orphanScript  = script("orphans")
	termsScript   = script("terms")
	teamScript    = script("team")
	reportScript  = script("report")
	deathScript   = script("death")
	lookScript    = script("look")
	statusScript  = script("status")
	auditScript   = script("audit")
	explainScript = script("explain")
	glanceScript  = script("glance")
	dismissScript = script("dismiss")
	refuseScript  = script("refuse")
)

func script(name string) *workspace.Script {
	return workspace.NewScript("sleigh "+name, luaOf("jobs")+"\n"+luaOf(name), fastOf(name))
}

// fastOf is the common case of a script, if it has one.
func fastOf(name string) string {
	if _, err := fs.Stat(sources, "lua/fast/"+name+".lua"); err != nil {
		return ""
	}
	return luaOf("fast/" + name)
}

func luaOf(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(fmt.Sprintf("sleigh: script %s is not embedded: %v", name, err))
	}
	return string(text)
}

// flag is how scripts are told whether something is so.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
