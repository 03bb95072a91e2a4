package sleigh

import (
	"fmt"
	"runtime"
	"strings"
)

// machines are what uname -m calls the architectures for which Go makes programs.
var machines = map[string]string{
	"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i386": "386", "i486": "386", "i586": "386",
	"i686": "386", "armv5tel": "arm", "armv6l": "arm", "armv7l": "arm", "ppc64": "ppc64", "ppc64le": "ppc64le",
	"s390x": "s390x", "riscv64": "riscv64", "loongarch64": "loong64", "mips64": "mips64",
}

// wrongPlatform says why this program cannot run on a host, by what uname -sm prints there.
func wrongPlatform(host, uname string) error {
	system, machine, _ := strings.Cut(strings.TrimSpace(uname), " ")
	arch, known := machines[machine]
	if !known {
		arch = machine
	}
	if strings.ToLower(system) == runtime.GOOS && arch == runtime.GOARCH {
		return nil
	}
	return fmt.Errorf("%s is %s %s, and this program is for %s/%s: build one for that host, bring it there, and name it in SSHOptions.Program",
		host, system, machine, runtime.GOOS, runtime.GOARCH)
}
