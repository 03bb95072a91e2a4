package each

import (
	"strconv"
	"strings"
)

// placeholders are what stands for an item, the longest of those with the same beginning first.
var placeholders = []struct {
	name  string
	value func(item string, seq int) string
}{
	{"{}", func(item string, _ int) string { return item }},
	{"{.}", func(item string, _ int) string { return withoutExt(item) }},
	{"{/}", func(item string, _ int) string { return base(item) }},
	{"{//}", func(item string, _ int) string { return dir(item) }},
	{"{/.}", func(item string, _ int) string { return withoutExt(base(item)) }},
	{"{#}", func(_ string, seq int) string { return strconv.Itoa(seq) }},
}

// expand puts an item into the arguments of a command. What comes from the item is not looked at again.
func expand(args []text, item string, seq int, pipe bool) []string {
	all := make([]string, 0, len(args)+1)
	found := false
	for _, arg := range args {
		s, has := expandOne(string(arg), item, seq)
		all = append(all, s)
		found = found || has
	}
	if !found && !pipe {
		all = append(all, item)
	}
	return all
}

func expandOne(arg, item string, seq int) (s string, found bool) {
	var b strings.Builder
	rest := arg
next:
	for {
		i := strings.IndexByte(rest, '{')
		if i < 0 {
			break
		}
		for _, p := range placeholders {
			if strings.HasPrefix(rest[i:], p.name) {
				b.WriteString(rest[:i])
				b.WriteString(p.value(item, seq))
				rest, found = rest[i+len(p.name):], true
				continue next
			}
		}
		b.WriteString(rest[:i+1])
		rest = rest[i+1:]
	}
	if !found {
		return arg, false
	}
	b.WriteString(rest)
	return b.String(), true
}

// base is what comes after the last slash. It is empty if nothing does, as in GNU parallel.
func base(item string) string { return item[strings.LastIndexByte(item, '/')+1:] }

// withoutExt is the item up to the last dot of its base name.
func withoutExt(item string) string {
	if dot := strings.LastIndexByte(item, '.'); dot > strings.LastIndexByte(item, '/') {
		return item[:dot]
	}
	return item
}

// dir is the directory of a path, as dirname(1) has it.
func dir(item string) string {
	trimmed := strings.TrimRight(item, "/")
	if trimmed == "" && item != "" {
		return "/"
	}
	slash := strings.LastIndexByte(trimmed, '/')
	if slash < 0 {
		return "."
	}
	if parent := strings.TrimRight(trimmed[:slash], "/"); parent != "" {
		return parent
	}
	return "/"
}
