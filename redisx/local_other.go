//go:build !unix

package redisx

import "os/exec"

const localSupported = false // there is no sh to guard the server

func detach(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
