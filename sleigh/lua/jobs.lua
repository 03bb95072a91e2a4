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
