package workspacetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// variableNames are those that somebody could trip over, or any.
var variableNames = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", " ", "v", "v:1", ":", "values:v", "{v}", "}{", "a/b", "ünïcödé", "line\nbreak", "\r\n", "\x00", "\xff\xfe", "*",
		"%d", "ws", "vars", "0", "=1", "@", "v ", strings.Repeat("long", 300),
	}),
	rapid.String(),
)

// machineValue is what is stored, and the text that should be in Redis then.
type machineValue struct {
	value any
	text  string
}

func (v machineValue) String() string { return fmt.Sprintf("%T %.40q", v.value, v.text) }

var machineValues = rapid.OneOf(
	plainValues(rapid.SampledFrom([]any{
		nil, "", 0, false, []int{}, map[string]int{}, 0.5, int64(1)<<53 + 1, "null", "ü<&>", "+1", "=1 x",
	})),
	plainValues(rapid.Int().AsAny()),
	plainValues(rapid.String().AsAny()),
	rapid.Map(rapid.SliceOf(rapid.Byte()), verbatim),
	rapid.Map(rapid.SampledFrom([][]byte{
		nil, {}, {0}, []byte(" {} "), []byte("+7 x"), bytes.Repeat([]byte{0, 0xff, '\n'}, 1<<16),
	}), verbatim),
)

func verbatim(text []byte) machineValue { return machineValue{text, string(text)} }

func plainValues(values *rapid.Generator[any]) *rapid.Generator[machineValue] {
	return rapid.Map(values, func(value any) machineValue {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			panic(err)
		}
		return machineValue{value, strings.TrimSuffix(text.String(), "\n")}
	})
}
