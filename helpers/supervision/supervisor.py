"""Supervision: a block of child processes ends within its deadline, leaves nothing, and says what went wrong.

    with supervised(deadline=5):
        child = ctx.Process(target=pipe.answer, args=(theirs,))
        child.start()
        ...

The code in the block is plain multiprocessing. A thread watches the children; when one fails or the deadline passes,
it asks each child where it is, ends them all, and interrupts the block with one `ProcessesFailed`.
"""

import _thread
import itertools
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import active_children, current_process, util
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from helpers import validate
from helpers.supervision import child_agent, finalizers, start_hooks
from helpers.supervision.child import Child, ProcessReport

__tracebackhide__ = True  # an instrument: never the place where somebody waits

LONGEST_DEADLINE = 3600.0  # seconds
_ANSWER_WITHIN = 0.3  # seconds for the children to say where they are, or to show that they failed
_DEATH_SHOWS_WITHIN = 2.0  # seconds from a broken line to the exit code of the child that broke it
_REAP_WITHIN = 0.5  # seconds for killed children to be gone
_NUDGE_EVERY = 0.2  # seconds between attempts to interrupt the block
# where there is no SIGALRM (Windows) the block is interrupted as Ctrl-C would do it
_NUDGE = getattr(signal, "SIGALRM", signal.SIGINT)


class ProcessesFailed(RuntimeError):
    """A supervised block failed: a child did, or the deadline passed. `reports` has one entry per process."""

    def __init__(self, reason: str, advice: str, reports: list[ProcessReport]) -> None:
        lines = [reason + ".", *(f"  - {report}" for report in reports), advice]
        lines += [f"{report.name} wrote:\n{report.errors}" for report in reports if report.failed and report.errors]
        super().__init__("\n".join(lines))
        self.reports = reports


def supervised(deadline: float = 5.0) -> "Family":
    """Return a block whose child processes end with it, all within `deadline` seconds (plus one).

    The block raises `ProcessesFailed` when a child ends with an exit code other than 0, at once, or when the deadline
    passes. At its end it waits for children that are still at work, and ends daemons, pools and managers.

    Raises TypeError or ValueError for a deadline that is not a number above 0 and at most 3600.
    """
    return Family(deadline)


def expect_failure(deadline: float = 2.0) -> "ExpectedFailure":
    """Return a supervised block that must fail; the failure is kept, to be printed, and not raised.

    A child that fails does not interrupt the block: the parent's code goes on until it ends or the deadline passes.

    Raises AssertionError when nothing failed; TypeError or ValueError as `supervised` does.
    """
    return ExpectedFailure(deadline)


def current_family() -> "Family | None":
    """Return the innermost supervised block that is running, if any."""
    return _families[-1] if _families else None


class Family:
    """The children of one supervised block."""

    def __init__(self, deadline: float) -> None:
        self.deadline = validate.seconds("deadline", deadline, LONGEST_DEADLINE)
        self.reports: list[ProcessReport] = []  # how each process ended, once the block is over
        self._children: list[Child] = []
        self._unborn: dict[BaseProcess, Child] = {}
        self._numbers = itertools.count()
        self._stopped_because: str | None = None
        self._parent_at: str | None = None
        self._closing = threading.Event()
        self._settling = False

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a supervised block runs in the main thread, where it can be interrupted; call it there")
        # children inherit this folder for their sockets; one that made its own could not remove it when it is killed
        util.get_temp_dir()
        self._registered = finalizers.registered()
        self._folder = tempfile.TemporaryDirectory(prefix="talking-processes-")
        self._wake, self._bell = socket.socketpair()
        self._end = time.monotonic() + self.deadline
        self._previous_handler = signal.signal(_NUDGE, _on_nudge)
        if _families:
            # a child belongs to the innermost block
            start_hooks.remove(_families[-1])
        start_hooks.install(self)
        _families.append(self)
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            error = self._see_to_end(error)
        finally:
            # whoever interrupts twice must not stop the tidying up
            interrupts = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                self._close()
            finally:
                signal.signal(signal.SIGINT, interrupts)
                # on Windows this is the same signal, so it comes last
                signal.signal(_NUDGE, self._previous_handler)
        return self._conclude(error)

    def settle(self) -> None:
        """Wait, within the deadline, until every child of the block has ended, save daemons, pools and managers."""
        while pending := [child for child in self._children if child.is_awaited and child.poll() is None]:
            wait([child.sentinel for child in pending], timeout=0.1)

    def _see_to_end(self, error: BaseException | None) -> BaseException | None:
        """Wait for what is still at work, and return the error that the block ends with."""
        self._settling = True
        try:
            if error is None:
                self.settle()
                finalizers.put_away(self._registered)
            elif isinstance(error, Exception):
                # the parent may learn of a dying child by an EOFError before its exit code can be seen
                is_broken_line = isinstance(error, EOFError | ConnectionError)
                self._let_failures_show(_DEATH_SHOWS_WITHIN if is_broken_line else _ANSWER_WITHIN)
        except (_Interrupted, KeyboardInterrupt) as interrupt:
            return error or interrupt
        finally:
            self._settling = False
        return error

    def _let_failures_show(self, seconds: float) -> None:
        until = min(time.monotonic() + seconds, self._end)
        while time.monotonic() < until and not self._failed():
            running = [child.sentinel for child in self._children if child.poll() is None]
            if not running:
                break
            wait(running, timeout=0.05)

    def _close(self) -> None:
        """Leave nothing: no child, no thread, no semaphore, no file; and the standard library as it was."""
        self._closing.set()
        self._ring()
        self._watcher.join()
        if any(child.is_awaited and child.poll() is None for child in self._children):
            self._ask_where()
        self._end_children()
        finalizers.put_away(self._registered)
        start_hooks.remove(self)
        _families.remove(self)
        if _families:
            start_hooks.install(_families[-1])
        self._write_reports()
        for resource in (*self._children, self._wake, self._bell):
            resource.close()
        self._folder.cleanup()

    def _write_reports(self) -> None:
        if self._parent_at:
            self.reports.append(ProcessReport(current_process().name, os.getpid(), None, True, self._parent_at))
        for child in self._children:
            self.reports.append(report := child.report())
            if report.errors and not child.has_failed():
                print(report.errors, file=sys.stderr)
        # multiprocessing forgets ended children only when asked for those that are alive
        active_children()

    def _conclude(self, error: BaseException | None) -> bool:
        """Raise what the block deserves; True when the error in hand is thereby dealt with."""
        if not self._is_foreign(error) and (failure := self._failure()):
            raise failure from (None if isinstance(error, _Interrupted) else error)
        return False

    def _is_foreign(self, error: BaseException | None) -> bool:
        """True for what is not this block's to judge: Ctrl-C, and the interruption of a block around it."""
        return isinstance(error, KeyboardInterrupt) or getattr(error, "family", self) is not self

    def _failure(self) -> ProcessesFailed | None:
        failed = self._failed()
        if failed:
            reason = f"{failed.process.name} failed" + (", and the block was stopped" if self._parent_at else "")
            return ProcessesFailed(reason, _MEND, self.reports)
        if self._stopped_because:
            return ProcessesFailed(self._stopped_because, _FIND, self.reports)
        return None

    def _failed(self) -> Child | None:
        return next((child for child in self._children if child.has_failed()), None)

    def before_start(self, process: BaseProcess) -> start_hooks.Call:
        """Prepare the line to the child, and its file for errors (see `start_hooks.StartHook`)."""
        child = Child(process, Path(self._folder.name) / str(next(self._numbers)))
        self._unborn[process] = child
        return child.setup()

    def after_start(self, process: BaseProcess) -> None:
        """Take the child into the family, unless it did not start (see `start_hooks.StartHook`)."""
        child = self._unborn.pop(process)
        if child.was_born():
            self._children.append(child)
            if self._stopped_because:
                child.kill()
            self._ring()

    def _ring(self) -> None:
        self._bell.send(b"!")

    def _watch(self) -> None:
        while not self._closing.is_set():
            if reason := self._trouble():
                self._stop(reason)
                return
            running = [child.sentinel for child in self._children if child.poll() is None]
            # looks now and then without being told: a grandchild may hold a dead child's sentinel open
            ready = wait([*running, self._wake], timeout=min(0.2, max(0.0, self._end - time.monotonic())))
            if self._wake in ready:
                self._wake.recv(100)

    def _trouble(self) -> str | None:
        if time.monotonic() >= self._end:
            return f"The block did not end within its deadline of {self.deadline:g} s"
        failed = self._failed()
        return failed and f"{failed.process.name} failed"

    def _stop(self, reason: str) -> None:
        """End the children, then interrupt the block until it listens."""
        self._parent_at = child_agent.where(sys._current_frames()[threading.main_thread().ident])
        self._ask_where()
        self._stopped_because = reason
        self._end_children()
        while not self._closing.is_set():
            # once is not enough: a signal that comes just before a blocking call does not wake it
            _nudge_main_thread()
            self._closing.wait(_NUDGE_EVERY)

    def _ask_where(self) -> None:
        running = [child for child in self._children if child.poll() is None]
        for child in running:
            child.ask_where()
        self._each_within(_ANSWER_WITHIN, [child.hear_where for child in running])

    def _end_children(self) -> None:
        end_pool_threads = finalizers.stop_pools(self._registered)
        for child in self._children:
            child.kill()
        self._each_within(_REAP_WITHIN, [child.reap for child in self._children])
        for end_threads in end_pool_threads:
            end_threads()

    @staticmethod
    def _each_within(seconds: float, waits: list[Callable[[float], None]]) -> None:
        until = time.monotonic() + seconds
        for wait_for in waits:
            wait_for(max(0.01, until - time.monotonic()))

    def _may_be_interrupted(self, frame: FrameType | None) -> bool:
        """False while this or an inner block is being put away."""
        while frame is not None:
            if frame.f_code in (Family.__enter__.__code__, Family.__exit__.__code__):
                return frame.f_locals["self"]._settling
            frame = frame.f_back
        return True


class ExpectedFailure(Family):
    """A supervised block that must fail. Print it to read how; `error` is the exception that was kept."""

    error: BaseException | None = None

    def __str__(self) -> str:
        if isinstance(self.error, ProcessesFailed):
            return "\n".join(map(str, self.error.reports))
        return f"{type(self.error).__name__}: {self.error}" if self.error else "nothing has failed"

    def _trouble(self) -> str | None:
        return super()._trouble() if time.monotonic() >= self._end else None

    def _conclude(self, error: BaseException | None) -> bool:
        if self._is_foreign(error):
            return False
        self.error = self._failure() or error
        if self.error is None:
            raise AssertionError("a failure was expected here, but every process ended with exit code 0")
        return isinstance(self.error, Exception)


class _Interrupted(BaseException):
    """Thrown into a block that has to end; not an Exception, so that no `except` in the block keeps it."""

    def __init__(self, family: Family) -> None:
        super().__init__()
        self.family = family


_families: list[Family] = []

_MEND = "Next: mend the error, or say that it is expected: with expect_failure() as failure: ..."
_FIND = "Next: find out from these lines who waits for whom; work that only needs longer gets a longer deadline."


def _on_nudge(number: int, frame: FrameType | None) -> Any:
    stopped = next((f for f in _families if f._stopped_because and not f._closing.is_set()), None)
    if stopped is None:
        # a Ctrl-C of the user's, where that is what nudges too
        previous = _families[0]._previous_handler if _families else None
        return previous(number, frame) if callable(previous) else None
    if stopped._may_be_interrupted(frame):
        raise _Interrupted(stopped)
    return None


def _nudge_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, _NUDGE)
    else:
        _thread.interrupt_main(_NUDGE)
