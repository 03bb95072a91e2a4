//go:build !unix

package sleigh

// follow reads what is printed, until the other end is closed.
func (p *pipe) follow() {
	buffer := make([]byte, pipeRead)
	for {
		n, err := p.r.Read(buffer)
		p.c.mu.Lock()
		p.take(buffer[:n])
		p.c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// drain does nothing where a pipe cannot be read without waiting: it is not known then which element has printed a line,
// and what was printed last may come late.
func (p *pipe) drain() (found bool) { return false }
