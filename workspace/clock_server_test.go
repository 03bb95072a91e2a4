package workspace_test

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by it.
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	resp "github.com/alicebob/miniredis/v2/server"

	"github.com/netspaces/netspaces/workspace"
)

// server is a Redis that lives by the clock of a bubble, and notes which scripts run when.
type server struct {
	redis *miniredis.Miniredis
	began time.Time
	names map[string]string // SHA-1 → script

	mu      sync.Mutex
	loaded  map[string]bool
	refused map[string]bool // commands
	hooks   map[string]func()
	ahead   time.Duration // what its clock says is so much later than the bubble's
	calls   []scriptCall
	told    int // messages
}

// scriptCall is a script that ran.
type scriptCall struct {
	at     time.Duration // since the bubble began
	script string
	client string // the handle's name; empty where none sent it
	args   []string
}

func newServer() (*server, error) {
	s := &server{
		redis: miniredis.NewMiniRedis(), began: time.Now(), names: map[string]string{}, loaded: map[string]bool{},
		refused: map[string]bool{}, hooks: map[string]func(){},
	}
	for name, text := range workspace.ScriptTexts() {
		s.names[hash(text)] = name
	}
	first, err := s.redis.Dial() // starts it
	if err != nil {
		return nil, err
	}
	s.redis.Server().SetPreHook(s.before)
	return s, first.Close()
}

func hash(text string) string {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // As above.
	return hex.EncodeToString(sum[:])
}

// before runs before each command, those of scripts included. True: the command is done.
func (s *server) before(c *resp.Peer, command string, args ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused[command] {
		c.WriteError("NOPERM this user has no permissions to run the '" + strings.ToLower(command) + "' command")
		return true
	}
	switch command {
	case "PUBLISH":
		s.told++
	case "TIME":
		now := time.Now().Add(s.ahead)
		c.WriteLen(2)
		c.WriteBulk(strconv.FormatInt(now.Unix(), 10))
		c.WriteBulk(strconv.Itoa(now.Nanosecond() / 1000))
		return true
	case "EVAL":
		s.loaded[hash(args[0])] = true
		return s.script(c, hash(args[0]), args)
	case "EVALSHA":
		return s.loaded[args[0]] && s.script(c, args[0], args)
	}
	return false
}

func (s *server) script(c *resp.Peer, sha string, args []string) (done bool) {
	s.note(sha, args)
	hook := s.hooks[s.names[sha]]
	if hook == nil {
		return false
	}
	delete(s.hooks, s.names[sha])
	hook()
	c.WriteError("ERR it was not run")
	return true
}

// instead has something happen in place of the next run of a script.
func (s *server) instead(script string, happen func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[script] = happen
}

func (s *server) note(sha string, args []string) {
	n, _ := strconv.Atoi(args[1])
	keys, client := args[2:2+n], ""
	if n > 3 {
		_, client, _ = strings.Cut(keys[3], ":client:")
	}
	s.calls = append(s.calls, scriptCall{time.Since(s.began), s.names[sha], client, args[2+n:]})
}

// refuse has commands refused, as for a user who lacks the right; allow ends that.
func (s *server) refuse(command string) { s.setRefused(command, true) }
func (s *server) allow(command string)  { s.setRefused(command, false) }

func (s *server) setRefused(command string, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[command] = refused
}

// jump puts the server's clock on: all programs were suspended for so long, and their own clocks stood still.
func (s *server) jump(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// times says when a handle, or any if it is empty, has run a script from then on.
func (s *server) times(from time.Duration, client, script string) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Duration
	for _, c := range s.calls {
		if c.script == script && c.at >= from && (client == "" || c.client == client) {
			all = append(all, c.at)
		}
	}
	return all
}

// published says how many messages there were.
func (s *server) published() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
}
