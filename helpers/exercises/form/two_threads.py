"""Two calls in two threads, where the first is stopped before each of its lines, one after the other.

A manager serves each caller in a thread of its own, and there control does not reach. While the first call is stopped,
the second is made as far as it gets: to its end, or to a lock that the first holds. So what comes of them is no luck.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any

__tracebackhide__ = True  # an instrument: never the place where somebody waits

Call = Callable[[], Any]
_OUT_OF_SIGHT = 5.0  # s until a call that says nothing is taken for one that waits for a lock of another kind


@dataclass
class Course:
    """What came of two calls: what each returned, or that they wait for ever."""

    line: int  # before which the first was stopped; 0 if it was not
    results: tuple[Any, ...] = ()
    hangs: bool = False


def courses(make: Callable[[], tuple[Call, Call]], file: str) -> Iterator[Course]:
    """Yield a course for each line of `file` that the first call comes to; `make` returns a fresh pair of calls."""
    number = 0
    while True:
        number += 1
        course = _perform(*make(), file, number)
        yield course
        if not course.line or course.hangs:
            return


def one_after_the_other(make: Callable[[], tuple[Call, Call]], file: str) -> list[Course]:
    """Return what comes of the calls when nobody is stopped, in both orders."""
    one, other = make()
    forwards = _perform(one, other, file, sys.maxsize)
    one, other = make()
    backwards = _perform(other, one, file, sys.maxsize)
    return [forwards, Course(0, backwards.results[::-1], backwards.hangs)]


@contextmanager
def watched_locks() -> Iterator[None]:
    """Let the locks that are made in this block say who waits for them."""
    before = threading.Lock, threading.RLock
    vars(threading).update(Lock=_Lock, RLock=partial(_Lock, is_reentrant=True))
    try:
        yield
    finally:
        vars(threading).update(Lock=before[0], RLock=before[1])


def _perform(one: Call, other: Call, file: str, number: int) -> Course:
    """Make two calls, the first of which is stopped before its line of that number."""
    said: SimpleQueue[str] = SimpleQueue()
    first, second = _Caller(one, file, said, number), _Caller(other, file, said)
    for caller in (first, second):
        caller.start()
        _hear(said)
    first.go_on.release()
    while not (first.has_ended and second.has_ended):
        if _are_stuck(first, second) or not _hear(said):
            return Course(first.line, hangs=True)
    return Course(first.line, (first.result, second.result))


def _hear(said: "SimpleQueue[str]") -> bool:
    """Wait until a caller has been stopped, waits for a lock, or has ended; False when none says so."""
    try:
        return bool(said.get(timeout=_OUT_OF_SIGHT))
    except Empty:
        return False


def _are_stuck(*callers: "_Caller") -> bool:
    """Tell whether all who have not ended wait for what is held by one who gives nothing back any more."""
    waiting = [caller for caller in callers if not caller.has_ended]
    holders = [caller.waits_for.holder if caller.waits_for else None for caller in waiting]
    return all(holder and (holder.has_ended or holder.waits_for) for holder in holders)


@dataclass(eq=False)
class _Caller:
    """A thread that makes one call, and says when it is stopped, waits, or has ended."""

    call: Call
    file: str
    said: "SimpleQueue[str]"
    stops_at: int = 0
    line: int = 0  # where it was stopped
    result: Any = None
    waits_for: "_Lock | None" = None
    has_ended: bool = False
    go_on: Any = field(default_factory=lambda: threading.Semaphore(0))
    _lines: int = 0

    def start(self) -> None:
        """Begin with the call."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        _here.caller = self
        if self.stops_at:
            sys.settrace(self._enter)
        try:
            self.result = self.call()
        except Exception as error:
            self.result = repr(error)
        finally:
            sys.settrace(None)
            self.has_ended = True
            self.said.put("ended")

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._look if frame.f_code.co_filename == self.file else None

    def _look(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._lines += 1
            if self._lines == self.stops_at:
                self.line = frame.f_lineno
                self.said.put("stopped")
                self.go_on.acquire()
        return self._look


class _Lock:
    """Stands in for `threading.Lock`: who has to wait for it says so."""

    def __init__(self, is_reentrant: bool = False) -> None:
        self._inner = _plain_lock()
        self._depth = 0
        self.is_reentrant = is_reentrant
        self.holder: _Caller | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it (see `threading.Lock.acquire`)."""
        caller = getattr(_here, "caller", None)
        if self.is_reentrant and self._depth and self.holder is caller:
            self._depth += 1
            return True
        if not self._inner.acquire(False):
            if not blocking or timeout >= 0:
                # its time may run out, whatever it is
                return False
            if caller:
                caller.waits_for = self
                caller.said.put("waits")
            self._inner.acquire()
            if caller:
                caller.waits_for = None
        self.holder, self._depth = caller, 1
        return True

    def release(self) -> None:
        """Give it back (see `threading.Lock.release`)."""
        self._depth -= 1
        if self._depth <= 0:
            self.holder = None
            self._inner.release()

    def locked(self) -> bool:
        """Tell whether somebody holds it."""
        return self._inner.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


_plain_lock = threading.Lock
_here = threading.local()
