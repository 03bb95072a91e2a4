"""Workspaces of netspaces in Python: named variables in Redis, shared with programs in any language.

A variable is a queue of values. store() adds a value; fetch() takes one away and waits until there is one; find() reads
one and waits until there is one.

    with Workspace.open(redis.Redis(), "weather") as ws:
        ws.store("temperature", 21.5)
        print(ws.find("temperature"))

All that happens in Redis is done by the Lua scripts of this project; docs/protocol.md says what they expect. A value is
any that json takes; bytes are stored as they are.
"""

import contextlib
import itertools
import json
import os
import pathlib
import random
import secrets
import socket
import sys
import threading
import time
import unicodedata

import redis

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "workspace" / "lua"
SHARED = ("prelude", "claims", "waiting")  # stand before each script that works on a workspace
PATIENCE = 60.0  # seconds for which a call is tried again while Redis does not answer
BEAT = 2.0  # seconds between signs of life while somebody waits
IDLE_BEAT = 60.0  # otherwise
HEAR = 1.0  # seconds that the first waiter gives its subscription to come up
BATCH = 100  # variables or clients deleted by one script
LISTED, MADE_WITHIN = 60_000, 2_000  # ms for which a workspace is listed before it is made; in which it is made
NAMES = b"nws:names"


class Error(Exception):
    """What all errors of this module are."""


class NoWorkspace(Error):
    """The workspace is missing, or was deleted after it was opened."""


class VersionError(Error):
    """The workspace was made by programs of another version of the protocol."""


class VariableDeleted(Error):
    """The variable was deleted while the caller waited for it."""


class NoVariable(Error):
    """There is no such variable."""


class DeclaredError(Error):
    """The variable has another mode, or one in which it cannot be iterated."""


ERRORS = {
    "GONE": NoWorkspace, "VERSION": VersionError, "DELETED": VariableDeleted, "NOVAR": NoVariable,
    "DECLARED": DeclaredError, "MODE": DeclaredError, "BURIED": Error, "STALE": Error,
}  # fmt: skip


class Server:
    """Runs scripts on a Redis."""

    def __init__(self, rdb, folder):
        self.rdb, self.folder, self.scripts = rdb, pathlib.Path(folder), {}

    def run(self, name, keys, args, patience=PATIENCE):
        """Runs a script, and again while Redis does not answer: it is one that may be sent twice."""
        if name not in self.scripts:
            parts = (name,) if name in ("register", "unregister") else (*SHARED, name)
            text = "\n".join((self.folder / f"{part}.lua").read_text("utf-8") for part in parts)
            self.scripts[name] = text, self.rdb.register_script(text).sha
        text, sha = self.scripts[name]
        deadline, pause = time.monotonic() + patience, 0.02
        while True:
            try:
                try:
                    return self.rdb.evalsha(sha, len(keys), *keys, *args)
                except redis.exceptions.NoScriptError:
                    return self.rdb.eval(text, len(keys), *keys, *args)
            except redis.AuthenticationError:
                raise
            except (redis.ConnectionError, redis.TimeoutError):
                if time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, 1.0)


class Waiter:
    """A call that waits for a variable."""

    def __init__(self, number, variable, born):
        self.number, self.variable, self.born, self.woken = str(number), variable, born, threading.Event()


class Workspace:
    """A handle on a workspace, for any number of threads; open() and use() make it."""

    @classmethod
    def open(cls, rdb, name, persistent=False, lease=30.0, scripts=SCRIPTS):
        """Opens a workspace, makes it where it is missing, and owns it if nobody does.

        It is deleted when its owner closes it, or dies and so does not renew its lease (in seconds), unless it is
        persistent. rdb is a redis.Redis that does not decode responses.
        """
        return cls(rdb, name, "own", persistent, lease, scripts)

    @classmethod
    def use(cls, rdb, name, create=False, scripts=SCRIPTS):
        """Opens a workspace without owning it. Where it is missing and not to be created, that is NoWorkspace."""
        return cls(rdb, name, "create" if create else "use", False, 30.0, scripts)

    def __init__(self, rdb, name, purpose, persistent, lease, scripts):
        if not name or name[0] == "/" or len(name.encode()) > 200 or any(c in "{}:" or unicodedata.category(c) == "Cc" for c in name):
            raise ValueError(f"bad workspace name: {name!r}")
        tag, slash, rest = name.partition("/")
        self.name, self._base = name, f"nws:{{{tag}}}{slash}{rest}".encode()
        self._server, self._lease = Server(rdb, scripts), int(lease * 1000)
        self._client = secrets.token_hex(8)
        self._lock = threading.RLock()  # there is one lane of requests
        self._epoch, self._introduced, self._number, self._departures = 0, False, 0, []
        self._lapses = None  # what the last beat said of times when this client was taken for dead
        self._waiters, self._numbers = {}, itertools.count(1)
        self._closing, self._heard = threading.Event(), threading.Event()
        self._open("create" if name == "default" else purpose, persistent or name == "default")
        self._pubsub = rdb.pubsub()
        self._thread = threading.Thread(target=self._listen, name=f"workspace {name}", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the handle: calls that wait fail. A workspace that it owns is deleted, unless it is persistent."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake(self._waiters)
        with contextlib.suppress(redis.RedisError):
            self._pubsub.unsubscribe()  # the reply ends the thread
        self._thread.join()
        self._pubsub.close()
        with contextlib.suppress(NoWorkspace):
            if self.mine and not self.persistent:
                return self._remove(self._incarnation, "")
            if self.mine:
                self._call("renew", [], self._client, 0)
            self._call("bye", [], self._client)

    def store(self, variable, *values):
        """Adds values. Each goes to all who wait in find, then to the one who has waited longest in fetch; else it stays."""
        self._request("store", variable, *(encode(value) for value in values))

    def fetch(self, variable, timeout=None, loads=json.loads):
        """Takes a value; waits until there is one, and raises TimeoutError after so many seconds."""
        return self._await("fetch", variable, timeout, loads, "", chance(), 1, "")[-1]

    def find(self, variable, timeout=None, loads=json.loads):
        """Reads a value and leaves it there; waits as fetch does."""
        return self._await("find", variable, timeout, loads, "", chance())[-1]

    def fetch_try(self, variable, default=None, loads=json.loads):
        """Takes a value; where there is none, returns the default."""
        reply = self._request("fetch", variable, "", "", chance(), 1, "", loads=loads)
        return default if reply[0] == "EMPTY" else reply[-1]

    def find_try(self, variable, default=None, loads=json.loads):
        """Reads a value; where there is none, returns the default."""
        reply = self._request("find", variable, "", "", chance(), loads=loads)
        return default if reply[0] == "EMPTY" else reply[-1]

    def ifind(self, variable, timeout=None, loads=json.loads):
        """Yields each value once, the oldest first, and leaves them there; waits for more until the variable is deleted."""
        return self._iterate(lambda born, *rest: self._await("follow", variable, timeout, loads, born, *rest))

    def ifind_try(self, variable, loads=json.loads):
        """Yields the values that are there, as ifind does, and ends when there are no more."""
        return self._iterate(lambda *rest: self._request("follow", variable, "", *rest, loads=loads))

    def declare(self, variable, mode):
        """Gives a variable its mode: fifo, lifo, multi or single. DeclaredError where it has another one."""
        if mode not in ("fifo", "lifo", "multi", "single"):
            raise ValueError(f"no such mode: {mode!r}")
        self._request("declare", variable, mode)

    def delete_var(self, variable):
        """Deletes a variable and its values. Whoever waits for it gets VariableDeleted."""
        self._request("deletevar", variable)

    # -- opening and deleting

    def _keys(self, *variables, clients=()):
        home = [self._base + b":ws", self._base + b":vars", self._base + b":live", self._client_key(self._client)]
        kinds = (b"values", b"waiters", b"handed", b"claimed", b"deadlines")
        groups = [b":".join((self._base, kind, as_bytes(name))) for name in variables for kind in kinds]
        return home + groups + [self._client_key(client) for client in clients]

    def _client_key(self, client):
        return self._base + b":client:" + as_bytes(client)

    def _open(self, purpose, persistent):
        args = secrets.token_hex(8), self._client, purpose, "1" if persistent else "", self._lease, *program(), "PUBLISH"
        reply, until = [b"LATE"], 0
        while reply[0] in (b"LATE", b"ENDED"):
            if reply[0] == b"ENDED":
                self._remove("", "ended")  # what an owner left that died
            if purpose != "use":  # listed first: should this process die in between, others find it
                until = int(self._server.run("register", [NAMES], [self.name, LISTED])[1]) + MADE_WITHIN
            reply = self._server.run("open", self._keys(), (*args, until))
        self._incarnation, mine, persists, ends = (part.decode() for part in self._expect(reply)[1:])
        self.mine, self.persistent = mine == "1", persists == "1"
        if purpose != "use":
            self._server.rdb.zadd(NAMES, {self.name: float(ends)})
            self._unlist()  # should it have been deleted already

    def _remove(self, incarnation, why):
        variables, clients, rdb = [], [], self._server.rdb
        while True:
            keys = self._keys(*variables, clients=clients)
            word, *_ = self._server.run("delete", keys, [incarnation, why, len(variables), *variables, *clients])
            if word != b"MORE":
                return self._unlist()
            why, variables, clients = "rest", rdb.hkeys(keys[1])[:BATCH], rdb.zrange(keys[2], 0, BATCH - 1)

    def _unlist(self):
        """Takes the workspace off the list if it is not there."""
        rdb, key = self._server.rdb, self._base + b":ws"
        score = rdb.zscore(NAMES, self.name)
        if score is not None and not rdb.exists(key):
            self._server.run("unregister", [NAMES], [self.name, "inf" if score == float("inf") else f"{score:.0f}"])
            if rdb.exists(key):  # made again in this moment
                rdb.zadd(NAMES, {self.name: score}, nx=True)

    # -- requests: done once, however often they have to be sent

    def _expect(self, reply):
        word = reply[0].decode()
        if word in ERRORS:
            raise ERRORS[word](": ".join([f"workspace {self.name}", word, *(part.decode() for part in reply[1:])]))
        return reply

    def _call(self, script, variables, *args, patience=PATIENCE):
        """Runs a script whose ARGV begins with the incarnation."""
        return self._expect(self._server.run(script, self._keys(*variables), (self._incarnation, *args), patience))

    def _request(self, script, variable, *args, loads=json.loads):
        """Runs a script that begins with refused(). Returns its reply, with its value decoded.

        If this fails after the request was sent, what it has taken goes back before the next one.
        """
        with self._lock:
            if self._closing.is_set():
                raise Error(f"workspace {self.name}: closed")
            self._tell_departures()
            self._number += 1
            while True:
                self._introduce()
                request = f"{self._epoch} 1 {self._number}"
                try:
                    word, *rest = self._call(script, [variable], request, variable, *args)
                    if word in (b"VALUES", b"KEPT"):
                        rest[-1] = loads(rest[-1])
                except (redis.ResponseError, Error):
                    raise  # nothing was done
                except BaseException:
                    self._depart(variable, request=request)
                    raise
                if word != b"NOCLIENT":
                    return [word.decode(), *rest]
                self._introduced = False

    def _introduce(self):
        if self._introduced:
            return
        self._epoch += 1
        reply = self._call("hello", [], self._client, self._epoch, *program())
        self._introduced = True
        self._forget(reply[1].split())

    def _forget(self, silent):
        """Has Redis forget clients that have given no sign of life for long."""
        if silent:
            self._server.run("bye", self._keys(clients=silent), [self._incarnation, "", *silent])

    def _depart(self, variable, request="", waiter="", born=""):
        """Takes back what a request has taken, or a waiter; where Redis does not answer, later."""
        with self._lock:
            self._departures.append((request, variable, waiter, born, 0))
            with contextlib.suppress(redis.RedisError):
                self._tell_departures(patience=0)

    def _tell_departures(self, patience=PATIENCE):
        while self._departures:
            with contextlib.suppress(redis.ResponseError, Error):  # there is nothing to take back
                self._call("cancel", [self._departures[0][1]], *self._departures[0], patience=patience)
            self._departures.pop(0)

    # -- waiting: a registered waiter is told on the client's channel, and then asks again

    def _await(self, script, variable, timeout, loads, born, *rest):
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        self._heard.wait(HEAR)  # who cannot be told is passed over
        waiter = Waiter(next(self._numbers), variable, born)
        self._waiters[waiter.number] = waiter
        name, word = f"{self._client}:{waiter.number}", ""
        try:
            while True:
                waiter.woken.clear()
                word, *reply = self._request(script, variable, name, waiter.born, *rest, loads=loads)
                if word != "WAIT":
                    return [word, *reply]
                waiter.born = reply[0].decode()
                left = deadline - time.monotonic()
                if not waiter.woken.wait(None if left == float("inf") else max(left, 0)):
                    raise TimeoutError(f"workspace {self.name}, variable {variable}: no value in {timeout} s")
        finally:
            del self._waiters[waiter.number]
            if word != "VALUES":  # which ends the waiting by itself
                self._depart(variable, waiter=name, born=waiter.born)

    def _iterate(self, ask):
        born, seen = "", "0"
        while True:
            try:
                word, *reply = ask(born, 1, seen)
            except VariableDeleted:
                return
            if word == "EMPTY":
                return
            born, seen, value = reply
            yield value

    def _wake(self, numbers):
        for number in list(numbers):
            if waiter := self._waiters.get(number):
                waiter.woken.set()

    def _listen(self):
        """Hears who is told, and gives signs of life."""
        beat = renewed = idle = time.monotonic()
        while not self._closing.is_set():
            self._hear(max(0.01, beat - time.monotonic()))
            now = time.monotonic()
            if now < beat or self._closing.is_set():
                continue
            beat = now + min(BEAT, self._lease / 3000)
            try:
                if self.mine and now >= renewed:
                    renewed = now + self._lease / 3000
                    self._renew()
                if self._waiters or self._introduced and now >= idle:
                    idle = now + IDLE_BEAT
                    self._beat()
                if self._departures:
                    with self._lock:
                        self._tell_departures(patience=0)
            except (redis.RedisError, Error):
                self._wake(self._waiters)  # they ask, and say what is wrong

    def _hear(self, seconds):
        try:
            if not self._pubsub.subscribed:
                self._pubsub.subscribe(self._base + b":ws:inbox:" + self._client.encode())
            message = self._pubsub.get_message(timeout=seconds) or {"type": ""}
        except redis.RedisError:  # it subscribes anew when it is asked again
            self._heard.clear()
            self._closing.wait(min(seconds, 0.5))
            return
        if message["type"] == "subscribe":
            self._heard.set()
            self._wake(self._waiters)  # what was published before was missed
        elif message["type"] == "message":
            self._wake(message["data"].decode().split())

    def _renew(self):
        reply = self._call("renew", [], self._client, self._lease, patience=0)
        if reply[0] == b"OK" and not self.persistent:
            self._server.rdb.zadd(NAMES, {self.name: float(reply[1])})

    def _beat(self):
        """Shows that this client lives, and wakes waiters that missed something."""
        waiters = list(self._waiters.values())
        variables = sorted({waiter.variable for waiter in waiters})
        pairs = []
        for name in variables:
            pairs += name, " ".join(w.number for w in waiters if w.variable == name and w.born)
        _, lapses, silent, *rest = self._call("beat", variables, self._client, *pairs, patience=0)
        born = dict(zip(variables, (part.decode() for part in rest[0::2])))
        self._wake(itertools.chain.from_iterable(told.decode().split() for told in rest[1::2]))
        self._wake(waiter.number for waiter in waiters if waiter.born and waiter.born != born[waiter.variable])
        if lapses != self._lapses or not self._heard.is_set():
            self._wake(self._waiters)
        self._lapses = lapses
        self._forget(silent.split())


def encode(value):
    """Makes JSON of a value; bytes stay as they are."""
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def program():
    """What Redis keeps of this process: host, pid and name."""
    return socket.gethostname(), os.getpid(), os.path.basename(sys.argv[0]) or "python"


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def chance():
    """A random number for mode multi: scripts have none of their own."""
    return f"{random.random():.9f}"
