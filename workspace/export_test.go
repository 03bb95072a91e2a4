package workspace

import (
	"slices"

	"github.com/netspaces/netspaces/redisx"
)

// guard fails a script that touches a key which it did not declare: a cluster and some servers would refuse it.
const guard = `
local unguarded = redis
local declared = {}
for _, key in ipairs(KEYS) do declared[key] = true end
local function check(command, ...)
  command = string.upper(command)
  if command == 'TIME' or command == 'PUBLISH' or command == 'SPUBLISH' or command == 'PUBSUB' then return end
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

// forgetful has scripts take each request for a new one, as if requests were not numbered.
const forgetful = `
local remembering = redis
local redis = setmetatable({
  call = function(...)
    local command, key = ...
    local found = remembering.call(...)
    if command == 'HMGET' and key == KEYS[4] then found[2] = false end
    return found
  end,
}, { __index = remembering })
`

// GuardScripts has all scripts fail that touch undeclared keys, until the returned function is called.
func GuardScripts() (undo func()) { return replaceScripts(after(guard)) }

// GuardedScript makes one script as GuardScripts does.
func GuardedScript(text string) *redisx.Script { return redisx.NewScript("guarded", guard, text) }

// ForgetRequests has Redis do a request again when it is sent again, until the returned function is called.
func ForgetRequests() (undo func()) { return replaceScripts(after(forgetful)) }

func after(text string) func(name string) []string {
	return func(name string) []string { return slices.Concat([]string{text}, fastOf(name), sourcesOf(name)) }
}

// SlowScripts leaves out the common cases of lua/fast, until the returned function is called: the scripts are whole without.
func SlowScripts() (undo func()) {
	return replaceScripts(func(name string) []string { return sourcesOf(name) })
}

func replaceScripts(sources func(name string) []string) (undo func()) {
	var undoing []func()
	for name, at := range map[string]**redisx.Script{
		"open": &openScript, "renew": &renewScript, "delete": &deleteScript, "hello": &helloScript, "beat": &beatScript,
		"bye": &byeScript, "cancel": &cancelScript, "received": &receivedScript, "declare": &declareScript,
		"deletevar": &deleteVarScript, "listvars": &listVarsScript, "watch": &watchScript, "describe": &describeScript,
		"clients": &clientsScript, "waiters": &waitersScript,
		"store": &storeScript, "fetch": &fetchScript, "find": &findScript, "follow": &followScript,
		"claim": &claimScript, "renewclaim": &renewClaimScript,
		"settle": &settleScript, "release": &releaseScript, "endclaims": &endClaimsScript,
	} {
		whole := *at
		*at = redisx.NewScript(name, sources(name)...)
		undoing = append(undoing, func() { *at = whole })
	}
	return func() {
		for _, undo := range undoing {
			undo()
		}
	}
}
