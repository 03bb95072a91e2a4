//go:build unix

package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/netspaces/netspaces/examples/internal/program"
	"github.com/netspaces/netspaces/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// sequential is the file, computed without workers.
func sequential(t *testing.T, v view) []byte {
	t.Helper()
	picture := v.blank()
	for y := range v.Height {
		copy(picture.Pix[y*picture.Stride:], v.row(y))
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func (v view) flags() []string {
	return []string{fmt.Sprint("--width=", v.Width), fmt.Sprint("--height=", v.Height), fmt.Sprint("--iterations=", v.Iterations)}
}

func TestSamePicture(t *testing.T) {
	v := view{Width: 150, Height: 101, Iterations: 300}
	want := sequential(t, v)
	programtest.OnBoth(t, func(t *testing.T, url string) {
		path := filepath.Join(t.TempDir(), "m.png")
		programtest.Start(t, append(v.flags(), "--redis", url, "--workers=2", "--output", path)...).Prints("")
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("another picture, %v", err)
		}
		programtest.Start(t, append(v.flags(), "--redis", url, "--workers=3", "--output=-")...).Prints(string(want))
	})
}

func TestWorkerKilled(t *testing.T) {
	v := view{Width: 200, Height: 200, Iterations: 12000}
	underWay := regexp.MustCompile(`\d+ of 200 rows\r`)
	want := string(sequential(t, v))
	programtest.OnBoth(t, func(t *testing.T, url string) {
		programtest.KillWorker(t, want, underWay, append(v.flags(), "--redis", url, "--workers=2", "--output=-")...)
	})
}

// The picture has the set in the middle, in black, is the same above and below, and has other colours around.
func TestPicture(t *testing.T) {
	v := view{Width: 61, Height: 41, Iterations: 200}
	for y := range v.Height {
		if !bytes.Equal(v.row(y), v.row(v.Height-1-y)) {
			t.Errorf("rows %d and %d differ", y, v.Height-1-y)
		}
	}
	middle := v.row(v.Height / 2)
	if middle[v.Width/2] != 0 || middle[0] == 0 || middle[v.Width-1] == 0 {
		t.Errorf("the middle row is %v", middle)
	}
	if colours := v.blank().Palette; len(colours) != 256 {
		t.Errorf("%d colours", len(colours))
	}
}

func TestWrongUsage(t *testing.T) {
	for why, args := range map[string][]string{
		"0 by 800 pixels: ":    {"--width=0"},
		"1200 by 30001 pixels": {"--height=30001"},
		"--iterations 0: ":     {"--iterations=0"},
		"--workers 0: ":        {"--workers=0"},
		`argument "m.png"`:     {"m.png"},
		`"wide"`:               {"--width=wide"},
	} {
		programtest.Fails(t, program.ExitUsage, why, args...)
	}
	programtest.Fails(t, program.ExitError, "no such file", "--output", filepath.Join(t.TempDir(), "none", "m.png"))
	if _, err := os.Stat("/dev/full"); err == nil {
		programtest.Fails(t, program.ExitError, "no space", "--output=/dev/full", "--height=1")
	}
}
