"""A participant: one thread of a controlled process, which stops before each operation until the controller says go.

What it does between two stops is one step. With its next stop it tells what the step has accessed, so that the
controller knows which steps depend on each other:

    ("new", thing, value)   made it; a semaphore starts with `value`
    ("r", thing)            looked at it
    ("w", thing, value)     gave it a new value, whatever it was before
    ("h", thing, value)     added to it, whatever was in it (a message sent)
    ("o", thing, value)     added to it or took from it, depending on what was in it (a message received)
    ("u", thing, value)     changed a part of its value, which is now this
    ("s", thing, value)     as "o", and what the participant knows now depends on what was in it
    ("v", thing)            as "r", and what the participant knows now depends on what was in it
    ("d", thing, number, most)  took or gave a permit of a semaphore that has `most` at most
    ("z", thing)            found no permit
    ("pair", thing, thing)  made a duplex pipe whose ends these are
    ("started", token, name, kind, pid)  started a process or thread, which will say hello with this token
    ("signal", pid)         sent a signal that may end a process
    ("untracked", what)     used what can be shared without an operation: a file, plain memory

A value of None stands for all that the participant has learned so far.
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

from helpers.control import protocol

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# what a participant says first in a message
HELLO, STOP, ANSWER, SETTLE, OUTCOME, CRASH, REFUSAL, END = (
    "hello", "stop", "answer", "settle", "outcome", "crash", "refusal", "end"
)  # fmt: skip

# when a participant that has stopped can go on: always; or when a semaphore has a permit ("sem", thing); a participant
# has ended ("end", token); a thing has changed since ("change", thing); the participant, asked, finds that it can
# ("ask", things)
Needs = tuple[Any, ...]
ALWAYS: Needs = ("always",)

Place = tuple[str, int, str]  # file, line, function
plain_kill = os.kill  # a probe stands before it
INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Operation:
    """A call of the program's that is made of several smaller ones: one step, unless it has to wait in between."""

    __slots__ = ("begun", "data", "in_parts", "kind", "thing")

    def __init__(self, kind: str, thing: str, in_parts: bool = False, data: tuple = ()) -> None:
        self.kind = kind
        self.thing = thing
        self.in_parts = in_parts  # each smaller call is a step of its own
        self.data = data  # what each of its steps accesses beside its calls
        self.begun = False


class Participant:
    """This thread's link to the controller."""

    def __init__(self, token: str, name: str) -> None:
        self.link = protocol.connect(_address)
        _links.add(self.link)
        self.token = token
        self.operation: Operation | None = None
        self.exemptions = 0  # above 0: what multiprocessing does within an operation is no operation of its own
        self.accesses: list[tuple] = _made_early.copy()
        _made_early.clear()
        self.observed: list[bytes] = []  # digests of what it has learned in this step
        self.detail = ""
        self.link.send((HELLO, token, os.getpid(), name))

    def stop(
        self, kind: str, thing: str = "", needs: Needs = ALWAYS, may_time_out: bool = False,
        ready: Callable[[], bool] | None = None, place: Place | None = None,
    ) -> bool:  # fmt: skip
        """Wait until it is this participant's turn again; False when its time has run out instead.

        `ready` tells whether the operation can be done now; it is asked only while nobody else runs.
        """
        place = place or own_place(sys._getframe(1))
        self._send(STOP, (kind, thing, place, needs, may_time_out))
        while True:
            order = self._receive()
            if order in (protocol.GO, protocol.TIME_IS_UP):
                return order == protocol.GO
            if order == protocol.ASK:
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
                self.accessed(*operation.data)
            operation.begun = True
            kind, thing = operation.kind, operation.thing
        goes_on = self.stop(kind, thing, needs, timeout is not None, ready)
        if not goes_on and timeout:
            pass_time(timeout)
        return goes_on

    def _has_to(self, wait: Callable[[], bool], needs: Needs) -> bool:
        """Tell whether a call has to wait, and note what that depends on."""
        waits = wait()
        kind, *things = needs
        if kind == "ask":
            for thing in things:
                self.accessed("r", thing)
        elif kind == "sem" and waits:
            self.accessed("z", things[0])
        elif kind == "end":
            self.accessed("r", f"end {things[0]}")
        return waits

    def settle(self) -> None:
        """Wait until whoever was started in this step has said hello, and whoever was killed in it has ended."""
        self._send(SETTLE, None)
        self._receive()

    def refuse(self, reason: str) -> None:
        """Tell the controller that this program cannot be controlled, and why."""
        self._send(REFUSAL, reason)
        self._receive()
        leave()

    def accessed(self, *access: Any) -> None:
        """Note what this step has accessed (see the head of this file)."""
        self.accesses.append(access)

    def learn(self, data: bytes | bytearray | memoryview) -> bytes:
        """Note that the participant now knows these data, on which its next steps may depend; return their digest."""
        self.observed.append(digest := digest_of(data))
        return digest

    def add_detail(self, words: str) -> None:
        """Note a few words on this step for the story: the value that was read, or written."""
        self.detail = words if not self.detail else f"{self.detail}, {words}"

    def tell_outcome(self, outcome: bytes) -> None:
        """Tell the controller what the program returned."""
        self._send(OUTCOME, outcome)
        self._receive()

    def tell_crash(self, words: str) -> None:
        """Tell the controller that an exception ends this participant."""
        self.link.send((CRASH, words))

    def end(self, code: int) -> None:
        """Say goodbye."""
        self._send(END, code)
        _links.discard(self.link)
        self.link.close()

    def _send(self, what: str, content: Any) -> None:
        uncontrolled, _uncontrolled[:] = tuple(_uncontrolled), []
        step = tuple(self.accesses), tuple(self.observed), self.detail
        self.accesses, self.observed, self.detail = [], [], ""
        try:
            self.link.send((what, *step, uncontrolled, content))
        except OSError:
            leave()

    def _receive(self) -> bytes:
        try:
            order = self.link.socket.recv(1)
        except OSError:
            order = b""
        if order in (b"", protocol.QUIT):
            leave()
        return order


def configure(address: protocol.Address) -> None:
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


def note(*access: Any) -> None:
    """Note what this thread's step has accessed; where no participant is yet, the first one to come tells it."""
    if _local.participant is not None:
        _local.participant.accessed(*access)
    elif not _is_controlled:
        _made_early.append(access)


def take_back(*access: Any) -> None:
    """Undo a `note` of this step."""
    notes = _local.participant.accesses if _local.participant is not None else _made_early
    if access in notes:
        notes.remove(access)


def new_token() -> str:
    """Return a name that no other process or thread of this run has."""
    return f"{os.getpid()}.{next(_numbers)}"


_address: protocol.Address = ""
_now = 0.0
_numbers = itertools.count()
_links: set[protocol.Link] = set()


class _Local(threading.local):
    participant: Participant | None = None


_local = _Local()
_made_early: list[tuple] = []  # by modules that were imported before the participant began
_uncontrolled: list[str] = []  # operations of threads that are no participants
_is_controlled = False


def current() -> Participant | None:
    """Return the participant whose operation is to be controlled; None inside a larger one, or without control."""
    participant = _local.participant
    if participant is None:
        if _is_controlled:
            _note_uncontrolled()
        return None
    return None if participant.exemptions else participant


def here() -> Participant | None:
    """Return the participant of this thread, if it has one."""
    return _local.participant


def become(participant: Participant | None) -> None:
    """Make this thread that participant."""
    global _is_controlled
    _local.participant = participant
    if threading.current_thread() is threading.main_thread():
        _is_controlled = participant is not None


def leave() -> None:
    """End this process at once, and the children that it has forked."""
    for child in list(vars(process)["_children"]):
        pid = getattr(child._popen, "pid", None)
        if pid is None or child._popen.method != "fork" or child._popen.returncode is not None:
            continue
        try:
            plain_kill(pid, signal.SIGKILL)
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


def _note_uncontrolled() -> None:
    thread = threading.current_thread().name
    file, line, _ = own_place(sys._getframe(2))
    place = f" ({os.path.basename(file)}, line {line})" if file else ""  # noqa: PTH119
    _uncontrolled.append(f"thread {thread}{place}")


def _forget_participants() -> None:
    # a child forked behind multiprocessing's back must not speak on its parent's link
    global _is_controlled
    for link in _links:
        link.close()
    _links.clear()
    _local.participant = None
    _is_controlled = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_participants)
