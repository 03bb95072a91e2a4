-- Finds the jobs of a team that lasts whose masters have left them or are not heard of, notes since when, and pauses those that are
-- to pause then.
-- KEYS 1-4, group of: task; then for each job: count, backlog, result, job, master.
-- ARGV 1 incarnation, 2 request, 3 the variable task, 4… ids of the jobs
-- Returns OK and for each job whose master has been silent for as long as it may be: who that is (see master.go) and the
--   description; or GONE.
local again = refused()
if again then return again end
local task, reply = variable(ARGV[3], FIRST), { 'OK' }
check(task)
local paused, silenced = {}, {}
for i = 4, #ARGV do
  local first = FIRST + GROUP + (i - 4) * 5 * GROUP
  local j, description = job(ARGV[i], first), variable('job:' .. ARGV[i], first + 3 * GROUP)
  local master = variable('master:' .. ARGV[i], first + 4 * GROUP)
  local holder, text = master_of(master)
  check(description)
  local silent, seen = 0, nil
  if holder and j.submitted then silent, seen = silence(holder, text) end
  local most = silent > 0 and string.match(text, '"cancelAfter":(%d+)')
  if most and silent > tonumber(most) then
    reply[#reply + 1] = text
    reply[#reply + 1] = redis.call('LINDEX', description.values, 0) or ''
  elseif silent > 0 and string.find(text, '"pause":true', 1, true) and j.window > 0 then
    j.window = 0
    paused[#paused + 1] = j
  end
  if silent > 0 and holder ~= '' and string.match(text, '"left":(%d+)') ~= whole(seen) then
    text = string.gsub(string.gsub(text, '"left":%d+,', ''), ',', ',"left":' .. whole(seen) .. ',', 1)
    silenced[#silenced + 1] = { master, text }
  end
end
if #paused + #silenced > 0 then ease() end
for _, j in ipairs(paused) do hand_out(j, task) end
for _, of in ipairs(silenced) do store(of[1], { of[2] }, 1, 1) end
return answer(reply)
