package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/netspaces/netspaces/redisx"
	"github.com/redis/go-redis/v9"
)

const slotsOfCluster = 16384

// cluster is a private one, of masters without replicas that listen to this machine only.
type cluster struct {
	crew  crew
	nodes []*redis.Client
	rdb   *redisx.Client // ours
}

func startCluster(ctx context.Context, masters int) (c *cluster, err error) {
	c = &cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.crew, err = startCrew(masters, "redis-node"); err != nil {
		return c, err
	}
	var addrs, ports, buses []string
	for _, h := range c.crew {
		port, bus, _ := strings.Cut(h.said, " ")
		addrs, ports, buses = append(addrs, net.JoinHostPort("127.0.0.1", port)), append(ports, port), append(buses, bus)
	}
	for _, addr := range addrs {
		c.nodes = append(c.nodes, redis.NewClient(&redis.Options{Addr: addr}))
	}
	for i, node := range c.nodes {
		from, to := i*slotsOfCluster/masters, (i+1)*slotsOfCluster/masters-1
		if err := node.ClusterAddSlotsRange(ctx, from, to).Err(); err != nil {
			return c, err
		}
		for k := range i {
			if err := node.Do(ctx, "cluster", "meet", "127.0.0.1", ports[k], buses[k]).Err(); err != nil {
				return c, err
			}
		}
	}
	for _, node := range c.nodes {
		if err := awaitCluster(ctx, node, masters); err != nil {
			return c, err
		}
	}
	c.rdb, err = redisx.Open(ctx, "redis+cluster://"+strings.Join(addrs, ","), nil)
	return c, err
}

// awaitCluster waits until a node knows all, and serves.
func awaitCluster(ctx context.Context, node *redis.Client, masters int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the cluster does not form"))
	defer cancel()
	want := fmt.Sprintf("cluster_size:%d\r", masters)
	for {
		info, err := node.ClusterInfo(ctx).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, want) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

func (c *cluster) close() error {
	var err error
	if c.rdb != nil {
		err = c.rdb.Close()
	}
	for _, node := range c.nodes {
		_ = node.Close()
	}
	c.crew.end()
	return err
}

// nameOn is a name of a sleigh whose workspaces lie on that master.
func (c *cluster) nameOn(ctx context.Context, master int) (string, error) {
	for i := 0; ; i++ {
		name := "shard-" + strconv.Itoa(i)
		slot, err := c.nodes[0].ClusterKeySlot(ctx, name).Result()
		if err != nil {
			return "", err
		}
		if int(slot)*len(c.nodes)/slotsOfCluster == master {
			return name, nil
		}
	}
}

const redisNodeName = "redis-node"

// redisNode is a process that has a redis-server as long as it is there itself.
func redisNode(_ []string, ready func(string)) error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "netspaces-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	port, err := freePort()
	if err != nil {
		return err
	}
	// Its bus would have a port 10000 above, which may not be there.
	bus, err := freePort()
	if err != nil {
		return err
	}
	server := exec.Command("redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
		"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus), "--cluster-announce-ip", "127.0.0.1", "--loglevel", "warning")
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if err = rdb.Ping(ctx).Err(); err == nil || time.Since(began) > 10*time.Second {
			break
		}
	}
	if err == nil {
		ready(fmt.Sprint(port, " ", bus))
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	return errors.Join(err, server.Process.Kill(), ignored(server.Wait()))
}

// ignored is for how a process ends that is killed.
func ignored(error) error { return nil }
