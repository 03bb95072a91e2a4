package each

import (
	"encoding/json"
	"strings"
	"testing"
)

// Any bytes come out as they went in, and never grow by much more than base64.
func TestTextTravels(t *testing.T) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	for _, want := range []string{
		"", "a", "é\n\t\"\\", "\xff", "\xed\xa0\x80", "\ufffd", "\u2028", `{"base64":"eA=="}`, string(all),
		strings.Repeat("\x00", 1000), strings.Repeat("<", 1000), strings.Repeat("\u2028", 1000), strings.Repeat("line\n", 1000),
	} {
		b, err := json.Marshal([]text{text(want)})
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > len(want)*4/3+100 {
			t.Errorf("%.20q: %d bytes became %d", want, len(want), len(b))
		}
		var got []text
		if err := json.Unmarshal(b, &got); err != nil || string(got[0]) != want {
			t.Errorf("%.20q: %.40q, %v, by %.40s", want, got, err, b)
		}
	}
	var bad text
	if json.Unmarshal([]byte("7"), &bad) == nil {
		t.Error("a number is taken for text")
	}
}
