-- Keeps a page of lines that the master has already, with the last ones.
-- KEYS 1-4 and one group: recent
-- ARGV 1 incarnation, 2 request, 3 recent, 4 page (see page.go), 5 how many of the last ones are kept, 6 bytes of these
-- Returns OK or GONE.
local again = refused()
if again then return again end
local recent = variable(ARGV[3], FIRST)
check(recent)
keep(recent, ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]))
return answer({ 'OK' })
