package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const answerWithin = 2 * time.Second // Redis

// health tells over HTTP how a worker is.
type health struct {
	team  string
	state atomic.Pointer[sleigh.Serving]
	rdb   atomic.Pointer[redisx.Client] // nil before it is connected
}

func newHealth(team string) *health {
	h := &health{team: team}
	h.state.Store(&sleigh.Serving{Rank: -1})
	return h
}

// reach says that there is a Redis.
func (h *health) reach(rdb *redisx.Client) { h.rdb.Store(rdb) }

// listen serves at an address until the function that it returns is called. at is where: it has a port in place of 0.
func (h *health) listen(address string) (at net.Addr, stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.alive)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.metrics(), promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends by Close
	}()
	return listener.Addr(), func() {
		_ = server.Close()
		<-served
	}, nil
}

// alive answers whether the worker reaches its Redis.
func (h *health) alive(w http.ResponseWriter, q *http.Request) {
	if err := h.ping(q.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (h *health) ping(ctx context.Context) error {
	rdb := h.rdb.Load()
	if rdb == nil {
		return errors.New("not connected to Redis yet")
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answered := make(chan error, 1)
	go func() { answered <- rdb.Redis().Ping(ctx).Err() }() // which does not end with ctx
	select {
	case err := <-answered:
		if err != nil {
			return fmt.Errorf("no answer of Redis: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no answer of Redis for %v", answerWithin)
	}
}

// ready answers whether the worker is in the team.
func (h *health) ready(w http.ResponseWriter, _ *http.Request) {
	if s := h.state.Load(); !s.Joined {
		http.Error(w, "not in team "+h.team, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (h *health) metrics() *prometheus.Registry {
	all := prometheus.NewRegistry()
	all.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	named := func(name, help string) prometheus.Opts {
		team := prometheus.Labels{"team": h.team}
		return prometheus.Opts{Namespace: "sleigh", Subsystem: "worker", Name: name, Help: help, ConstLabels: team}
	}
	counter := func(name, help string, value func(*sleigh.Serving) int) {
		all.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts(named(name, help)),
			func() float64 { return float64(value(h.state.Load())) }))
	}
	gauge := func(name, help string, value func(*sleigh.Serving) int) {
		all.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts(named(name, help)),
			func() float64 { return float64(value(h.state.Load())) }))
	}
	counter("elements_done_total", "Elements done, also those that failed.", func(s *sleigh.Serving) int { return s.Done })
	counter("elements_failed_total", "Elements that failed.", func(s *sleigh.Serving) int { return s.Failed })
	counter("processes_launched_total", "Worker processes launched: each but the first replaced one that had ended.",
		func(s *sleigh.Serving) int { return s.Launched })
	counter("redis_retries_total", "Calls that the keeper of the worker sent to Redis again.", func(*sleigh.Serving) int {
		if rdb := h.rdb.Load(); rdb != nil {
			return int(rdb.Retries())
		}
		return 0
	})
	gauge("elements_running", "Elements that run now.", func(s *sleigh.Serving) int { return s.Running })
	gauge("rank", "The worker's number in the team; -1 before it has one.", func(s *sleigh.Serving) int { return s.Rank })
	gauge("joined", "1 while the worker is in the team, else 0.", func(s *sleigh.Serving) int {
		if s.Joined {
			return 1
		}
		return 0
	})
	return all
}
