// Command mandelbrot draws the Mandelbrot set on a team of worker processes, each row of the picture an element of the job.
package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"slices"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/pflag"
)

const about = `Draw the Mandelbrot set.

Examples:
  mandelbrot                                  mandelbrot.png, 1200 by 800: a worker for each core, an embedded Redis
  mandelbrot --width 12000 --height 8000      larger
  mandelbrot --output - | display             to a pipe
  mandelbrot --team demo --workers 8          with workers on any machine; each: NETSPACES_TEAM=demo mandelbrot`

var (
	width      = pflag.Int("width", 1200, "width of the picture in `pixels`")
	height     = pflag.Int("height", 800, "its height in `pixels`")
	iterations = pflag.Int("iterations", 1000, "after this `number` of them a point counts as one of the set")
	output     = pflag.String("output", "mandelbrot.png", "the PNG `file` to write, or - for standard output")
)

// view is what a worker has to know of the picture.
type view struct{ Width, Height, Iterations int }

var draw = sleigh.Register("mandelbrot.draw", func(ctx context.Context, _ struct{}) ([]byte, error) {
	v, err := sleigh.Exported[view](ctx, "view")
	return v.row(sleigh.Index(ctx)), err
})

// row is row y, as indexes of the palette. The conversions have all machines round in the same way.
func (v view) row(y int) []byte {
	row, step := make([]byte, v.Width), 3/float64(v.Width)
	b := float64(float64(y)-float64(v.Height-1)/2) * step
	for x := range row {
		a := float64((float64(x)-float64(v.Width-1)/2)*step) - 0.7
		re, im, n := 0.0, 0.0, 0
		for ; n < v.Iterations && float64(re*re)+float64(im*im) <= 4; n++ {
			re, im = float64(re*re)-float64(im*im)+a, float64(2*re*im)+b
			row[x] = byte(1 + n%255)
		}
		if n == v.Iterations {
			row[x] = 0
		}
	}
	return row
}

// blank is the picture before anything is drawn.
func (v view) blank() *image.Paletted {
	palette := color.Palette{color.Black} // the set itself
	for i := range 255 {
		wave := func(shift float64) uint8 { return uint8(127.5 + 127.5*math.Sin(shift+float64(i)*math.Pi/16)) }
		palette = append(palette, color.RGBA{wave(-2), wave(-1.4), wave(-0.8), 255})
	}
	return image.NewPaletted(image.Rect(0, 0, v.Width, v.Height), palette)
}

func main() {
	sleigh.Main() // A worker process never returns from here.
	(&program.Example{About: about, Check: check, Run: run}).Main()
}

func check() error {
	switch {
	case pflag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", pflag.Arg(0))
	case min(*width, *height) < 1 || max(*width, *height) > 30000:
		return fmt.Errorf("%d by %d pixels: 1 to 30000 are possible each way", *width, *height)
	case *iterations < 1:
		return fmt.Errorf("--iterations %d: it must be at least 1", *iterations)
	}
	return nil
}

func run(ctx context.Context, s *sleigh.Sleigh) (err error) {
	file := os.Stdout
	if *output != "-" {
		if file, err = os.Create(*output); err != nil { // before the work, which may be long
			return err
		}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	v := view{*width, *height, *iterations}
	if err := s.Export(ctx, "view", v); err != nil {
		return err
	}
	picture, done := v.blank(), 0
	rows := slices.Values(make([]struct{}, v.Height)) // A row has nothing but its index.
	err = draw.Accumulate(ctx, s, rows, nil, func(y int, row []byte) error {
		copy(picture.Pix[y*picture.Stride:], row)
		done++
		program.Status("%d of %d rows", done, v.Height)
		return nil
	})
	if err != nil {
		return err
	}
	return png.Encode(file, picture)
}
