package python_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/netspaces/netspaces/workspace"
)

// A peer of another version is told so, whichever is the older.
func TestVersion(t *testing.T) {
	s := newSite(t)
	for _, version := range []string{"0", "2"} {
		s.must(s.server.Redis().HSet(s.ctx, "nws:{shared}/by both:ws", "version", version).Err())
		program := "import redis, netspaces\n" +
			"netspaces.Workspace.open(redis.Redis.from_url('" + s.server.URL() + "'), '" + space + "')"
		text, err := python(t, "-c", program).CombinedOutput()
		out := string(text)
		if err == nil || !strings.Contains(out, "netspaces.VersionError: ") || !strings.Contains(out, ": "+version+"\n") {
			t.Errorf("version %s, Python: %v\n%s", version, err, out)
		}
		for what, open := range map[string]func() (*workspace.Workspace, error){
			"Open": func() (*workspace.Workspace, error) { return workspace.Open(s.ctx, s.rdb, space, nil) },
			"Use":  func() (*workspace.Workspace, error) { return workspace.Use(s.ctx, s.rdb, space, false) },
			"Delete": func() (*workspace.Workspace, error) {
				return nil, workspace.Delete(s.ctx, s.rdb, space)
			},
		} {
			_, err := open()
			if !errors.Is(err, workspace.ErrVersion) || !strings.Contains(err.Error(), "version "+version) {
				t.Errorf("version %s, %s: %v, want ErrVersion", version, what, err)
			}
		}
	}
	s.must(s.server.Redis().HSet(s.ctx, "nws:{shared}/by both:ws", "version", "1").Err())
}
