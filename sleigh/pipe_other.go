//go:build !unix

package sleigh

// follow reads what is printed, until the other end is closed.
func (p *pipe) follow() {
	for {
		n, err := p.r.Read(p.buffer)
		p.c.mu.Lock()
		p.take(p.buffer[:n])
		p.c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// drain does nothing where a pipe cannot be read without waiting: it is not known then which element has printed a line,
// and what was printed last may come late.
func (p *pipe) drain() {}
