-- What the scripts that keep the last pages of lines begin with, after those of the workspace. Of each page Redis knows how many
-- bytes there were ever, up to its end: {"upTo":123,"left":… and so on, as in page.go.

local function up_to(text)
  local n = string.match(text or '', '^{"upTo":(%d+),')
  return n and tonumber(n) or 0
end

-- Keeps a page, and drops the oldest beyond a number or beyond so many bytes of all, but not this one.
local function keep(recent, text, most, bytes)
  local total = up_to(redis.call('LINDEX', recent.values, -1)) + #text
  store(recent, { '{"upTo":' .. whole(total) .. ',' .. string.sub(text, 2) }, 1, 1)
  local n = redis.call('LLEN', recent.values)
  while n > 1 and (n > most or total - up_to(redis.call('LINDEX', recent.values, 0)) > bytes) do
    take(recent, 0)
    n = n - 1
  end
end
