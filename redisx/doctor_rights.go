package redisx

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed doctor.lua
var doctorSource string

var doctorSHA = redis.NewScript(doctorSource).Hash()

const hearWithin = 2 * time.Second // of a message that Redis publishes

// findings is what came of trying.
type findings struct {
	refused []string // commands that scripts and their callers cannot do without
	mute    []string // the same of pub/sub, without which the beat wakes those who wait
	slow    bool     // PUBSUB does not say who hears, so that no message brings a claim
	keys    bool     // the keys are refused, whatever the command
	other   error    // what else went wrong
	unheard bool     // what was published did not come
}

func (p *patient) rights(ctx context.Context) Check {
	if p.tag == "" {
		return Check{State: CheckNA, Detail: "it serves no slots"}
	}
	return p.judgeRights(p.try(ctx))
}

// pubsubVerbs is how a server is listened to: in a cluster by channels that stay in their slot.
type pubsubVerbs struct {
	subscribe   func(ctx context.Context, channels ...string) *redis.PubSub
	unsubscribe func(pubsub *redis.PubSub, ctx context.Context, channels ...string) error
	prefix      string // of the names of the three commands
}

func (p *patient) pubsubVerbs() pubsubVerbs {
	if p.clustered {
		return pubsubVerbs{p.rdb.SSubscribe, (*redis.PubSub).SUnsubscribe, "S"}
	}
	return pubsubVerbs{p.rdb.Subscribe, (*redis.PubSub).Unsubscribe, ""}
}

// try runs what the scripts run, and listens as a handle on a workspace does.
func (p *patient) try(ctx context.Context) findings {
	var f findings
	base, verbs := "nws:{"+p.tag+"}:scratch:"+rand.Text()[:12], p.pubsubVerbs()
	keys, channel, publish := []string{base + ":hash", base + ":list", base + ":zset"}, base+":inbox", verbs.prefix+"PUBLISH"

	pubsub := verbs.subscribe(ctx, channel)
	defer func() { _ = pubsub.Close() }()
	attached := context.AfterFunc(ctx, func() { _ = pubsub.Close() })
	defer attached()
	_, err := pubsub.ReceiveTimeout(ctx, hearWithin)
	f.note(&f.mute, verbs.prefix+"SUBSCRIBE", err)
	listening := err == nil

	// As clients send scripts: by their names, and whole where Redis does not know them.
	for _, sent := range []struct{ verb, script string }{{"EVAL", doctorSource}, {"EVALSHA", doctorSHA}} {
		reply, err := p.rdb.Do(ctx, sent.verb, sent.script, len(keys), keys[0], keys[1], keys[2],
			publish, channel, sent.verb).StringSlice()
		if err != nil && !redis.HasErrorPrefix(err, "NOSCRIPT") {
			f.note(&f.refused, sent.verb, err)
		}
		for pair := range slices.Chunk(reply, 2) {
			list := &f.refused
			switch pair[0] {
			case publish:
				list = &f.mute
			case "PUBSUB":
				f.slow = true // whatever the reason
				continue
			}
			f.note(list, pair[0], errors.New(pair[1]))
		}
	}
	if listening && f.isClean() {
		message, err := pubsub.ReceiveTimeout(ctx, hearWithin)
		_, heard := message.(*redis.Message)
		f.unheard = err != nil || !heard
	}
	if listening {
		err := verbs.unsubscribe(pubsub, ctx, channel)
		if err == nil {
			err = drain(ctx, pubsub)
		}
		f.note(&f.mute, verbs.prefix+"UNSUBSCRIBE", err)
	}
	return f
}

// isClean says whether all went as it should so far.
func (f *findings) isClean() bool {
	return len(f.refused) == 0 && len(f.mute) == 0 && !f.keys && f.other == nil
}

// drain reads until something else than a message comes.
func drain(ctx context.Context, pubsub *redis.PubSub) error {
	for {
		message, err := pubsub.ReceiveTimeout(ctx, hearWithin)
		if _, isMessage := message.(*redis.Message); !isMessage || err != nil {
			return err
		}
	}
}

// note sorts an error in, if there is one.
func (f *findings) note(list *[]string, command string, err error) {
	switch {
	case err == nil:
	case !isRefusal(err.Error()):
		if f.other == nil {
			f.other = fmt.Errorf("%s: %w", command, err)
		}
	case list == &f.refused && strings.Contains(err.Error(), "key"):
		f.keys = true
	case !slices.Contains(*list, command):
		*list = append(*list, command)
	}
}

func (p *patient) judgeRights(f findings) Check {
	grant := "ACL SETUSER " + p.user
	switch {
	case f.keys:
		return Check{
			State:  CheckFailed,
			Detail: "keys that begin with nws: are refused",
			Advice: grant + " ~nws:*",
		}
	case len(f.refused) > 0:
		return Check{
			State:  CheckFailed,
			Detail: "refused: " + strings.Join(append(f.refused, f.mute...), ", "),
			Advice: grant + plus(f.refused) + plus(f.mute) + "; docs/redis.md has a whole user.",
		}
	case f.other != nil:
		return Check{State: CheckFailed, Detail: brief(f.other)}
	case len(f.mute) > 0:
		return Check{
			State:  CheckWarning,
			Detail: "refused: " + strings.Join(f.mute, ", ") + ": who waits is woken by the beat, some seconds late",
			Advice: grant + plus(f.mute) + " &nws:*",
		}
	case f.slow:
		return Check{
			State:  CheckWarning,
			Detail: "refused: PUBSUB: who waits for a claim has to ask for it when it is there, one round trip more",
			Advice: grant + " +pubsub",
		}
	case f.unheard:
		return Check{
			State:  CheckWarning,
			Detail: "what is published does not come: who waits is woken by the beat, some seconds late",
			Advice: "See whether a proxy stands before Redis that does not pass pub/sub on.",
		}
	default:
		return Check{State: CheckOK, Detail: "all commands that are used, and publish and subscribe"}
	}
}

func plus(commands []string) string {
	var rules strings.Builder
	for _, command := range commands {
		rules.WriteString(" +" + strings.ToLower(command))
	}
	return rules.String()
}

// userOf is the name in an address, or that of those who have none.
func userOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.User.Username() != "" {
		return u.User.Username()
	}
	return "default"
}
