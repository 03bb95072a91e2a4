# Makes the output of `go test -v` short: a line for each package, and before
# it, when the package failed, what its tests printed. Names of passed tests go
# to the file `passed`; skipped ones with their reason to the file `skipped`.

BEGIN {
	printf "" >passed
	printf "" >skipped
}

/^=== (RUN|NAME|CONT) / {
	heading = $0 "\n"
	next
}

/^=== PAUSE / || /^PASS$/ || /^FAIL$/ {
	next
}

/--- PASS: / {
	print $3 >passed
	next
}

/--- SKIP: / {
	skips[++n] = $3 ": " last
}

/^(ok  |FAIL|\?   )\t/ {
	if ($1 == "FAIL")
		printf "%s", output
	if ($1 != "?")
		print
	for (i = 1; i <= n; i++)
		print $2 " " skips[i] >skipped
	n = 0
	output = heading = ""
	next
}

{
	output = output heading $0 "\n"
	heading = ""
	last = $0
	sub(/^ +/, "", last)
}
