-- Counts the tasks of a job again, and tells where its elements are: some may have been lost, by a failover or by hand.
-- KEYS 1-4, groups of: a variable that it is handed out in; then of the job: count, backlog, result; then of further
--      variables that it is handed out in.
-- ARGV 1 incarnation, 2 request, 3 the name of the first variable, 4 id of the job, 5… the names of the further ones
-- Returns OK, how many elements the job has by that, and the beginning of each task and result that there is; ENDED; or GONE.
local again = refused()
if again then return again end
local j = job(ARGV[4], FIRST + GROUP)
if not j.submitted then return { 'ENDED' } end
local found, begins = { 'OK', '' }, '{"job":"' .. j.id .. '",'
local tasks, elements = 0, 0

-- Looks at all values of a variable: those in the list, those that claims hold, and those that are on their way to a waiter.
local function look(var, out)
  check(var)
  local texts = redis.call('LRANGE', var.values, 0, -1)
  for _, key in ipairs({ var.claimed, var.handed }) do
    for _, text in ipairs(redis.call('HVALS', key)) do texts[#texts + 1] = text end
  end
  for _, text in ipairs(texts) do
    local at = string.find(string.sub(text, 1, 300), begins, 1, true)
    if at then
      local head = string.sub(text, at, at + 199)
      found[#found + 1] = head
      if out then
        tasks = tasks + out
        elements = elements + tonumber(string.match(head, '"n":(%d+)'))
      end
    end
  end
end

look(j.backlog, 0)
look(j.result)
local into = variable(ARGV[3], FIRST)
look(into, 1)
for i = 5, #ARGV do look(variable(ARGV[i], FIRST + (i - 1) * GROUP), 1) end
ease()
j.out, j.submitted = tasks, j.done + elements
hand_out(j, into)
found[2] = whole(j.submitted)
return answer(found)
