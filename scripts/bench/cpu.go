package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

var usedCPU = regexp.MustCompile(`used_cpu_(?:sys|user):([\d.]+)`)

// cpuOf is the CPU time that a Redis has used, of the system and its own.
func cpuOf(ctx context.Context, rdb *redis.Client) (time.Duration, error) {
	info, err := rdb.Info(ctx, "cpu").Result()
	if err != nil {
		return 0, err
	}
	found := usedCPU.FindAllStringSubmatch(info, -1)
	if len(found) != 2 {
		return 0, fmt.Errorf("INFO tells no CPU time: %q", info)
	}
	total := 0.0
	for _, f := range found {
		seconds, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			return 0, err
		}
		total += seconds
	}
	return time.Duration(total * float64(time.Second)), nil
}

// cpuDuring is the CPU time that a Redis uses while f runs.
func cpuDuring(ctx context.Context, rdb *redis.Client, f func() error) (time.Duration, error) {
	before, err := cpuOf(ctx, rdb)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := cpuOf(ctx, rdb)
	return after - before, err
}

func cpuOfSelf() time.Duration { return usage(syscall.RUSAGE_SELF) }

// cpuOfChildren is that of those that have ended.
func cpuOfChildren() time.Duration { return usage(syscall.RUSAGE_CHILDREN) }

func usage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
