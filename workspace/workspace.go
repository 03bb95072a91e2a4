package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/netspaces/netspaces/redisx"
)

// Workspace is a handle on one workspace, for any number of goroutines. It belongs to the incarnation that was opened:
// when that is deleted, the handle fails with ErrNoWorkspace from then on, even if there is a workspace of that name anew.
type Workspace struct {
	rdb         *redisx.Client
	name        string
	keys        keys
	client      string // this handle's name in Redis
	incarnation string
	owned       bool
	persistent  bool
	lease       time.Duration
	settled     time.Time // from when on no late copy of the call that opened it can do anything

	introduction introduction
	lanes        lanes
	stores       groups[shipment]
	fetches      fetches
	coming       coming
	waiting      waiting
	keyring      keyring
	calls        gate            // calls that may have to be undone, and what they have left to do in the background
	ctx          context.Context // ends when the handle closes
	cancel       context.CancelFunc
	forget       func()         // takes back what Close registered with rdb
	running      sync.WaitGroup // goroutines of this handle
	once         sync.Once
}

// Default is the name of a workspace that is always there: opening it makes it where it is missing. It is persistent, and
// nobody owns it.
const Default = "default"

// Options are those of Open.
type Options struct {
	// Persistent keeps the workspace when its owner closes or dies. Defaults to false.
	Persistent bool
	// Lease is how long the workspace outlives an owner that died. Defaults to 30 s.
	Lease time.Duration
	// New has Open return ErrExists where there is a workspace of the name. Defaults to false.
	New bool
}

func (o *Options) withDefaults() (Options, error) {
	var filled Options
	if o != nil {
		filled = *o
	}
	if filled.Lease == 0 {
		filled.Lease = 30 * time.Second
	}
	if filled.Lease < minLease {
		return filled, fmt.Errorf("workspace: a lease of %v is too short: at least %v", filled.Lease, minLease)
	}
	return filled, nil
}

// Open opens a workspace, makes it where it is missing, and makes the caller its owner if nobody owns it. A workspace
// that is not persistent is deleted when its owner closes it, or dies and does not renew its lease; who made it decides
// whether it is persistent. Nil options are the defaults. Open blocks for some round trips.
//
// Clients of the package clean up after owners that died: each Open looks for workspaces whose lease has ended, and so does
// each handle now and then that owns or waits.
func Open(ctx context.Context, rdb *redisx.Client, name string, opts *Options) (*Workspace, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return open(ctx, rdb, name, "own", o)
}

// Use opens a workspace and never owns it. Where it is missing, Use makes it if create is true and otherwise returns
// ErrNoWorkspace. It blocks for a round trip, or some if create is true.
func Use(ctx context.Context, rdb *redisx.Client, name string, create bool) (*Workspace, error) {
	purpose := "use"
	if create {
		purpose = "create"
	}
	return open(ctx, rdb, name, purpose, Options{})
}

// Delete deletes a workspace, whoever owns it. Whoever waits for a variable of it gets ErrNoWorkspace; so does the caller
// where there is no such workspace. It blocks for some round trips.
func Delete(ctx context.Context, rdb *redisx.Client, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	incarnation, err := plain(ctx, rdb, "HGET", keysOf(name).workspace(), "incarnation")
	if err != nil {
		return fmt.Errorf("workspace %q: %w", name, err)
	}
	if incarnation == nil { // there is none, or one whose deletion has begun
		return remove(ctx, rdb, name, "", "rest")
	}
	// Named, so that a copy of the call that comes late does not delete the next one. If it is gone now, it was deleted
	// meanwhile, most likely by a first copy the reply of which was lost.
	err = remove(ctx, rdb, name, fmt.Sprint(incarnation), "")
	if errors.Is(err, ErrNoWorkspace) {
		return nil
	}
	return err
}

// Delete deletes the workspace that this handle is of, whoever owns it, and none that has its name later; also after Close. It
// is as the function Delete otherwise.
func (ws *Workspace) Delete(ctx context.Context) error {
	return remove(ctx, ws.rdb, ws.name, ws.incarnation, "")
}

func open(ctx context.Context, rdb *redisx.Client, name, purpose string, o Options) (*Workspace, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if purpose != "use" {
		if _, err := sweep(ctx, rdb, func(string, string) bool { return true }); err != nil {
			return nil, err
		}
	}
	if purpose == "own" && o.New {
		purpose = "new"
	}
	if name == Default {
		purpose, o.Persistent = "create", true
	}
	ws := &Workspace{rdb: rdb, name: name, keys: keysOf(name), client: newClientName(), lease: o.Lease}
	ws.lanes.init()
	ws.waiting.init()
	ws.ctx, ws.cancel = context.WithCancel(context.Background())
	incarnation := rand.Text()[:12]
	for {
		until := 0
		if purpose != "use" { // listed first: should we die in between, others find it
			r, err := call(ctx, rdb, registerScript, []string{namesKey}, name, firstListing.Milliseconds())
			if err != nil {
				return nil, err
			}
			until = r.number(0) + int(madeWithin.Milliseconds())
		}
		before := rdb.Retries()
		reply, err := ws.call(ctx, openScript, ws.keys.forScript(ws.client), incarnation, ws.client, purpose,
			flag(o.Persistent), o.Lease.Milliseconds(), hostname(), os.Getpid(), filepath.Base(os.Args[0]),
			publishCommand(rdb), until)
		switch {
		case err != nil && (purpose == "own" || purpose == "new") && ctx.Err() != nil:
			// It may have been made in the last moment.
			ws.incarnation, ws.owned = incarnation, true
			return nil, errors.Join(err, ws.abandon())
		case err != nil:
			return nil, err
		case reply.word == "LATE":
			continue
		case reply.word == "TAKEN":
			return nil, fmt.Errorf("workspace %q: %w", name, ErrExists)
		case reply.word == "VERSION":
			return nil, versionError(name, reply.text(0))
		case reply.word == "OK":
			ws.incarnation, ws.owned, ws.persistent = reply.text(0), reply.text(1) == "1", reply.text(2) == "1"
			if purpose != "use" {
				err := list(ctx, rdb, name, reply.score(3))
				if err == nil {
					err = unlist(ctx, rdb, name) // should it have been deleted already
				}
				if err != nil {
					return nil, errors.Join(err, ws.abandon())
				}
			}
			if rdb.Retries() != before {
				ws.settled = time.Now().Add(madeWithin)
			}
			if ws.owned {
				ws.running.Go(ws.holdLease)
				ws.running.Go(ws.watchOthers)
			}
			ws.forget = rdb.AtClose(func() { _ = ws.close() })
			return ws, nil
		}
		// ENDED: what is left of an earlier incarnation goes first.
		if err := remove(ctx, rdb, name, "", "ended"); err != nil && !errors.Is(err, errHeld) && !errors.Is(err, ErrNoWorkspace) {
			return nil, err
		}
	}
}

// abandon takes back what a failed open has made.
func (ws *Workspace) abandon() error {
	if !ws.owned || ws.persistent {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := remove(ctx, ws.rdb, ws.name, ws.incarnation, ""); !errors.Is(err, ErrNoWorkspace) {
		return err
	}
	return nil
}

// Name returns the workspace's name.
func (ws *Workspace) Name() string { return ws.name }

// Mine reports whether this handle owns the workspace.
func (ws *Workspace) Mine() bool { return ws.owned }

// Close ends the handle: all its calls return ErrClosed. A workspace that it owns is deleted, or if it is persistent
// can be owned by the next who opens it. A second call does nothing. It blocks for some round trips, and at most for
// some seconds where Redis does not answer.
func (ws *Workspace) Close() error {
	ws.forget()
	return ws.close()
}

func (ws *Workspace) close() error {
	var err error
	ws.once.Do(func() {
		quick, giveUp := context.WithTimeout(context.Background(), closeTimeout)
		defer giveUp()
		ws.cancel()
		ws.calls.close(closeTimeout)
		ws.stopListening() // nobody begins to listen any more
		ws.running.Wait()
		if ws.owned {
			time.Sleep(time.Until(ws.settled))
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if ws.introduced() && (!ws.owned || ws.persistent) {
			_ = ws.bye(quick, ws.client, nil) // others forget it after a while where this fails
		}
		if !ws.owned {
			return
		}
		if ws.persistent {
			_, err = call(ctx, ws.rdb, renewScript, ws.keys.forScript(ws.client), ws.incarnation, ws.client, 0)
		} else {
			err = remove(ctx, ws.rdb, ws.name, ws.incarnation, "")
		}
		if errors.Is(err, ErrNoWorkspace) {
			err = nil // somebody deleted it before
		}
	})
	return err
}

// wrap adds where an error happened.
func (ws *Workspace) wrap(variable string, err error) error {
	if variable == "" {
		return fmt.Errorf("workspace %q: %w", ws.name, err)
	}
	return fmt.Errorf("workspace %q, variable %q: %w", ws.name, variable, err)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
