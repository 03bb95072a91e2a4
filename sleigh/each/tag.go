package each

import "bytes"

// tagged puts a tag before each line. The last line may lack its newline.
func tagged(tag string, output []byte) []byte {
	if len(output) == 0 {
		return nil
	}
	lines := bytes.Count(output, []byte{'\n'}) + 1
	b := make([]byte, 0, len(output)+lines*(len(tag)+1))
	for len(output) > 0 {
		n := bytes.IndexByte(output, '\n') + 1
		if n == 0 {
			n = len(output)
		}
		b = append(append(append(b, tag...), '\t'), output[:n]...)
		output = output[n:]
	}
	return b
}
