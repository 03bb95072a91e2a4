package cli

import "regexp"

var (
	// Greedy, since a password that was not escaped may hold any character.
	userinfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s"']*@`)
	queried  = regexp.MustCompile(`(password=)[^&\s"']*`)
)

// samples are what messages say of addresses, with nobody's password.
var samples = regexp.MustCompile(`^(\w+(\+\w+)?://(\[\[user\]:password|:PASSWORD)@|password=,)$`)

// redact takes users and passwords out of the addresses in a text.
func redact(text string) string {
	for _, secret := range []struct {
		in *regexp.Regexp
		to string
	}{{userinfo, "$1***@"}, {queried, "$1***"}} {
		text = secret.in.ReplaceAllStringFunc(text, func(found string) string {
			if samples.MatchString(found) {
				return found
			}
			return secret.in.ReplaceAllString(found, secret.to)
		})
	}
	return text
}
