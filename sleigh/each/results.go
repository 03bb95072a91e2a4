package each

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const maxName = 240 // bytes of a folder's name: most file systems take 255

var escapes = strings.NewReplacer(`\`, `\\`, "/", `\_`, "\t", `\t`, "\x00", `\0`)

// folder is the name of an item's folder, or folders, in the directory of results.
func folder(item string) string {
	name := escapes.Replace(item)
	var path string
	for len(name) > maxName {
		path, name = filepath.Join(path, name[:maxName]+`\`), name[maxName:] // no name of an item ends so
	}
	if name == "" || name == "." || name == ".." {
		name = `\` + name
	}
	return filepath.Join(path, name)
}

// writeResult writes the files of a result.
func writeResult(directory string, r *Result) error {
	to := filepath.Join(directory, "1", folder(r.Item))
	err := os.MkdirAll(to, 0o777)
	for name, text := range map[string][]byte{
		"stdout": r.Stdout, "stderr": r.Stderr, "seq": []byte(strconv.Itoa(r.Seq)),
	} {
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o666)
		}
	}
	if err != nil {
		return fmt.Errorf("each: results: %w", err)
	}
	return nil
}
