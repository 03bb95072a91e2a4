package each

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// printer writes the outputs of items one after the other. Those that are text begin on a line of their own: where the one
// before lacks its last newline, it gets that. Any other bytes stay as they are, so that they may be joined to a file.
type printer struct {
	to   io.Writer
	open bool // what was written last is text, and lacks its newline
}

func (p *printer) write(output []byte) error {
	if len(output) == 0 {
		return nil
	}
	if p.open {
		output = append([]byte{'\n'}, output...)
	}
	p.open = output[len(output)-1] != '\n' && utf8.Valid(output) && bytes.IndexByte(output, 0) < 0
	_, err := p.to.Write(output)
	return err
}
