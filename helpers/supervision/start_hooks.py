"""Let an instrument run code inside every process that a block starts, without touching the block.

Under spawn and forkserver a child first unpickles its `Process` object: the instrument travels as that object's
first attribute, so it is in place before the target and its arguments are unpickled. Under fork nothing is
unpickled, and the same setup runs from multiprocessing's own after-fork registry.
"""

import os
import pickle
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import current_process, get_start_method, util
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from helpers.supervision import interrupts, own_session

__tracebackhide__ = True  # an instrument: never the place where somebody waits

Call = tuple[Callable[..., object], tuple[Any, ...]]


PUT_INTO_A_FILE = (
    "Next: write the worker with `def` into a file of its own, and import it from there. "
    "A child process finds its worker by name, and cannot see what a cell defines."
)
# the second is how Python 3.13 says it of what is defined in a function
_NOT_FOUND_BY_NAME = re.compile("pickle|local object")


class StartHook(Protocol):
    """What an instrument does around the start of each process."""

    def before_start(self, process: BaseProcess) -> Call:
        """Run in the parent; return the call (an importable function and its arguments) that the child makes."""

    def after_start(self, process: BaseProcess) -> None:
        """Run in the parent once `start` has returned or raised; `process.pid` is None if it raised."""


def install(hook: StartHook) -> None:
    """Call the hook for every process that this process starts from now on."""
    _hooks.append(hook)
    BaseProcess.start = _uninterrupted_start  # type: ignore[method-assign, assignment]


def remove(hook: StartHook) -> None:
    """Undo `install`; after the last hook `BaseProcess.start` is the original again."""
    _hooks.remove(hook)
    if not _hooks:
        BaseProcess.start = _plain_start  # type: ignore[method-assign]


_hooks: list[StartHook] = []
_plain_start = BaseProcess.start


class _ChildSetup:
    """The calls that a child makes before anything else: pickled first, or registered to run after a fork."""

    def __init__(self, calls: list[Call], process: BaseProcess, unblock: bool) -> None:
        self.calls = calls
        self.process = process
        self.unblock = unblock

    def __reduce__(self) -> tuple[Callable[..., None], tuple[list[Call], bool]]:
        return _make, (self.calls, self.unblock)

    def run_after_fork(self) -> None:
        # the registry is inherited by grandchildren too; only the child itself is meant
        if current_process() is self.process:
            # hooks inherited by the fork are the parent's; the calls install the child's own
            _hooks.clear()
            _make(self.calls, self.unblock)


def _make(calls: list[Call], unblock: bool) -> None:
    for function, arguments in calls:
        function(*arguments)
    if unblock:
        let_interrupts_through()


def _start(process: BaseProcess) -> None:
    if vars(process)["_popen"] is not None or vars(process)["_closed"]:
        # multiprocessing says best that a process starts only once
        return _plain_start(process)
    hooks = list(_hooks)
    with _interrupts_blocked() as blocked:
        if (getattr(process, "_start_method", None) or get_start_method()) == "forkserver":
            # it starts deaf to Ctrl-C too, and the children that it forks later shall not be
            own_session.start_forkserver(*["helpers.supervision.hear_interrupts"] * blocked)
        setup = _ChildSetup([hook.before_start(process) for hook in hooks], process, blocked)
        _put_first(process, setup)
        util.register_after_fork(setup, _ChildSetup.run_after_fork)
        try:
            _plain_start(process)
        except BaseException as error:
            _end_half_started(error)
            if isinstance(error, pickle.PicklingError | AttributeError) and _NOT_FOUND_BY_NAME.search(str(error)):
                error.add_note(PUT_INTO_A_FILE)
            raise
        finally:
            # without this reference the registry, which is weak, forgets the setup
            del process.__dict__["_setup"]
            for hook in hooks:
                hook.after_start(process)


# writing to a child that does not read may take for ever
_uninterrupted_start = interrupts.uninterrupted(_start, patience=1.0)


def _end_half_started(error: BaseException) -> None:
    """Kill a child that was launched, but not handed its worker: nobody else knows of it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        popen = frame.f_locals.get("self")
        if frame.f_code.co_name == "_launch" and (pid := getattr(popen, "pid", None)):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@contextmanager
def _interrupts_blocked() -> Iterator[bool]:
    """Start children deaf to Ctrl-C, until they can bear it; False where that cannot be, or is so already."""
    mask = getattr(signal, "pthread_sigmask", None)
    blocks = mask is not None and signal.SIGINT not in mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield blocks
    finally:
        if mask and blocks:
            mask(signal.SIG_UNBLOCK, {signal.SIGINT})


def let_interrupts_through() -> None:
    """Forget a Ctrl-C that came while this child was starting: it was meant for the parent."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, handler)


def _put_first(process: BaseProcess, setup: _ChildSetup) -> None:
    attributes = dict(process.__dict__)
    process.__dict__.clear()
    process.__dict__.update({"_setup": setup, **attributes})
