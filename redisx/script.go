package redisx

import (
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Script is a Lua script that Redis runs as one step.
//
// It must be repeatable: sent twice with the same arguments it acts once, and its second reply is as good as the first.
// Run relies on that, since after a broken connection it sends a call again that may have been done. Scripts that only
// read or only set are repeatable as they are; others need a number of their request among their arguments, by which they
// know it again.
type Script struct {
	name   string
	source string
	sha    string
}

// NewScript makes a script of the given sources, put one after the other. Its name is used in errors.
func NewScript(name string, sources ...string) *Script {
	source := strings.Join(sources, "\n")
	return &Script{name: name, source: source, sha: redis.NewScript(source).Hash()}
}

// Name is what NewScript was given.
func (s *Script) Name() string { return s.name }

// UnknownError says that a script was on its way when its context ended, the client was closed or the time for trying
// was over. Redis has done it once or not at all, or may still do it.
type UnknownError struct {
	Script string
	Err    error // why no more is known: it wraps the end of the context or the error of the last connection
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("redisx: it is not known whether Redis has done %q, once or not at all: %v", e.Script, e.Err)
}

// Unwrap gives the reason.
func (e *UnknownError) Unwrap() error { return e.Err }
