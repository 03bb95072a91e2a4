package cli

import (
	"context"
	"io"
)

// Input is stdin, which ends with the error of ctx when that ends. Whoever reads Stdin itself stays there until somebody types.
func (r *Run) Input(ctx context.Context) io.Reader {
	in := &input{ctx: ctx, pieces: make(chan piece)}
	go in.read(r.Stdin)
	return in
}

type input struct {
	ctx    context.Context
	pieces chan piece
	rest   []byte
	err    error
}

type piece struct {
	data []byte
	err  error
}

// read ends with the process where a read never does.
func (in *input) read(from io.Reader) {
	for {
		buffer := make([]byte, 64<<10)
		n, err := from.Read(buffer)
		select {
		case in.pieces <- piece{buffer[:n], err}:
		case <-in.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (in *input) Read(into []byte) (int, error) {
	for len(in.rest) == 0 && in.err == nil {
		select {
		case next := <-in.pieces:
			in.rest, in.err = next.data, next.err
		case <-in.ctx.Done():
			in.err = in.ctx.Err()
		}
	}
	if len(in.rest) == 0 {
		return 0, in.err
	}
	n := copy(into, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}
