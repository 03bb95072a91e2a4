package each

import "strings"

// quote writes arguments as a shell wants them, in the way of GNU parallel.
func quote(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quoteOne(arg))
	}
	return b.String()
}

func quoteOne(arg string) string {
	switch {
	case arg == "":
		return "''"
	case strings.IndexFunc(arg, isSpecial) < 0:
		return arg
	}
	quoted := "'" + strings.ReplaceAll(arg, "'", `'"'"'`) + "'"
	return strings.TrimSuffix(strings.TrimPrefix(quoted, "''"), "''")
}

func isSpecial(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_.+/", r)
}
