package workspace

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/netspaces/netspaces/redisx"
)

// verbs matches what fmt takes for a verb.
var verbs = regexp.MustCompile(`%[-+# 0]*[0-9]*(\.[0-9]*)?[a-zA-Z]|%%|%`)

var integerVerb = regexp.MustCompile(`^%0?[0-9]{0,2}d$`)

// OpenTemporary opens a workspace of a name that nobody else has, made of a template with exactly one integer verb, such as
// "ride_%04d". The caller owns it, so that it goes away with the caller unless opts say that it is persistent. The numbers
// come from a counter in Redis. It returns ErrName for any other template, otherwise it is as Open.
func OpenTemporary(ctx context.Context, rdb *redisx.Client, template string, opts *Options) (*Workspace, error) {
	if found := verbs.FindAllString(template, -1); len(found) != 1 || !integerVerb.MatchString(found[0]) {
		return nil, fmt.Errorf("%w: template %q: it must have exactly one integer verb, such as %%d or %%04d",
			ErrName, template)
	}
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	o.New = true
	for {
		number, err := plain(ctx, rdb, "HINCRBY", counterKey, "temporary", 1)
		if err != nil {
			return nil, fmt.Errorf("workspace: counting temporary names: %w", err)
		}
		if n, _ := number.(int64); n <= 0 { // some servers count beyond the largest number
			return nil, fmt.Errorf("workspace: counting temporary names: %w: the counter is at %v", ErrDamaged, number)
		}
		verb := verbs.FindString(template)
		ws, err := open(ctx, rdb, strings.Replace(template, verb, fmt.Sprintf(verb, number), 1), "own", o)
		if !errors.Is(err, ErrExists) {
			return ws, err
		}
	}
}
