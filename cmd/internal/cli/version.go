package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is that of the module, with the commit if it is a build of a working copy.
func version() string {
	text := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		text = info.Main.Version
	}
	return fmt.Sprintf("%s (%s, %s/%s)", text, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
