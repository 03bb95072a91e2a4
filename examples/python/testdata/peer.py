"""The Python side of the tests: does what it reads, one JSON list [id, verb, argument…] a line, each in a thread of its own.

It prints a line for each: {"id": …, "value": …} or {"id": …, "error": name of the error}.
"""

import json
import sys
import threading

import redis

import netspaces

url, name, how, *lease = sys.argv[1:]
rdb = redis.Redis.from_url(url)
if how == "open":
    ws = netspaces.Workspace.open(rdb, name, lease=float(lease[0]))
else:
    ws = netspaces.Workspace.use(rdb, name)


def first(variable, n):
    """The first n values that ifind yields; fewer if the variable is deleted."""
    return [value for _, value in zip(range(n), ws.ifind(variable))]


verbs = {
    "ready": lambda: True,
    "store": ws.store,
    "store_bytes": lambda variable, text: ws.store(variable, text.encode()),
    "fetch": ws.fetch,
    "fetch_bytes": lambda variable: ws.fetch(variable, loads=bytes).decode(),
    "fetch_for": lambda variable, seconds: ws.fetch(variable, timeout=seconds),
    "find": ws.find,
    "fetch_try": ws.fetch_try,
    "find_try": ws.find_try,
    "ifind": first,
    "ifind_try": lambda variable: list(ws.ifind_try(variable)),
    "declare": ws.declare,
    "delete_var": ws.delete_var,
    "close": ws.close,
}


def do(number, verb, *args):
    try:
        answer = {"id": number, "value": verbs[verb](*args)}
    except Exception as error:
        answer = {"id": number, "error": type(error).__name__}
    with printing:
        print(json.dumps(answer), flush=True)


printing = threading.Lock()
for line in sys.stdin:
    threading.Thread(target=do, args=json.loads(line), daemon=True).start()
