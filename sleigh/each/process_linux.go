package each

import "syscall"

// dieWithUs has a command killed when this process dies.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
