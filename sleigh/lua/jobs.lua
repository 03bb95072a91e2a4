-- What the scripts of a sleigh begin with, after those of the workspace.

-- A job, whose variables' keys begin at KEYS[first]: count, backlog, result. Its numbers are nil if it has ended.
local function job(id, first)
  local j = {
    id = id, count = variable('count:' .. id, first), backlog = variable('backlog:' .. id, first + GROUP),
    result = variable('result:' .. id, first + 2 * GROUP),
  }
  for _, var in ipairs({ j.count, j.backlog, j.result }) do check(var) end
  if j.count.mode and j.result.mode and j.backlog.mode then
    local text = redis.call('LINDEX', j.count.values, 0)
    local submitted, done, failed, out, window = string.match(text or '',
      '^{"submitted":(%d+),"done":(%d+),"failed":(%d+),"out":(%d+),"window":(%d+)}$')
    if not submitted then error('NWSDAMAGED variable ' .. j.count.name .. ' has: ' .. tostring(text)) end
    j.submitted, j.done, j.failed = tonumber(submitted), tonumber(done), tonumber(failed)
    j.out, j.window = tonumber(out), tonumber(window)
  end
  return j
end

-- Hands out as many of the job's waiting tasks as its window has room for, and writes its numbers.
local function hand_out(j, into)
  local n = math.min(redis.call('LLEN', j.backlog.values), j.window - j.out)
  if n > 0 then
    local tasks = {}
    take_some(j.backlog, 0, n, tasks)
    store(into, tasks, 1, #tasks)
    j.out = j.out + #tasks
  end
  redis.call('LSET', j.count.values, 0, string.format('{"submitted":%.0f,"done":%.0f,"failed":%.0f,"out":%.0f,"window":%.0f}',
    j.submitted, j.done, j.failed, j.out, j.window))
end

-- Who has a job of a team that lasts: the client of its master, or '' if it has none; nil if the job is of another team.
local function master_of(var)
  check(var)
  if not var.mode then return nil end
  local text = redis.call('LINDEX', var.values, 0) or ''
  return string.match(text, '^{"client":"([^"]*)"') or error('NWSDAMAGED variable ' .. var.name .. ' has: ' .. text), text
end

-- The reply to a master that has lost its job to another one; nil if it has it.
local function taken(var)
  local holder, text = master_of(var)
  if holder and holder ~= CALLER then return { 'TAKEN', text } end
end

-- Milliseconds since a master was heard of, 0 while it counts as alive; and when that was. A client that has closed, or was
-- forgotten, is not known any more: then it is when it left the job, or what orphans.lua has noted, or now.
local function silence(holder, text)
  if holder ~= '' and waiting().alive(holder, HOME) then return 0 end
  local left, sign = string.match(text, '"left":(%d+)'), redis.call('ZSCORE', HOME.live, holder)
  local seen = math.max(tonumber(left or 0), math.abs(tonumber(sign or 0)))
  if seen == 0 then seen = now() end
  return math.max(now() - seen, 1), seen
end

-- Lists a job that has ended, or whose results are kept, once; the first ones are forgotten where there are very many.
local function list_finished(var, id, text)
  local MOST = 1000
  local head = '{"id":"' .. id .. '",'
  for i, other in ipairs(redis.call('LRANGE', var.values, 0, -1)) do
    if string.sub(other, 1, #head) == head then return redis.call('LSET', var.values, i - 1, text) end
  end
  store(var, { text }, 1, 1)
  for _ = MOST + 1, redis.call('LLEN', var.values) do take(var, 0) end
end
