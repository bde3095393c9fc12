"""What all probes share: the call, the channel, the instrument that looks on, and how a method is replaced."""

import functools
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from helpers.recording.kinds import EventKind, Outcome
from helpers.supervision.start_hooks import Call as Setup

__tracebackhide__ = True  # an instrument: never the place where somebody waits

clock = time.perf_counter_ns


def one_column(text: str) -> str:
    """Return a text as it can stand in a log, where tabs and ends of lines separate."""
    return text.replace("\t", " ").replace("\n", " ")


class Channel:
    """The object that is used by a call: the same in all processes."""

    def __init__(self, identity: str, label: str, side: int = 0) -> None:
        self.identity = identity = one_column(identity)
        self.label = label = one_column(label)  # what the learner calls it: "Pipe", "Queue", "Lock", ...
        self.side = side  # of a duplex pipe: 0 or 1
        self.text = f"{identity}\t{label}\t{side}"


Find = Callable[[Any], Channel | None]  # object -> its channel; None when the call is not to be seen


class Call:
    """One call that is seen. The probes within it, where the bytes go, fill in `order` and `size`."""

    __slots__ = ("begin", "order", "size")

    def __init__(self, begin: int) -> None:
        self.begin = begin  # ns
        self.order = begin  # the moment (ns) at which its message entered or left the channel
        self.size = -1  # bytes of the message; -1 when there is none


class Instrument(Protocol):
    """What is done with what the probes see, in each process that is watched.

    A child that is forked inherits the probes: what `around` returned must look up what belongs to the process.
    """

    def open(self) -> None:
        """Begin in this process."""

    def close(self) -> None:
        """End in this process."""

    def around(
        self,
        plain: Callable[..., Any],
        kind: EventKind,
        find: Find,
        *,
        detail: Callable[..., str] | None = None,
        may_time_out: bool = False,
    ) -> Callable[..., Any]:
        """Return what stands in for a method.

        `detail(self, *args)` says more in a few words; with `may_time_out` a result that is false
        means that time was up.
        What stands in must set `thread().call` while it runs, so that calls within the call are not seen.
        """

    def message_enters(self, end: Any, size: int) -> None:
        """Take note that a message of `size` bytes begins to enter the connection `end`."""

    def message_left(self, end: Any, size: int) -> None:
        """Take note that a message of `size` bytes has come out of the connection `end`."""

    def served(self, begin: int, identity: str, method: str) -> None:
        """Take note that a manager's server has answered a request that it began to serve at `begin` (ns)."""

    def begins(self, process: BaseProcess) -> None:
        """Take note that a process begins to run its target, in this process."""

    def ran(self, begin: int, process: BaseProcess, outcome: Outcome) -> None:
        """Take note that a process has run its target to the end, in this process."""

    def before_start(self, process: BaseProcess) -> Setup:
        """Return the call that attaches the probes in a child (see `start_hooks.StartHook`)."""

    def after_start(self, process: BaseProcess) -> None:
        """Take note that a child was started (see `start_hooks.StartHook`)."""


class Thread:
    """What the probes know of one thread."""

    __slots__ = ("call", "is_main", "name")

    def __init__(self) -> None:
        self.call: Call | None = None  # under way; what it calls in turn is not seen
        self.is_main = threading.current_thread() is threading.main_thread()
        self.name = one_column(threading.current_thread().name)


class _Local(threading.local):
    def __init__(self) -> None:
        self.thread = Thread()


local = _Local()
_UNSEEN = Call(0)
_UNSEEN.size = 0  # no message is noted in it
instrument: Instrument | None = None
undo: list[Callable[[], object]] = []
_numbers = itertools.count()


def new_identity() -> str:
    """Return an identity that no other channel of any process has."""
    return f"{os.getpid()}.{next(_numbers)}"


def is_inside() -> bool:
    """Tell whether this thread is within a call that is seen as a whole."""
    return local.thread.call is not None


@contextmanager
def unseen() -> Iterator[None]:
    """Let nothing of this block be seen."""
    thread = local.thread
    before, thread.call = thread.call, _UNSEEN
    try:
        yield
    finally:
        thread.call = before


def replace(owner: Any, name: str, new: Any) -> None:
    """Set an attribute of a class or module; note how to put the old one back."""
    if name in vars(owner):
        undo.append(functools.partial(setattr, owner, name, vars(owner)[name]))
    else:
        undo.append(functools.partial(delattr, owner, name))
    setattr(owner, name, new)


def stand_in(plain: Callable[..., Any], kind: EventKind, find: Find, **more: Any) -> Callable[..., Any]:
    """Return what the instrument puts in the place of a function; arguments as of `Instrument.around`."""
    assert instrument is not None, "probes are attached for an instrument"
    return instrument.around(plain, kind, find, **more)


def probe(owner: Any, name: str, kind: EventKind, find: Find, **more: Any) -> None:
    """Let the instrument stand around a method; arguments as of `Instrument.around`."""
    plain = getattr(owner, name)
    replace(owner, name, functools.wraps(plain)(stand_in(plain, kind, find, **more)))


def hide(owner: Any, name: str) -> None:
    """Let nothing be seen of what a method does inside."""
    replace(owner, name, _hidden(getattr(owner, name)))


def hide_static(owner: Any, name: str) -> None:
    """Let nothing be seen of what a static method does inside."""
    replace(owner, name, staticmethod(_hidden(getattr(owner, name))))


def _hidden(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def hidden(*args: Any, **kwargs: Any) -> Any:
        with unseen():
            return plain(*args, **kwargs)

    return hidden
