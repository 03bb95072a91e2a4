package cli

import "regexp"

var (
	// Greedy, since a password that was not escaped may hold any character.
	userinfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s"']*@`)
	queried  = regexp.MustCompile(`(password=)[^&\s"']*`)
)

// redact takes users and passwords out of the addresses in a text.
func redact(text string) string {
	return queried.ReplaceAllString(userinfo.ReplaceAllString(text, "$1***@"), "$1***")
}
