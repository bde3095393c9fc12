"""Supervision: a block of child processes ends within its deadline, leaves nothing, and says what went wrong.

    with supervised(deadline=5):
        child = ctx.Process(target=pipe.answer, args=(theirs,))
        child.start()
        ...

The code in the block is plain multiprocessing. A thread watches the children; when one fails or the deadline passes,
it asks each child where it is, ends them all, and interrupts the block with one `ProcessesFailed`.
"""

import itertools
import os
import re
import shutil
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from multiprocessing import active_children, current_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Self

from helpers import validate
from helpers.supervision import child_agent, finalizers, interrupts, start_hooks
from helpers.supervision.child import Child, ProcessReport
from helpers.supervision.kept import KeptChildren
from helpers.supervision.runtime_folder import runtime_folder
from helpers.supervision.start_hooks import PUT_INTO_A_FILE

__tracebackhide__ = True  # an instrument: never the place where somebody waits

MAX_DEADLINE = 3600.0  # seconds
_ANSWER_WITHIN = 0.3  # seconds for the children to say where they are, or to show that they failed
_DEATH_SHOWS_WITHIN = 2.0  # seconds from a broken line to the exit code of the child that broke it
_REAP_WITHIN = 0.5  # seconds for killed children to be gone
_NUDGE_EVERY = 0.05  # seconds between attempts to interrupt the block


class ProcessesFailed(RuntimeError):
    """A supervised block failed: a child did, or the deadline passed. `reports` has one entry per process."""

    def __init__(self, reason: str, advice: str, reports: list[ProcessReport]) -> None:
        lines = [reason + ".", *(f"  - {report}" for report in reports), advice]
        lines += [f"{report.name} wrote:\n{report.errors}" for report in reports if report.failed and report.errors]
        super().__init__("\n".join(lines))
        self.reports = reports


def supervised(deadline: float = 5.0) -> "Supervisor":
    """Return a block whose child processes end with it, all within `deadline` seconds (plus one).

    The block raises `ProcessesFailed` when a child ends with an exit code other than 0, at once, or when the deadline
    passes. At its end it waits for children that are still at work, and ends daemons, pools, executors and managers.
    Ctrl-C ends it too: everything is put away, and one KeyboardInterrupt is raised.

    Raises TypeError or ValueError for a deadline that is not a number above 0 and at most 3600.
    """
    return Supervisor(deadline)


def expect_failure(deadline: float = 2.0) -> "ExpectedFailure":
    """Return a supervised block that must fail; the failure is kept, to be printed, and not raised.

    A child that fails does not interrupt the block: the parent's code goes on until it ends or the deadline passes.

    Raises AssertionError when nothing failed; TypeError or ValueError as `supervised` does.
    """
    return ExpectedFailure(deadline)


def current_supervisor() -> "Supervisor | None":
    """Return the supervisor of the innermost block that is running, if any."""
    return _supervisors[-1] if _supervisors else None


class Supervisor(interrupts.Block):
    """Looks after the children of one block."""

    def __init__(self, deadline: float) -> None:
        self.deadline = validate.seconds("deadline", deadline, MAX_DEADLINE)
        self.reports: list[ProcessReport] = []  # how each process ended, once the block is over
        self._children: list[Child] = []
        self._starting: dict[BaseProcess, Child] = {}
        self._numbers = itertools.count()
        self._kept: list[KeptChildren] = []  # that were taken in
        self._has_let_go = False  # children whose files are in its folder
        self._turn = threading.Lock()  # to let children go, or to end them
        self._stopped_because: str | None = None
        self._parent_at: str | None = None
        self._closing = threading.Event()

    def _open(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a supervised block runs in the main thread, where it can be interrupted; call it there")
        with ExitStack() as undo:
            self._folder = runtime_folder() / str(next(_block_numbers))
            self._folder.mkdir()
            undo.callback(self._remove_folder)
            self._registered = finalizers.registered()
            self._wake, self._bell = socket.socketpair()
            self._bell.setblocking(False)
            undo.enter_context(self._wake)
            undo.enter_context(self._bell)
            self._end_at = time.monotonic() + self.deadline
            self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
            self._watcher.start()
            undo.callback(self._end_watcher)
            self._take_over(undo)
            self._undo = undo.pop_all()
        return self

    def _remove_folder(self) -> None:
        if not self._has_let_go:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _take_over(self, undo: ExitStack) -> None:
        """Be the innermost block, the one to which children belong, until it is undone."""
        outer = current_supervisor()
        if outer:
            start_hooks.remove(outer)
            undo.callback(start_hooks.install, outer)
        start_hooks.install(self)
        undo.callback(start_hooks.remove, self)
        _supervisors.append(self)
        undo.callback(_supervisors.remove, self)
        interrupts.add(self)
        undo.callback(interrupts.remove, self)

    def _end(self, error: BaseException | None) -> bool:
        if error is None:
            self.wait_for_children()
            if not self._must_end():
                interrupts.gives_way(self._put_away)
        elif isinstance(error, Exception):
            # the parent may learn of a dying child by an EOFError before its exit code can be seen
            is_broken_line = isinstance(error, EOFError | ConnectionError)
            self._let_failures_show(_DEATH_SHOWS_WITHIN if is_broken_line else _ANSWER_WITHIN)
        self._close()
        return self._conclude(error)

    def wait_for_children(self) -> None:
        """Wait until every child of the block has ended, save daemons and servers, or the block must end."""
        while not self._must_end():
            pending = [child for child in self._children if child.is_awaited and child.poll() is None]
            if not pending:
                break
            wait([child.sentinel for child in pending], timeout=0.1)

    def _put_away(self) -> None:
        finalizers.finish_executors(self._registered)
        finalizers.put_away(self._registered)

    def _must_end(self) -> bool:
        return interrupts.is_waiting() or any(supervisor._stopped_because for supervisor in _supervisors)

    def _let_failures_show(self, seconds: float) -> None:
        until = min(time.monotonic() + seconds, self._end_at)
        while time.monotonic() < until and not self._failed():
            running = [child.sentinel for child in self._children if child.poll() is None]
            if not running:
                break
            wait(running, timeout=0.05)

    def _close(self) -> None:
        """Leave nothing: no child, no thread, no semaphore, no file; and the standard library as it was."""
        with self._undo:
            self._end_watcher()
            if any(child.is_awaited and child.poll() is None for child in self._children):
                self._ask_where()
            self._end_children()
            finalizers.put_away(self._registered)
            self._write_reports()
            for child in self._children:
                child.close()
            for kept in self._kept:
                kept.put_away()

    def _end_watcher(self) -> None:
        self._closing.set()
        self.wake()
        self._watcher.join()

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
        if isinstance(error, _Stopped) and (interrupt := _interrupt_before(error)):
            raise interrupt from None
        if self._is_of_others(error):
            return False
        if failure := self._failure():
            if error is not None:
                # a message that was on its way stays in its frames, and Python 3.12.1 crashes when it collects those
                traceback.clear_frames(error.__traceback__)
            raise failure from (None if isinstance(error, _Stopped) else error)
        return False

    def _is_of_others(self, error: BaseException | None) -> bool:
        """True when Ctrl-C ends the block, or the end of a block around it; raise the latter if nobody has yet."""
        if isinstance(error, KeyboardInterrupt) or interrupts.is_waiting():
            return True
        outer = next((supervisor for supervisor in _supervisors if supervisor._stopped_because), None)
        if outer and not isinstance(error, _Stopped):
            raise _Stopped(outer) from None
        return getattr(error, "supervisor", self) is not self

    def _failure(self) -> ProcessesFailed | None:
        failed = self._failed()
        if failed:
            reason = f"{failed.process.name} failed" + (", and the block was stopped" if self._parent_at else "")
            errors = "".join(report.errors for report in self.reports)
            return ProcessesFailed(reason, PUT_INTO_A_FILE if _NOT_IN_A_FILE.search(errors) else _MEND, self.reports)
        if self._stopped_because:
            return ProcessesFailed(self._stopped_because, _FIND, self.reports)
        return None

    def _failed(self) -> Child | None:
        return next((child for child in self._children if child.has_failed()), None)

    def before_start(self, process: BaseProcess) -> start_hooks.Call:
        """Prepare the line to the child, and its file for errors (see `start_hooks.StartHook`)."""
        # the socket of a manager that is killed goes with the block
        vars(process)["_config"]["tempdir"] = str(self._folder)
        child = self._starting[process] = Child(process, self._folder / str(next(self._numbers)))
        return child.setup()

    def after_start(self, process: BaseProcess) -> None:
        """Take charge of the child, unless it did not start (see `start_hooks.StartHook`)."""
        child = self._starting.pop(process)
        if process.pid is None:
            child.note_failed_start()
            return
        child.note_start()
        self._children.append(child)
        if self._stopped_because:
            child.kill()
        self.wake()

    @interrupts.in_one_piece
    def take_in(self, kept: KeptChildren) -> None:
        """Take charge of children that another supervisor has let go."""
        with self._turn:
            self._kept.append(kept)
            self._children += kept.children
            if self._stopped_because:
                for child in kept.children:
                    child.kill()
        self.wake()

    @interrupts.in_one_piece
    def let_go(self) -> KeptChildren | None:
        """Let all children outlive the block, with what was made in it; None when they are being ended."""
        with self._turn:
            if self._stopped_because:
                return None
            taken_in = frozenset().union(*(kept.made for kept in self._kept))
            kept = KeptChildren(self._children, finalizers.made_since(self._registered) | taken_in)
            self._has_let_go = any(child.folder == self._folder for child in self._children)
            self._children, self._kept, self._registered = [], [], finalizers.registered()
        return kept

    @interrupts.in_one_piece
    def give_back(self, kept: KeptChildren) -> bool:
        """Undo `take_in`; False when they are being ended."""
        with self._turn:
            if self._stopped_because:
                return False
            self._children = [child for child in self._children if child not in kept.children]
            self._kept.remove(kept)
        return True

    def wake(self) -> None:
        """Let the watcher look at once (see `interrupts.Listener`)."""
        # full of calls that it has not heard yet, or closed
        with suppress(OSError):
            self._bell.send(b"!")

    def reason_to_stop(self) -> "_Stopped | None":
        """Return what ends the code in the block, once it has to end (see `interrupts.Listener`)."""
        return _Stopped(self) if self._stopped_because and not self._closing.is_set() else None

    def _watch(self) -> None:
        while not self._closing.is_set():
            if reason := self._trouble():
                self._stop(reason)
                return
            if interrupts.is_waiting():
                interrupts.nudge()
            running = [child.sentinel for child in self._children if child.poll() is None]
            # looks now and then without being told: a grandchild may hold a dead child's sentinel open
            pause = _NUDGE_EVERY if interrupts.is_waiting() else 0.2
            ready = wait([*running, self._wake], timeout=min(pause, max(0.0, self._end_at - time.monotonic())))
            if self._wake in ready:
                self._wake.recv(100)

    def _trouble(self) -> str | None:
        if time.monotonic() >= self._end_at:
            return f"The block did not end within its deadline of {self.deadline:g} s"
        failed = self._failed()
        return f"{failed.process.name} failed" if failed else None

    def _stop(self, reason: str) -> None:
        """End the children, then interrupt the block until it listens."""
        self._parent_at = child_agent.where_main_thread_is()
        self._ask_where()
        with self._turn:
            self._stopped_because = reason
        self._end_children()
        while not self._closing.is_set():
            # once is not enough: a signal that comes just before a blocking call does not wake it
            interrupts.nudge()
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


class ExpectedFailure(Supervisor):
    """A supervised block that must fail. Print it to read how; `error` is the exception that was kept."""

    error: BaseException | None = None

    def __str__(self) -> str:
        if isinstance(self.error, ProcessesFailed):
            return "\n".join(map(str, self.error.reports))
        return f"{type(self.error).__name__}: {self.error}" if self.error else "nothing has failed"

    def _trouble(self) -> str | None:
        return super()._trouble() if time.monotonic() >= self._end_at else None

    def _conclude(self, error: BaseException | None) -> bool:
        if self._is_of_others(error):
            return False
        self.error = self._failure() or error
        if self.error is None:
            raise AssertionError("a failure was expected here, but every process ended with exit code 0")
        return isinstance(self.error, Exception)


class _Stopped(BaseException):
    """Thrown into a block that has to end; not an Exception, so that no `except` in the block keeps it."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__()
        self.supervisor = supervisor


def _interrupt_before(stop: _Stopped) -> KeyboardInterrupt | None:
    """Return the Ctrl-C that was ending the block already, when it was stopped while its code cleaned up."""
    error = stop.__context__
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


_supervisors: list[Supervisor] = []  # the outermost first
_block_numbers = itertools.count()

_MEND = "Next: mend the error, or say that it is expected: with expect_failure() as failure: ..."
_FIND = "Next: find out from these lines who waits for whom; work that only needs longer gets a longer deadline."
# what a child says that cannot find its worker: a cell or the console defines it, not a file
_NOT_IN_A_FILE = re.compile(r"Can't get attribute '\w+' on <module '__main__'")
