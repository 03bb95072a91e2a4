package sleigh

import "time"

const (
	chunkTime  = 50 * time.Millisecond  // of work in a task
	queueTime  = 200 * time.Millisecond // of work handed out for each slot, where that is more than loadFactor tasks
	chunkMax   = 10000                  // elements of a task
	chunkBytes = 256 << 10              // of arguments or results in a task, but for at least one
	loadFactor = 4                      // tasks handed out for each slot
	loadMax    = 250
	growth     = 8 // a task may have so many times the elements of the largest one that is done
)

// pace chooses how many elements a task should have, and how many tasks should be handed out, by what those that are done
// have taken.
type pace struct {
	chunk, load int           // what the caller wants; 0: what is best
	each        time.Duration // for an element; 0 while nothing is known
	task        time.Duration // for a task
	bytes       int           // of an element or its result
	largest     int           // elements of a task that is done
}

// note takes notice of a task that is done.
func (p *pace) note(n int, took time.Duration, bytes int) {
	each, size := max(took/time.Duration(n), 1), bytes/n
	if p.each == 0 {
		p.each, p.task, p.bytes = each, took, size
	}
	p.each = (3*p.each + each) / 4
	p.task = (3*p.task + took) / 4
	p.bytes = (3*p.bytes + size) / 4
	p.largest = max(p.largest, n)
}

// elements is how many the next task should have.
func (p *pace) elements() int {
	if p.chunk > 0 {
		return p.chunk
	}
	if p.each == 0 {
		return 1
	}
	n := min(int(chunkTime/p.each), growth*p.largest, chunkMax, chunkBytes/max(p.bytes, 1))
	return max(n, 1)
}

// tasks is how many should be handed out for each slot.
func (p *pace) tasks() int {
	if p.load > 0 {
		return p.load
	}
	if p.each == 0 {
		return loadFactor
	}
	return max(loadFactor, min(int(queueTime/max(p.task, 1)), loadMax))
}
