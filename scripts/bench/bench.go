package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/redis/go-redis/v9"
)

// quickBudget is how long the rounds of a family take, if it can be, where all are to take less than a minute.
const quickBudget = 2 * time.Second

// bench is a private redis-server, and the connections of both sides to it.
type bench struct {
	quick bool
	addr  string
	rdb   *redisx.Client // ours
	plain *redis.Client  // theirs

	server *redisx.Client // ends it
}

// measureAll measures what o asks for. It says to stderr what it is at.
func measureAll(ctx context.Context, o *options, stderr io.Writer) (_ *report, err error) {
	b, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.quick = o.quick
	report := &report{Machine: b.machine(ctx)}
	for i := range families {
		if f := &families[i]; f.isWanted(o) {
			if err := b.measureFamily(ctx, o, f, report, stderr); err != nil {
				return nil, fmt.Errorf("%s: %w", f.rows[0].name, errors.Join(context.Cause(ctx), err))
			}
		}
	}
	if err := b.measureCurves(ctx, o, report, stderr); err != nil {
		return nil, errors.Join(context.Cause(ctx), err)
	}
	if err := b.measureStudies(ctx, o, report, stderr); err != nil {
		return nil, err
	}
	report.Machine.After = load()
	return report, nil
}

// doubts is how often a family of rows is measured anew under --check when one fails: a noisy machine is none the next time, a
// change for the worse is there again.
const doubts = 2

func (b *bench) measureFamily(ctx context.Context, o *options, f *family, report *report, stderr io.Writer) error {
	for again := 0; ; again++ {
		began := time.Now()
		r := &rounds{most: o.repeats}
		if o.quick {
			r.budget = quickBudget
		}
		if err := f.measure(ctx, b, r); err != nil {
			return err
		}
		rows := f.reports(o, r)
		fmt.Fprintf(stderr, "%s: %v\n", f.rows[0].name, time.Since(began).Round(100*time.Millisecond))
		failed := slices.IndexFunc(rows, func(r rowReport) bool { return r.Fails })
		if failed >= 0 && o.check && again < doubts {
			fmt.Fprintf(stderr, "%s is %.3g: once more\n", rows[failed].Name, rows[failed].Ratio)
			continue
		}
		for _, row := range rows {
			if err := report.add(row); err != nil {
				return err
			}
		}
		return nil
	}
}

// open starts the server, which listens to this machine only, and ends with this process, however that ends.
func open(ctx context.Context) (_ *bench, err error) {
	b := &bench{}
	if b.server, err = redisx.Open(ctx, "local://", nil); err != nil {
		return nil, err
	}
	if err = b.connect(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// connect has the server listen on a port as well as on its socket: that is what teams use, and asynq.
func (b *bench) connect(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	for _, setting := range [][2]string{{"bind", "127.0.0.1"}, {"port", strconv.Itoa(port)}} {
		if err := b.server.Redis().ConfigSet(ctx, setting[0], setting[1]).Err(); err != nil {
			return fmt.Errorf("is it a Redis before 7? CONFIG SET %s: %w", setting[0], err)
		}
	}
	b.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	b.plain = redis.NewClient(&redis.Options{Addr: b.addr, PoolSize: poolSize})
	b.rdb, err = redisx.Open(ctx, "redis://"+b.addr, nil)
	return err
}

// poolSize is at least the number of goroutines that call at a time, so that none has to wait for a connection.
const poolSize = 100

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (b *bench) close() error {
	var errs []error
	if b.rdb != nil {
		errs = append(errs, b.rdb.Close())
	}
	if b.plain != nil {
		errs = append(errs, b.plain.Close())
	}
	return errors.Join(append(errs, b.server.Close())...)
}

// size chooses how much of something there is.
func (b *bench) size(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}
