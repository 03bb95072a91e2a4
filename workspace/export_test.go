package workspace

import "github.com/netspaces/netspaces/redisx"

// guard fails a script that touches a key which it did not declare: a cluster and some servers would refuse it.
const guard = `
local unguarded = redis
local declared = {}
for _, key in ipairs(KEYS) do declared[key] = true end
local function check(command, ...)
  command = string.upper(command)
  if command == 'TIME' or command == 'PUBLISH' then return end
  local many = command == 'DEL' or command == 'EXISTS' or command == 'UNLINK'
  for i = 1, many and select('#', ...) or 1 do
    local key = select(i, ...)
    if not declared[key] then error('UNDECLARED ' .. command .. ' ' .. tostring(key)) end
  end
end
local redis = setmetatable({
  call = function(...) check(...) return unguarded.call(...) end,
  pcall = function(...) check(...) return unguarded.pcall(...) end,
}, { __index = unguarded })
`

// GuardScripts has all scripts fail that touch undeclared keys, until the returned function is called.
func GuardScripts() (undo func()) {
	var undoing []func()
	for name, s := range map[string]struct {
		at         **redisx.Script
		repeatable bool
	}{
		"open": {&openScript, true}, "renew": {&renewScript, true}, "delete": {&deleteScript, true},
		"declare": {&declareScript, true}, "deletevar": {&deleteVarScript, false}, "listvars": {&listVarsScript, true},
		"store": {&storeScript, false}, "fetch": {&fetchScript, false}, "find": {&findScript, true},
		"leave": {&leaveScript, true}, "beat": {&beatScript, true}, "claim": {&claimScript, true},
		"renewclaim": {&renewClaimScript, true}, "settle": {&settleScript, true}, "release": {&releaseScript, true},
		"endclaims": {&endClaimsScript, true},
	} {
		whole := *s.at
		*s.at = redisx.NewScript(name, s.repeatable, guard, source("prelude"), source(name))
		undoing = append(undoing, func() { *s.at = whole })
	}
	return func() {
		for _, undo := range undoing {
			undo()
		}
	}
}
