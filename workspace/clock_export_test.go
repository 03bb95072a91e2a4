package workspace

import (
	"slices"
	"strings"
)

// ScriptTexts gives the whole text of each script that works on a workspace, by its name.
func ScriptTexts() map[string]string {
	files, err := sources.ReadDir("lua")
	if err != nil {
		panic(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		name, isScript := strings.CutSuffix(file.Name(), ".lua")
		if !isScript {
			continue
		}
		switch name {
		case "plain", "register", "unregister", "ended":
			texts[name] = source(name)
		default:
			texts[name] = strings.Join(slices.Concat(fastOf(name), sourcesOf(name)), "\n")
		}
	}
	return texts
}
