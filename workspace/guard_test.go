package workspace_test

import (
	"strings"
	"testing"

	"github.com/netspaces/netspaces/workspace"
)

// What has scripts fail in TestRealRedis that touch undeclared keys, sees them.
func TestGuardTellsRightFromWrong(t *testing.T) {
	rdb := openUntilEnd(t, "mem://")
	for text, ok := range map[string]bool{
		"redis.call('SET', KEYS[1], 'v')":          true,
		"redis.call('set', KEYS[1], 'v')":          true,
		"redis.call('DEL', KEYS[1], KEYS[2])":      true,
		"redis.call('TIME')":                       true,
		"redis.call('PUBLISH', 'channel', '')":     true,
		"redis.pcall('PUBSUB', 'NUMSUB', 'c')":     true,
		"redis.pcall('GET', KEYS[1])":              true,
		"redis.call('SET', KEYS[1] .. 'x', 'v')":   false,
		"redis.call('set', 'undeclared', 'v')":     false,
		"redis.call('DEL', KEYS[1], 'undeclared')": false,
		"redis.call('EXISTS', 'undeclared')":       false,
		"redis.pcall('GET', 'undeclared')":         false,
	} {
		_, err := rdb.Run(t.Context(), workspace.GuardedScript(text+" return 1"), []string{"{a}1", "{a}2"})
		if ok != (err == nil) || !ok && !strings.Contains(err.Error(), "UNDECLARED") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
