package sleigh

import (
	"embed"
	"fmt"

	"github.com/netspaces/netspaces/workspace"
)

//go:embed lua/*.lua lua/fast/*.lua
var sources embed.FS

var (
	submitScript  = script("submit", luaOf("fast/submit"))
	settleScript  = script("settle", luaOf("fast/settle"))
	deferScript   = script("defer", "")
	endScript     = script("end", "")
	forgetScript  = script("forget", "")
	keepScript    = script("keep", "")
	attachScript  = script("attach", "")
	noteScript    = script("note", "")
	orphanScript  = script("orphans", "")
	termsScript   = script("terms", "")
	teamScript    = script("team", "")
	reportScript  = script("report", "")
	deathScript   = script("death", "")
	lookScript    = script("look", "")
	statusScript  = script("status", "")
	auditScript   = script("audit", "")
	explainScript = script("explain", "")
	glanceScript  = script("glance", "")
	dismissScript = script("dismiss", "")
	refuseScript  = script("refuse", "")
)

func script(name, common string) *workspace.Script {
	return workspace.NewScript("sleigh "+name, luaOf("jobs")+"\n"+luaOf(name), common)
}

func luaOf(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(fmt.Sprintf("sleigh: script %s is not embedded: %v", name, err))
	}
	return string(text)
}
