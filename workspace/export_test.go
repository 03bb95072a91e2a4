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
	for name, at := range map[string]**redisx.Script{
		"open": &openScript, "renew": &renewScript, "delete": &deleteScript,
		"declare": &declareScript, "deletevar": &deleteVarScript, "listvars": &listVarsScript,
		"store": &storeScript, "fetch": &fetchScript, "find": &findScript,
		"leave": &leaveScript, "beat": &beatScript, "claim": &claimScript,
		"renewclaim": &renewClaimScript, "settle": &settleScript, "release": &releaseScript,
		"endclaims": &endClaimsScript,
	} {
		whole := *at
		*at = redisx.NewScript(name, guard, source("prelude"), source(name))
		undoing = append(undoing, func() { *at = whole })
	}
	return func() {
		for _, undo := range undoing {
			undo()
		}
	}
}
