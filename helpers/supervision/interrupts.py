"""Interrupts: Ctrl-C waits while an instrument opens or closes, and is never lost.

A KeyboardInterrupt may appear between any two steps of Python. Where it would leave a block half open, the code is
masked: the signal is noted, and raised as soon as the masked code is over. Whether code is masked is read off the stack
when the signal arrives, so there is no moment at which a mask is not yet, or no longer, in place.
"""

import _thread
import contextlib
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from multiprocessing import util
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# what interrupts the main thread; where there is no SIGALRM (Windows) it is done as Ctrl-C would do it
NUDGE = getattr(signal, "SIGALRM", signal.SIGINT)

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class Listener(Protocol):
    """An open block that wants to know of interrupts, and that may have to stop the code in it."""

    def wake(self) -> None:
        """Take note, soon, that an interrupt waits; called from the signal handler."""

    def reason_to_stop(self) -> BaseException | None:
        """Return what is to be thrown into the main thread now, if anything."""


class Block:
    """A `with` block whose opening (`_open`) and closing (`_end`) no Ctrl-C cuts in two.

    In a thread other than the main one, where no signal arrives, it is an ordinary block.
    """

    def __enter__(self) -> Any:
        _signals.take()
        try:
            return self._open()
        except BaseException:
            _signals.give_back()
            _signals.raise_what_waited()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        try:
            return self._end(error)
        finally:
            _signals.give_back()
            _signals.raise_what_waited()

    def _open(self) -> Any:
        raise NotImplementedError

    def _end(self, error: BaseException | None) -> bool | None:
        raise NotImplementedError


class _GeneratorBlock(Block):
    def __init__(self, inner: contextlib.AbstractContextManager[Any]) -> None:
        self._inner = inner

    def _open(self) -> Any:
        return self._inner.__enter__()

    def _end(self, error: BaseException | None) -> bool | None:
        return self._inner.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


def uninterrupted_block(function: Callable[P, Generator[Y]]) -> Callable[P, contextlib.AbstractContextManager[Y]]:
    """Make a generator function a `with` block as `contextlib.contextmanager` does, opened and closed in one piece."""
    plain = contextlib.contextmanager(function)

    @functools.wraps(function)
    def make(*args: P.args, **kwargs: P.kwargs) -> Any:
        return _GeneratorBlock(plain(*args, **kwargs))

    return make


def uninterrupted(function: Callable[P, R], patience: float = float("inf")) -> Callable[P, R]:
    """Make a function one that no Ctrl-C cuts in two, unless it lasts longer than `patience` seconds."""

    @functools.wraps(function)
    def masked(*args: P.args, **kwargs: P.kwargs) -> R:
        patient_until = time.monotonic() + patience
        _signals.take()
        try:
            return function(*args, **kwargs)
        finally:
            del patient_until  # from here on there is no end of patience
            _signals.give_back()
            _signals.raise_what_waited()

    _MASKED.add(masked.__code__)  # type: ignore[attr-defined]  # `wraps` leaves it a function
    return masked


def in_one_piece(function: Callable[P, R]) -> Callable[P, R]:
    """Let no Ctrl-C cut a function in two while a block is open; it is raised soon after."""
    _MASKED.add(function.__code__)
    return function


def gives_way(call: Callable[[], object]) -> bool:
    """Run a Python function in masked code; return True when an interrupt or a deadline cut it short."""
    try:
        call()
    except _GivenUp:
        return True
    return False


def is_waiting() -> bool:
    """Tell whether a Ctrl-C waits for masked code to end."""
    return _signals.waiting


def add(listener: Listener) -> None:
    """Let a block take part until `remove`; called in masked code."""
    _signals.listeners.append(listener)


def remove(listener: Listener) -> None:
    """Undo `add`."""
    _signals.listeners.remove(listener)


def nudge() -> None:
    """Wake the main thread, from another one, so that it raises what waits."""
    _signals.nudge()


class _GivenUp(BaseException):
    """Thrown into a call that gives way."""


_MASKED: set[CodeType] = {Block.__enter__.__code__, Block.__exit__.__code__}
_CONTEXTLIB = contextlib.contextmanager.__code__.co_filename
# functions of multiprocessing, by file and name: half a pool would go on starting workers, and a semaphore or segment
# that has its name but is not registered yet would stay in the system
_WHOLE = {
    (str(Path(util.__file__).with_name(file)), name)
    for file, name in [
        ("pool.py", "__init__"),
        ("synchronize.py", "__init__"),
        ("shared_memory.py", "__init__"),
        ("shared_memory.py", "unlink"),
    ]
}
_FINALIZERS_TAKE = 1.0  # seconds, no longer


class _Signals:
    """Holds the signals of the main thread, from the first user to the last: each is noted, and raised when it may be.

    Its users are the blocks that are open, and the masked functions under way.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.waiting = False  # a Ctrl-C that is noted and not yet raised
        self._users = 0
        self._previous: dict[int, Any] = {}  # what the signals did before
        self._previous_hook: Callable[[Any], object] = sys.unraisablehook
        self._nudged = False  # the next signal is ours, not a Ctrl-C
        self._spared_since: float | None = None  # since when an interrupt or a stop waits for a finalizer

    def take(self) -> None:
        """Have the signals for one more user; in other threads than the main one, where none arrives, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            return
        if self._users == 0:
            # first the signal that others send: from here on it is noted
            self._previous[signal.SIGINT] = signal.signal(signal.SIGINT, self._handle) or signal.SIG_DFL
            if NUDGE != signal.SIGINT:
                self._previous[NUDGE] = signal.signal(NUDGE, self._handle)
            self._hear_of_swallowed()
        self._users += 1

    def give_back(self) -> None:
        """Undo `take`; after the last user the signals do what they did before."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._users -= 1
        if self._users == 0:
            self._spared_since = None
            signal.signal(NUDGE, self._previous[NUDGE])
            signal.signal(signal.SIGINT, self._previous[signal.SIGINT])

    def nudge(self) -> None:
        """Send the main thread a signal that is no Ctrl-C."""
        self._nudged = NUDGE == signal.SIGINT
        _send(NUDGE)

    def raise_what_waited(self) -> None:
        """Raise the interrupt that the calling code held back, unless code around it has to hold it back too."""
        caller = sys._getframe(1).f_back
        if not self.waiting or threading.current_thread() is not threading.main_thread():
            return
        self._note_finalizer(caller)
        if not self._spares_a_finalizer() and not _is_masked(caller):
            self._interrupt(caller)

    def forget(self) -> None:
        """In a forked child: the blocks are the parent's."""
        self.listeners.clear()
        if self._users:
            for number, handler in self._previous.items():
                signal.signal(number, handler)
        self._users, self.waiting = 0, False

    @in_one_piece  # of two signals at once, the first that is handled decides
    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and not self._nudged:
            self._note_interrupt()
        self._nudged = False
        self._note_finalizer(frame)
        if self._spares_a_finalizer():
            return
        reasons = (listener.reason_to_stop() for listener in self.listeners)
        reason = next(filter(None, reasons), None)
        if not _is_between_steps(frame) and not _is_masked(frame):
            if self.waiting:
                self._interrupt(frame)
            if reason:
                raise reason
        elif (self.waiting or reason) and _is_in_a_call_that_gives_way(frame):
            raise _GivenUp

    def _note_interrupt(self) -> None:
        self.waiting = True
        for listener in self.listeners:
            listener.wake()

    def _hear_of_swallowed(self) -> None:
        """Stand in the hook for what Python swallows, and stay: what a block has used may be collected after it."""
        if sys.unraisablehook != self._raise_swallowed:
            self._previous_hook, sys.unraisablehook = sys.unraisablehook, self._raise_swallowed

    @in_one_piece  # what is raised in this hook is swallowed too
    def _raise_swallowed(self, ignored: Any) -> None:
        """Raise again what Python ignores where objects are collected (see `sys.unraisablehook`)."""
        if not isinstance(ignored.exc_value, KeyboardInterrupt):
            self._previous_hook(ignored)
        elif self._users:
            self._note_interrupt()
        else:
            # not a `threading.Thread`, for the begin of which the hook would wait
            _thread.start_new_thread(_interrupt_after, (self._raise_swallowed.__code__,))

    def _interrupt(self, frame: FrameType | None) -> None:
        """Do what Ctrl-C did before; usually raise KeyboardInterrupt."""
        self.waiting = False
        previous = self._previous[signal.SIGINT]
        try:
            if callable(previous):
                previous(signal.SIGINT, frame)
            elif previous == signal.SIG_DFL:
                raise KeyboardInterrupt
        except BaseException as interrupt:
            # whatever else was under way ends with it; one error is enough
            raise interrupt from None

    def _note_finalizer(self, frame: FrameType | None) -> None:
        now = time.monotonic()
        self._spared_since = (self._spared_since or now) if _is_in_a_finalizer(frame) else None

    def _spares_a_finalizer(self) -> bool:
        """Tell whether an object is being put away, which half done would be forgotten. What takes long is given up."""
        return self._spared_since is not None and time.monotonic() < self._spared_since + _FINALIZERS_TAKE


def _interrupt_after(function: CodeType) -> None:
    """Send the main thread a Ctrl-C, from another one, as soon as it has left a function."""
    main = threading.main_thread().ident or 0
    while _is_in(function, sys._current_frames().get(main)):
        time.sleep(0.001)
    _send(signal.SIGINT)


def _send(number: int) -> None:
    """Send the main thread a signal."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        # `_thread.interrupt_main` would not wake a blocked call on Windows
        signal.raise_signal(number)


def _is_in(function: CodeType, frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code is not function:
        frame = frame.f_back
    return frame is not None


def _is_in_a_finalizer(frame: FrameType | None) -> bool:
    """Tell whether an object is being put away: that is whenever it is collected, where Python swallows an error."""
    finalize = util.Finalize.__call__.__code__
    while frame is not None:
        if frame.f_code is finalize or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _is_between_steps(frame: FrameType | None) -> bool:
    """Tell whether a block of `contextlib.contextmanager` is about to be entered or left, or the code is at no line.

    IPython cannot show a traceback through a frame without a line (`frame.f_lineno` may be None).
    """
    return frame is not None and (frame.f_code.co_filename == _CONTEXTLIB or frame.f_lineno is None)


def _is_masked(frame: FrameType | None) -> bool:
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_code.co_name) in _WHOLE:
            return True
        if frame.f_code in _MASKED:
            return time.monotonic() < frame.f_locals.get("patient_until", float("inf"))
        frame = frame.f_back
    return False


def _is_in_a_call_that_gives_way(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_back is not None and frame.f_code not in _MASKED:
        caller = frame.f_back
        # in the call, not merely in `gives_way`, which cannot catch everywhere
        if caller.f_code is gives_way.__code__ and frame.f_code is caller.f_locals["call"].__code__:
            return True
        frame = caller
    return False


_signals = _Signals()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_signals.forget)
