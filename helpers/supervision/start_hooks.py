"""Let an instrument run code inside every process that a block starts, without touching the block.

Under spawn and forkserver a child first unpickles its `Process` object: the instrument travels as that object's
first attribute, so it is in place before the target and its arguments are unpickled. Under fork nothing is
unpickled, and the same setup runs from multiprocessing's own after-fork registry.
"""

from collections.abc import Callable
from multiprocessing import current_process, util
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

__tracebackhide__ = True  # an instrument: never the place where somebody waits

Call = tuple[Callable[..., object], tuple[Any, ...]]


class StartHook(Protocol):
    """What an instrument does around the start of each process."""

    def before_start(self, process: BaseProcess) -> Call:
        """Run in the parent; return the call (an importable function and its arguments) that the child makes."""

    def after_start(self, process: BaseProcess) -> None:
        """Run in the parent once `start` has returned or raised; `process.pid` is None if it raised."""


def install(hook: StartHook) -> None:
    """Call the hook for every process that this process starts from now on."""
    _hooks.append(hook)
    BaseProcess.start = _start


def remove(hook: StartHook) -> None:
    """Undo `install`; after the last hook `BaseProcess.start` is the original again."""
    _hooks.remove(hook)
    if not _hooks:
        BaseProcess.start = _plain_start


_hooks: list[StartHook] = []
_plain_start = BaseProcess.start


class _ChildSetup:
    """The calls that a child makes before anything else: pickled first, or registered to run after a fork."""

    def __init__(self, calls: list[Call], process: BaseProcess) -> None:
        self.calls = calls
        self.process = process

    def __reduce__(self) -> tuple[Callable[..., None], tuple[list[Call]]]:
        return _make, (self.calls,)

    def run_after_fork(self) -> None:
        # the registry is inherited by grandchildren too; only the child itself is meant
        if current_process() is self.process:
            # hooks inherited by the fork are the parent's; the calls install the child's own
            _hooks.clear()
            _make(self.calls)


def _make(calls: list[Call]) -> None:
    for function, arguments in calls:
        function(*arguments)


def _start(process: BaseProcess) -> None:
    hooks = list(_hooks)
    setup = _ChildSetup([hook.before_start(process) for hook in hooks], process)
    _put_first(process, setup)
    util.register_after_fork(setup, _ChildSetup.run_after_fork)
    try:
        _plain_start(process)
    finally:
        # without this reference the registry, which is weak, forgets the setup
        del process.__dict__["_setup"]
        for hook in hooks:
            hook.after_start(process)


def _put_first(process: BaseProcess, setup: _ChildSetup) -> None:
    attributes = dict(process.__dict__)
    process.__dict__.clear()
    process.__dict__.update({"_setup": setup, **attributes})
