package redistest

import (
	"context"
	"fmt"
	"strings"
)

// replication is what a server says of its part in it.
func replication(server *Server) (map[string]string, error) {
	text, err := server.admin.Info(context.Background(), "replication").Result()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", server.Addr(), err)
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[key] = value
		}
	}
	return info, nil
}

// streams says which replica does not receive yet what the master gets. That begins a while after the replica, which
// has copied all that was there, holds its link for up.
func streams(master map[string]string) error {
	for key, value := range master {
		if strings.HasPrefix(key, "slave") && strings.HasPrefix(value, "ip=") && !strings.Contains(value, "state=online") {
			return fmt.Errorf("a replica is not ready: %s", value)
		}
	}
	return nil
}
