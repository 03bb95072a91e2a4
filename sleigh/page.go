package sleigh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/netspaces/netspaces/workspace"
)

// Lines travel in pages: each value of the variable log is one, of lines of one or more workers. How a page begins, log.lua
// knows too.
const (
	logVar    = "log"
	pageBytes = 64 << 10 // that a page may have, but for one line
	mostPages = 64       // in Redis
	mostApart = 512      // the same in a team that lasts, where many masters read them and none is added to
	lineBytes = 16 << 10 // of a line; longer ones are cut
)

var (
	logScript    = workspace.NewScript("sleigh log", luaOf("recent")+"\n"+luaOf("log"), "")
	recentScript = workspace.NewScript("sleigh recent", luaOf("recent")+"\n"+luaOf("aside"), "")
)

// page counts the lines of each client of each worker, as "rank client".
type page struct {
	Left    map[string]int `json:"left"`  // those that were dropped before this page
	Lines   map[string]int `json:"lines"` // those in the batches, with what is left out in them
	Batches []pageBatch    `json:"batches"`
}

// pageBatch is lines of one worker.
type pageBatch struct {
	Worker int       `json:"worker"`
	Host   string    `json:"host"`
	Client string    `json:"client"`
	Total  int       `json:"total"` // lines of the worker ever, up to the end of these
	Lines  []printed `json:"lines"`
}

// printed is a line, or a number of lines that are left out.
type printed struct {
	Left   int        `json:"left,omitempty"`
	At     time.Time  `json:"at,omitzero"`
	Job    string     `json:"job,omitempty"`
	Index  *int       `json:"index,omitempty"`
	Stream Stream     `json:"stream,omitempty"`
	Level  slog.Level `json:"level,omitzero"`
	Text   string     `json:"text,omitempty"`
	Bytes  []byte     `json:"bytes,omitempty"` // the text, where it is none
}

// count is how many lines it stands for.
func (b *pageBatch) count() (n int) {
	for _, line := range b.Lines {
		n += max(line.Left, 1)
	}
	return n
}

// line is one of its lines as it is handed over.
func (b *pageBatch) line(p printed) Line {
	if p.Left > 0 {
		return leftOut(b.Worker, b.Host, p.Left)
	}
	index := -1
	if p.Index != nil {
		index = *p.Index
	}
	return Line{
		Worker: b.Worker, Host: b.Host, Job: p.Job, Index: index, Time: p.At, Stream: p.Stream, Level: p.Level, Text: p.text(),
	}
}

// size is about what it takes in memory.
func (p *printed) size() int { return len(p.Text) + 100 }

// encode makes it JSON that does not get much longer than the text.
func (p *printed) encode() []byte {
	var text bytes.Buffer
	if utf8.ValidString(p.Text) {
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false) // for people who look in with redis-cli
		if err := encoder.Encode(p); err == nil && text.Len() < 2*len(p.Text)+300 {
			return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
		}
	}
	raw := *p
	raw.Text, raw.Bytes = "", []byte(p.Text)
	return asJSON(raw)
}

// text is what was printed.
func (p *printed) text() string {
	if p.Bytes != nil {
		return string(p.Bytes)
	}
	return p.Text
}

// pageOf is a page of lines of one worker, as many as it has room for, at least one if there are any. It returns how many.
// There were so many before them, of which the last ones are left out.
func pageOf(worker int, host, client string, before, left int, lines []printed) (text []byte, n int) {
	var texts [][]byte
	if left > 0 {
		texts = append(texts, asJSON(printed{Left: left}))
	}
	size := 0
	for n < len(lines) {
		line := lines[n].encode()
		if size += len(line) + 1; size > pageBytes-1000 && n > 0 {
			break
		}
		texts = append(texts, line)
		n++
	}
	return fmt.Appendf(nil, `{"left":{},"lines":{%q:%d},"batches":[{"worker":%d,"host":%s,"client":%s,"total":%d,"lines":[%s]}]}`,
		whose(worker, client), left+n, worker, asJSON(host), asJSON(client), before+n, bytes.Join(texts, []byte(","))), n
}

// whose is the name that lines are counted by.
func whose(worker int, client string) string { return strconv.Itoa(worker) + " " + client }

func parseWhose(name string) (worker int, client string) {
	rank, client, _ := strings.Cut(name, " ")
	worker, err := strconv.Atoi(rank)
	if err != nil {
		return -1, client
	}
	return worker, client
}

// storePage stores a page, for masters and for whoever looks in, and has Redis drop what is too much.
func storePage(ctx context.Context, own *workspace.Workspace, lasts bool, text []byte) error {
	most, room := mostPages, pageBytes
	if lasts {
		most, room = mostApart, 0
	}
	_, _, err := own.Do(ctx, logScript, []string{logVar, recentVar}, most, room, text, recentPages, recentBytes)
	return err
}

// storeAside stores a page that the master has, for whoever looks in.
func storeAside(ctx context.Context, own *workspace.Workspace, text []byte) error {
	_, _, err := own.Do(ctx, recentScript, []string{recentVar}, text, recentPages, recentBytes)
	return err
}

// cut is a line of which more bytes are missing.
func cut(text string, more int) string {
	if more == 0 && len(text) <= lineBytes {
		return text
	}
	kept := text[:min(len(text), lineBytes)]
	for i := range min(utf8.UTFMax, len(kept)) { // not in the middle of a character
		if end := len(kept) - i; utf8.RuneStart(kept[end-1]) {
			if !utf8.FullRuneInString(kept[end-1:]) {
				kept = kept[:end-1]
			}
			break
		}
	}
	return fmt.Sprintf("%s … (cut: %d bytes more)", kept, more+len(text)-len(kept))
}
