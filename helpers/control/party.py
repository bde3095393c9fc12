"""A party: one thread of a controlled process. It stops before each operation and goes on when the controller says so.

What it does between two stops is one step. With its next stop it tells what the step has touched, so that the
controller knows which steps depend on each other:

    ("new", thing, value)   made it; a semaphore starts with `value`
    ("r", thing)            looked at it
    ("w", thing, value)     gave it a new value, whatever it was before
    ("h", thing, value)     added to it, whatever was in it (a message sent)
    ("o", thing, value)     added to it or took from it, depending on what was in it (a message received)
    ("u", thing, value)     changed a part of its value, which is now this
    ("s", thing, value)     as "o", and what the party knows now depends on what was in it
    ("v", thing)            as "r", and what the party knows now depends on what was in it
    ("d", thing, number, most)  took or gave a permit of a semaphore that has `most` at most
    ("z", thing)            found no permit
    ("pair", thing, thing)  made a duplex pipe whose ends these are
    ("birth", token, name, kind, pid)  started a process or thread, which will say hello with this token
    ("signal", pid)         sent a signal that may end a process
    ("named", kind, name), ("unnamed", kind, name)  made or removed something that outlives processes
    ("outside", what)       used what can be shared unseen: a file, plain memory

A value of None stands for all that the party has learned so far.
"""

import itertools
import os
import signal
import sys
import sysconfig
import threading
from collections.abc import Callable
from hashlib import blake2b
from multiprocessing import process
from types import CodeType, FrameType
from typing import Any

from helpers.control import link

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# what a party says first in a message
HELLO, STOP, ANSWER, SETTLE, OUTCOME, CRASH, TROUBLE, END = (
    "hello", "stop", "answer", "settle", "outcome", "crash", "trouble", "end"
)  # fmt: skip

# when a party that has stopped can go on: always; or when a semaphore has a permit ("sem", thing); a party has ended
# ("end", token); a thing has changed since ("change", thing); the party, asked, finds that it can ("ask", things)
Needs = tuple[Any, ...]
ALWAYS: Needs = ("always",)

Place = tuple[str, int, str]  # file, line, function
INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Operation:
    """A call of the program's that is made of several smaller ones: one step, unless it has to wait in between."""

    __slots__ = ("begun", "data", "in_parts", "kind", "thing")

    def __init__(self, kind: str, thing: str, in_parts: bool = False, data: tuple = ()) -> None:
        self.kind = kind
        self.thing = thing
        self.in_parts = in_parts  # each smaller call is a step of its own
        self.data = data  # what each of its steps touches unseen
        self.begun = False


class Party:
    """This thread's line to the controller."""

    def __init__(self, token: str, name: str) -> None:
        self.link = link.connect(_address)
        _links.add(self.link)
        self.token = token
        self.operation: Operation | None = None
        self.free = 0  # above 0: what multiprocessing does within an operation is no operation of its own
        self.touched: list[tuple] = _made_early.copy()
        _made_early.clear()
        self.observed: list[bytes] = []  # digests of what it has learned in this step
        self.said = ""
        self.link.send((HELLO, token, os.getpid(), name))

    def stop(
        self, kind: str, thing: str = "", needs: Needs = ALWAYS, may_run_out: bool = False,
        ready: Callable[[], bool] | None = None, place: Place | None = None,
    ) -> bool:  # fmt: skip
        """Wait until it is this party's turn again; False when its time has run out instead.

        `ready` tells whether the operation can be done now; it is asked only while nobody else runs.
        """
        place = place or own_place(sys._getframe(1))
        self._tell(STOP, (kind, thing, place, needs, may_run_out))
        while True:
            order = self._hear()
            if order in (link.GO, link.TIME_IS_UP):
                return order == link.GO
            if order == link.ASK:
                self.link.send((ANSWER, bool(ready and ready())))

    def before(
        self, kind: str, thing: str, needs: Needs = ALWAYS, would_wait: Callable[[], bool] | None = None,
        timeout: float | None = None, ready: Callable[[], bool] | None = None,
    ) -> bool:  # fmt: skip
        """Stop before a call, unless it is inside an operation that has begun and it need not wait.

        Returns False when `timeout` (seconds) has run out instead.
        """
        operation = self.operation
        if operation is not None:
            if operation.begun and not operation.in_parts and not (would_wait and self._has_to(would_wait, needs)):
                return True
            if operation.begun and operation.data:
                self.touch(*operation.data)
            operation.begun = True
            kind, thing = operation.kind, operation.thing
        goes_on = self.stop(kind, thing, needs, timeout is not None, ready)
        if not goes_on:
            pass_time(timeout)
        return goes_on

    def _has_to(self, wait: Callable[[], bool], needs: Needs) -> bool:
        """Tell whether a call has to wait, and note what that depends on."""
        waits = wait()
        kind, *things = needs
        if kind == "ask":
            for thing in things:
                self.touch("r", thing)
        elif kind == "sem" and waits:
            self.touch("z", things[0])
        elif kind == "end":
            self.touch("r", f"end {things[0]}")
        return waits

    def settle(self) -> None:
        """Wait until whoever was started in this step has said hello, and whoever was killed in it is dead."""
        self._tell(SETTLE, None)
        self._hear()

    def give_up(self, trouble: str) -> None:
        """Tell the controller that this program cannot be controlled, and why."""
        self._tell(TROUBLE, trouble)
        self._hear()
        leave()

    def touch(self, *touch: Any) -> None:
        """Note what this step has touched (see the head of this file)."""
        self.touched.append(touch)

    def learn(self, data: bytes | bytearray | memoryview) -> bytes:
        """Note that the party now knows these data, on which its next steps may depend; return their digest."""
        self.observed.append(digest := digest_of(data))
        return digest

    def say(self, words: str) -> None:
        """Note a few words on this step for the story: the value that was read, or written."""
        self.said = words if not self.said else f"{self.said}, {words}"

    def tell_outcome(self, outcome: bytes) -> None:
        """Tell the controller what the program returned."""
        self._tell(OUTCOME, outcome)
        self._hear()

    def tell_crash(self, words: str) -> None:
        """Tell the controller that an exception ends this party."""
        self.link.send((CRASH, words))

    def end(self, code: int) -> None:
        """Say goodbye."""
        self._tell(END, code)
        _links.discard(self.link)
        self.link.close()

    def _tell(self, what: str, content: Any) -> None:
        strays, _strays[:] = tuple(_strays), []
        step = tuple(self.touched), tuple(self.observed), self.said
        self.touched, self.observed, self.said = [], [], ""
        try:
            self.link.send((what, *step, strays, content))
        except OSError:
            leave()

    def _hear(self) -> bytes:
        try:
            order = self.link.line.recv(1)
        except OSError:
            order = b""
        if order in (b"", link.QUIT):
            leave()
        return order


def configure(address: link.Address) -> None:
    """Set where the controller listens."""
    global _address
    _address = address


def clock() -> float:
    """Return this process's time in seconds: it passes only in sleeps, and in waits whose time runs out."""
    return _now


def pass_time(seconds: float) -> None:
    """Let time pass."""
    global _now
    _now += max(0.0, seconds)


def note(*touch: Any) -> None:
    """Note what this thread's step has touched, if it is a party, or what a party that is still to come has made."""
    if _local.party is not None:
        _local.party.touch(*touch)
    elif not _is_controlled:
        _made_early.append(touch)


def take_back(*touch: Any) -> None:
    """Undo a `note` of this step."""
    notes = _local.party.touched if _local.party is not None else _made_early
    if touch in notes:
        notes.remove(touch)


def new_token() -> str:
    """Return a name that no other process or thread of this run has."""
    return f"{os.getpid()}.{next(_numbers)}"


_address: link.Address = ""
_now = 0.0
_numbers = itertools.count()
_links: set[link.Link] = set()


class _Local(threading.local):
    party: Party | None = None


_local = _Local()
_made_early: list[tuple] = []  # by modules that were imported before the party began
_strays: list[str] = []  # operations of threads that are no parties
_is_controlled = False


def current() -> Party | None:
    """Return the party whose operation is to be controlled: None inside a larger operation, or without control."""
    party = _local.party
    if party is None:
        if _is_controlled:
            _note_stray()
        return None
    return None if party.free else party


def here() -> Party | None:
    """Return the party of this thread, if it has one."""
    return _local.party


def become(party: Party | None) -> None:
    """Make this thread that party."""
    global _is_controlled
    _local.party = party
    if threading.current_thread() is threading.main_thread():
        _is_controlled = party is not None


def leave() -> None:
    """End this process at once, and the children that it has forked."""
    for child in list(process._children):
        pid = getattr(child._popen, "pid", None)
        if pid is None or child._popen.method != "fork" or child._popen.returncode is not None:
            continue
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except OSError:
            pass
    os._exit(0)


def digest_of(data: bytes | bytearray | memoryview) -> bytes:
    """Return the data if they are short, else 16 bytes that stand for them."""
    return bytes(data) if len(data) <= 16 else blake2b(data, digest_size=16).digest()


def own_place(frame: FrameType | None) -> Place:
    """Return where the program is: its innermost frame that is not of the library, nor of an instrument."""
    while frame is not None and frame.f_code not in roots:
        if is_own(frame.f_code, frame.f_globals):
            return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return "", 0, ""


def is_own(code: CodeType, scope: dict[str, Any]) -> bool:
    """Tell whether code is of the program's own modules."""
    own = _own.get(code)
    if own is None:
        name = code.co_filename
        installed = name.startswith((*INSTALLED, "<frozen", "<string>")) or "site-packages" in name
        own = _own[code] = not installed and "__tracebackhide__" not in scope
    return own


_own: dict[CodeType, bool] = {}
roots: set[CodeType] = set()  # of the frames in which a process begins; under fork those of its parent lie beyond


def _note_stray() -> None:
    thread = threading.current_thread().name
    file, line, _ = own_place(sys._getframe(2))
    _strays.append(f"thread {thread} ({os.path.basename(file)}, line {line})")  # noqa: PTH119


def _forget_parties() -> None:
    # a child forked behind multiprocessing's back must not speak on its parent's line
    global _is_controlled
    for line in _links:
        line.close()
    _links.clear()
    _local.party = None
    _is_controlled = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parties)
