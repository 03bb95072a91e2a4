package sleigh

import (
	"slices"
	"sync"
)

// recent remembers the last texts that it was told.
type recent struct {
	mu    sync.Mutex
	texts []string
}

const recentMax = 200

func (r *recent) add(text string) { r.seen(text) }

func (r *recent) has(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.texts, text)
}

// seen reports whether it was told the text before, and remembers it.
func (r *recent) seen(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.texts, text) {
		return true
	}
	r.texts = append(r.texts, text)
	if len(r.texts) > recentMax {
		r.texts = slices.Delete(r.texts, 0, 1)
	}
	return false
}
