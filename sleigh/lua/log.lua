-- Stores a page of lines that workers printed, in the last page that is there if it has room, and drops the oldest pages
-- beyond a number. What was dropped is counted at the beginning of the first that stays.
-- It is kept with the last ones, too.
-- KEYS 1-4, groups of: log, recent
-- ARGV 1 incarnation, 2 request, 3 log, 4 how many pages may be there, 5 bytes that a page may have, 6 page (see page.go),
--      7 how many of the last ones are kept, 8 bytes of these
-- Returns OK or GONE.
local again = refused()
if again then return again end
local log, recent = variable(ARGV[3], FIRST), variable('recent', FIRST + GROUP)
check(log)
check(recent)
local most, room, new = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

-- What a page begins with, and where its batches do; nil if it was put in by hand.
local function head(text)
  return string.match(text or '', '^{"left":{([^}]*)},"lines":{([^}]*)},"batches":%[()')
end

-- Adds the counts of a page, by whose lines they are.
local function add(counts, text)
  for whose, n in string.gmatch(text, '"([^"]+)":(%d+)') do counts[whose] = (counts[whose] or 0) + tonumber(n) end
end

local function written(counts)
  local parts = {}
  for whose, n in pairs(counts) do parts[#parts + 1] = '"' .. whose .. '":' .. whole(n) end
  table.sort(parts)
  return table.concat(parts, ',')
end

local function page(left, lines, batches)
  return '{"left":{' .. left .. '},"lines":{' .. lines .. '},"batches":[' .. batches
end

local joined
if log.mode == 'fifo' and #new < room and redis.call('EXISTS', log.waiters) == 0 then
  local last = redis.call('LINDEX', log.values, -1) or ''
  local left, lines, from = head(last)
  local _, more, at = head(new)
  if from and at and #last + #new <= room then
    local counts = {}
    add(counts, lines)
    add(counts, more)
    joined = page(left, written(counts), string.sub(last, from, -3) .. ',' .. string.sub(new, at))
  end
end
if joined then
  redis.call('LSET', log.values, -1, joined)
else
  store(log, { new }, 1, 1)
end

local left, n = {}, redis.call('LLEN', log.values)
if n > most then
  local first, before, lines, from
  while n > most or n > 1 and not from do
    before, lines = head(take(log, 0))
    add(left, before or '')
    add(left, lines or '')
    n = n - 1
    first = redis.call('LINDEX', log.values, 0)
    before, lines, from = head(first)
  end
  if from then
    add(left, before)
    redis.call('LSET', log.values, 0, page(written(left), lines, string.sub(first, from)))
  end
end
keep(recent, new, tonumber(ARGV[7]), tonumber(ARGV[8]))
return answer({ 'OK' })
