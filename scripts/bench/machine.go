package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// machine is where a run was.
type machine struct {
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	Redis string `json:"redis"`
	// Before and After are the load averages over a minute; empty where the system does not tell.
	Before string `json:"load_before,omitempty"`
	After  string `json:"load_after,omitempty"`
}

var redisVersion = regexp.MustCompile(`redis_version:(\S+)`)

func (b *bench) machine(ctx context.Context) machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Before: load()}
	if found := redisVersion.FindStringSubmatch(b.plain.Info(ctx, "server").Val()); found != nil {
		m.Redis = found[1]
	}
	return m
}

func (m machine) String() string {
	text := fmt.Sprintf("%d cores, %s, Redis %s, persistence off", m.Cores, m.Go, m.Redis)
	if m.Before != "" {
		text += fmt.Sprintf(", load %s before and %s after", m.Before, m.After)
	}
	return text
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
