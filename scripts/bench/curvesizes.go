package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

var curveOfSizes = curve{
	name: "sizes", what: "Store and Fetch from one goroutine, by the size of values",
	measure: func(ctx context.Context, b *bench) (p panel, err error) {
		p.X, p.Y, p.Affine = "bytes", "microseconds", true
		ws, err := workspace.Open(ctx, b.rdb, "sizes", nil)
		if err != nil {
			return p, err
		}
		defer func() { err = errors.Join(err, ws.Close()) }()
		for _, size := range []int{10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6} {
			if err := b.timeSize(ctx, ws, &p, size); err != nil {
				return p, err
			}
		}
		return p, nil
	},
}

func (b *bench) timeSize(ctx context.Context, ws *workspace.Workspace, p *panel, size int) error {
	n := min(b.size(2000, 500), 64<<20/size)
	value := bytes.Repeat([]byte("x"), size)
	check := func(got []byte, err error) error {
		if err == nil && !bytes.Equal(got, value) {
			err = fmt.Errorf("a value of %d bytes instead of %d", len(got), size)
		}
		return err
	}
	for _, step := range []struct {
		name string
		call func() error
	}{
		{"Store", func() error { return ws.Store(ctx, "v", value) }},
		{"RPUSH", func() error { return b.plain.RPush(ctx, "sizes", value).Err() }},
		{"Fetch", func() error {
			var got []byte
			err := ws.Fetch(ctx, "v", &got)
			return check(got, err)
		}},
		{"LPOP", func() error { return check(b.plain.LPop(ctx, "sizes").Bytes()) }},
	} {
		began := time.Now()
		for range n {
			if err := step.call(); err != nil {
				return err
			}
		}
		p.add(step.name, float64(size), time.Since(began).Seconds()*1e6/float64(n))
	}
	return nil
}
