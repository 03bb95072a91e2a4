package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// readRequest appends the next request of a client to frame, as it was sent.
func readRequest(r *bufio.Reader, frame []byte) ([]byte, error) {
	frame, line, err := readLine(r, frame)
	if err != nil || line[0] != '*' {
		return frame, err // a request without * is one line
	}
	n, err := length(line)
	for ; err == nil && n > 0; n-- {
		frame, err = readReply(r, frame)
	}
	return frame, err
}

// readReply appends the next reply of a server to frame, as it was sent.
func readReply(r *bufio.Reader, frame []byte) ([]byte, error) {
	frame, line, err := readLine(r, frame)
	if err != nil {
		return frame, err
	}
	elements := 0
	switch line[0] {
	case '+', '-', ':', ',', '#', '(', '_':
		return frame, nil
	case '$', '!', '=':
		n, err := length(line)
		if err != nil || n < 0 {
			return frame, err
		}
		start := len(frame)
		frame = append(frame, make([]byte, n+len("\r\n"))...)
		_, err = io.ReadFull(r, frame[start:])
		return frame, err
	case '*', '~', '>':
		elements, err = length(line)
	case '%':
		elements, err = length(line)
		elements *= 2
	case '|': // attributes come before the reply that they belong to
		elements, err = length(line)
		elements = elements*2 + 1
	default:
		return frame, fmt.Errorf("redistest: no reply begins with %q", line)
	}
	for ; err == nil && elements > 0; elements-- {
		frame, err = readReply(r, frame)
	}
	return frame, err
}

// readLine appends a line to frame, and returns it without its end, too. It is not empty.
func readLine(r *bufio.Reader, frame []byte) (whole, line []byte, err error) {
	text, err := r.ReadBytes('\n')
	frame = append(frame, text...)
	if err != nil {
		return frame, nil, err
	}
	if text = bytes.TrimRight(text, "\r\n"); len(text) == 0 {
		return frame, nil, fmt.Errorf("redistest: an empty line where a type was expected")
	}
	return frame, text, nil
}

func length(line []byte) (int, error) {
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil {
		return 0, fmt.Errorf("redistest: %q gives no length", line)
	}
	return n, nil
}

// head gives how many elements an array has, and the first one if that is a string: a command's name, or what kind of
// message was published.
func head(frame []byte) (n int, first string) {
	lines := strings.SplitN(string(frame[:min(len(frame), 64)]), "\r\n", 4)
	if len(lines) < 4 || !strings.ContainsAny(lines[0][:min(len(lines[0]), 1)], "*>") {
		return 0, ""
	}
	n, _ = strconv.Atoi(lines[0][1:])
	return n, strings.ToLower(lines[2])
}
