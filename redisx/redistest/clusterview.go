package redistest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// nodeLine is one line of CLUSTER NODES: what one node knows of one node.
type nodeLine struct {
	id, addr string
	masterID string // empty for a master
	self     bool
	epoch    int
	slots    [][2]int // from, to
}

// view is what all nodes that run say of the cluster.
type view struct {
	nodes map[*Server][]nodeLine
}

// view asks all nodes that run.
func (c *Cluster) view() (*view, error) {
	v := &view{nodes: map[*Server][]nodeLine{}}
	for _, node := range c.nodes {
		if !node.answers() {
			continue
		}
		lines, err := nodeLines(node)
		if err != nil {
			return nil, err
		}
		v.nodes[node] = lines
	}
	return v, nil
}

func nodeLines(node *Server) ([]nodeLine, error) {
	text, err := node.admin.ClusterNodes(context.Background()).Result()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", node.Addr(), err)
	}
	var lines []nodeLine
	for text := range strings.Lines(text) {
		line, err := parseNodeLine(text)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// parseNodeLine takes the form of CLUSTER NODES: id addr@bus,host flags master ping pong epoch link slot slot…
func parseNodeLine(text string) (nodeLine, error) {
	words := strings.Fields(text)
	if len(words) < 8 {
		return nodeLine{}, fmt.Errorf("redistest: CLUSTER NODES: %q", text)
	}
	line := nodeLine{id: words[0]}
	line.addr, _, _ = strings.Cut(words[1], "@")
	line.self = slices.Contains(strings.Split(words[2], ","), "myself")
	if words[3] != "-" {
		line.masterID = words[3]
	}
	var err error
	if line.epoch, err = strconv.Atoi(words[6]); err != nil {
		return nodeLine{}, fmt.Errorf("redistest: CLUSTER NODES: %q: %w", text, err)
	}
	for _, word := range words[8:] {
		if strings.HasPrefix(word, "[") { // a slot that moves
			continue
		}
		from, to, _ := strings.Cut(word, "-")
		if to == "" {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil {
			return nodeLine{}, fmt.Errorf("redistest: CLUSTER NODES: %q", text)
		}
		line.slots = append(line.slots, [2]int{first, last})
	}
	return line, nil
}

// ownLine is what a node says of itself.
func ownLine(node *Server) (nodeLine, error) {
	lines, err := nodeLines(node)
	if err != nil {
		return nodeLine{}, err
	}
	for _, line := range lines {
		if line.self {
			return line, nil
		}
	}
	return nodeLine{}, fmt.Errorf("redistest: %s does not know itself", node.Addr())
}

// owner is the node that claims a slot for itself by the latest election, or nil.
func (v *view) owner(slot int) *Server {
	var owner *Server
	latest := -1
	for node, lines := range v.nodes {
		for _, line := range lines {
			if line.self && line.masterID == "" && line.has(slot) && line.epoch > latest {
				owner, latest = node, line.epoch
			}
		}
	}
	return owner
}

func (l nodeLine) has(slot int) bool {
	return slices.ContainsFunc(l.slots, func(s [2]int) bool { return s[0] <= slot && slot <= s[1] })
}

// well says what is not as it should be.
func (v *view) well() error {
	var first string
	for node, lines := range v.nodes {
		masters, err := v.slotMap(lines)
		if err != nil {
			return fmt.Errorf("%s: %w", node.Addr(), err)
		}
		if first == "" {
			first = masters
		}
		if masters != first {
			return fmt.Errorf("%s does not agree with others on the masters:\n%s\n%s", node.Addr(), masters, first)
		}
		if err := ok(node); err != nil {
			return fmt.Errorf("%s: %w", node.Addr(), err)
		}
	}
	return nil
}

// slotMap is who has which slots as one node sees it; all must be had by masters that run.
func (v *view) slotMap(lines []nodeLine) (string, error) {
	var entries []string
	covered := 0
	for _, line := range lines {
		for _, s := range line.slots {
			covered += s[1] - s[0] + 1
			entries = append(entries, fmt.Sprintf("%05d-%05d %s", s[0], s[1], line.addr))
		}
		if len(line.slots) > 0 && !v.runs(line.addr) {
			return "", fmt.Errorf("%s has slots and does not run", line.addr)
		}
	}
	slices.Sort(entries)
	return strings.Join(entries, "\n"), want("slots with a master", covered, slotCount)
}

func (v *view) runs(addr string) bool {
	for node := range v.nodes {
		if node.Addr() == addr {
			return true
		}
	}
	return false
}

// ok asks a node for its own state, and for that of its link to its master.
func ok(node *Server) error {
	info, err := node.admin.ClusterInfo(context.Background()).Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return fmt.Errorf("the cluster is down: %q", info)
	}
	replica, err := replication(node)
	if err != nil {
		return err
	}
	if replica["role"] == "slave" && replica["master_link_status"] != "up" {
		return errors.New("it is a replica without a link to its master")
	}
	return streams(replica)
}
