package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// StoreFile stores the next n bytes of r as one value, or all that is left where n is 0 or less. It returns how many there
// were; at the end of r it stores nothing and returns io.EOF, so that a loop stores a file of any size in pieces:
//
//	for err == nil {
//		_, err = ws.StoreFile(ctx, "film", file, 1<<20)
//	}
//
// It holds the piece in memory. A piece of more than MaxValue bytes is ErrValue; r has been read up to there. It blocks for
// a round trip; its other errors are those of r and of Store.
func (ws *Workspace) StoreFile(ctx context.Context, variable string, r io.Reader, n int64) (int64, error) {
	if n > MaxValue {
		return 0, ws.wrap(variable, fmt.Errorf("%w: a piece of %d bytes; %d are allowed: store it in smaller pieces",
			ErrValue, n, MaxValue))
	}
	most := n
	if most <= 0 {
		most = MaxValue + 1
	}
	text, err := read(r, most)
	switch {
	case err != nil:
		return 0, ws.wrap(variable, err)
	case len(text) == 0:
		return 0, io.EOF
	case len(text) > MaxValue:
		return 0, ws.wrap(variable, fmt.Errorf("%w: more than %d bytes are left; store them in pieces", ErrValue, MaxValue))
	}
	if err := ws.store(ctx, variable, batchOf(text)); err != nil {
		return 0, err
	}
	return int64(len(text)), nil
}

// read reads up to most bytes, in pieces that grow, so that it needs no more than twice what there is.
func read(r io.Reader, most int64) ([]byte, error) {
	var pieces [][]byte
	for size := int64(64 << 10); most > 0; size *= 2 {
		piece := make([]byte, min(size, most))
		n, err := io.ReadFull(r, piece)
		pieces = append(pieces, piece[:n])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		most -= int64(n)
	}
	if len(pieces) == 1 {
		return pieces[0], nil
	}
	return bytes.Join(pieces, nil), nil
}

// FetchFile takes one value, as Fetch does, and writes it to w as it is in Redis. It returns how many bytes it wrote. What
// w did not take whole goes back.
func (ws *Workspace) FetchFile(ctx context.Context, variable string, w io.Writer) (int64, error) {
	r, err := ws.await(ctx, question{script: fetchScript, variable: variable, keep: true}, random(), 1, "")
	if err != nil {
		return 0, err
	}
	return ws.useFile(variable, r, w)
}

// FindFile reads one value, as Find does, and writes it to w as it is in Redis. It returns how many bytes it wrote.
func (ws *Workspace) FindFile(ctx context.Context, variable string, w io.Writer) (int64, error) {
	r, err := ws.await(ctx, question{script: findScript, variable: variable, takes: "="}, random())
	if err != nil {
		return 0, err
	}
	return ws.writeFile(variable, r, w)
}

// TryFetchFile is FetchFile that does not wait: it returns false where there is no value.
func (ws *Workspace) TryFetchFile(ctx context.Context, variable string, w io.Writer) (int64, bool, error) {
	r, err := ws.try(ctx, question{script: fetchScript, variable: variable, keep: true}, random(), 1, "")
	if err != nil || r.word == "EMPTY" {
		return 0, false, err
	}
	n, err := ws.useFile(variable, r, w)
	return n, err == nil, err
}

// TryFindFile is FindFile that does not wait: it returns false where there is no value.
func (ws *Workspace) TryFindFile(ctx context.Context, variable string, w io.Writer) (int64, bool, error) {
	r, err := ws.look(ctx, question{script: findScript, variable: variable}, random())
	if err != nil || r.word == "EMPTY" {
		return 0, false, err
	}
	n, err := ws.writeFile(variable, r, w)
	return n, err == nil, err
}

func (ws *Workspace) useFile(variable string, r reply, w io.Writer) (n int64, err error) {
	err = ws.use(variable, r, func(text string) error {
		var err error
		n, err = writeText(w, text)
		return err
	})
	return n, err
}

func (ws *Workspace) writeFile(variable string, r reply, w io.Writer) (int64, error) {
	n, err := writeText(w, r.text(1))
	if err != nil {
		return n, ws.wrap(variable, err)
	}
	return n, nil
}

// writeText is io.WriteString that never copies all of the text.
func writeText(w io.Writer, text string) (int64, error) {
	if s, ok := w.(io.StringWriter); ok {
		n, err := s.WriteString(text)
		return int64(n), err
	}
	return io.Copy(w, struct{ io.Reader }{strings.NewReader(text)}) // in pieces
}
