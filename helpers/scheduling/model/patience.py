"""An end to code that computes for ever: an exception in its thread, whichever that is, on every system."""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

_EVERY = 0.25  # seconds from one look of the watch to the next

Result = TypeVar("Result")


class LostPatience(BaseException):
    """Thrown into a thread that has computed for too long."""


class _Watch:
    """Looks at one thread, from another one, and throws where it stays for too long."""

    def __init__(self) -> None:
        self.watched = threading.get_ident()
        self.until: float | None = None  # on the clock of time.monotonic; None: not watching
        self._lock = threading.Lock()
        self._has_thrown = False
        self._is_looking = False

    def begin(self, seconds: float) -> None:
        with self._lock:
            self.until, self._has_thrown = time.monotonic() + seconds, False
            if not self._is_looking:
                self._is_looking = _started(self._look)

    def end(self) -> None:
        self.until = None
        with self._lock:
            if self._has_thrown:
                # what is still on its way comes too late
                _throw(self.watched, None)

    def _look(self) -> None:
        was_idle = False
        while True:
            time.sleep(_EVERY)
            with self._lock:
                if self.until is None and was_idle:
                    self._is_looking = False
                    return
                was_idle = self.until is None
                if self.until is not None and time.monotonic() > self.until:
                    # once more after a while, for code that catches everything
                    self._has_thrown, self.until = True, time.monotonic() + 1
                    _throw(self.watched, LostPatience)


def _started(target: Callable[[], None]) -> bool:
    try:
        threading.Thread(target=target, name="watch over a worker", daemon=True).start()
    except RuntimeError:
        # a Python without threads, as in a browser: there the page can be closed
        return False
    return True


def _throw(thread: int, error: type[BaseException] | None) -> None:
    what = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)


_watches = threading.local()
if hasattr(os, "register_at_fork"):
    # the thread that looks is not there in a child
    os.register_at_fork(after_in_child=_watches.__dict__.clear)


def within(seconds: float, action: Callable[[], Result]) -> Result:
    """Return what the action returns; throw LostPatience into it, at a line of Python, when it takes longer.

    A call into C is not ended before it returns.
    """
    if "watch" not in _watches.__dict__:
        _watches.watch = _Watch()
    watch: _Watch = _watches.watch
    try:
        try:
            watch.begin(seconds)
            return action()
        finally:
            watch.end()
    except LostPatience:
        # it may have come while the watch was being ended
        watch.until = None
        raise
