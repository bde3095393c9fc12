"""What recording does with the calls that the probes see: one entry in the log of the process for each."""

import os
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from helpers.recording import probes
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.log import Log
from helpers.recording.probes.calls import Call, Channel, Find, Thread, clock, local
from helpers.recording.probes.processes import channel_of
from helpers.supervision import start_hooks

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_OK, _TIMED_OUT, _NEVER_RETURNED = Outcome.OK.value, Outcome.TIMED_OUT.value, Outcome.NEVER_RETURNED.value
_log: Log | None = None  # of this process, while it is recorded


class Observer:
    """Writes what the probes see into files in a folder (see `probes.Instrument`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: dict[int, BaseProcess] = {}  # started by this process, by pid
        self._begin = 0

    def open(self) -> None:
        """Begin a log for this process."""
        global _log
        _log = Log(self.folder)

    def close(self) -> None:
        """Write no more."""
        global _log
        _log = None
        local.thread.call = None  # one that was interrupted as it ended

    @staticmethod
    def around(
        plain: Callable[..., Any],
        kind: EventKind,
        find: Find,
        *,
        detail: Callable[..., str] | None = None,
        may_time_out: bool = False,
    ) -> Callable[..., Any]:
        """Return a function that calls `plain` and writes an entry."""
        what = kind.value  # the member itself takes longer to look up

        def seen(self: Any, *args: Any, **kwargs: Any) -> Any:
            here, log = local.thread, _log
            if here.call is not None or log is None or (channel := find(self)) is None:
                return plain(self, *args, **kwargs)
            call = here.call = Call(clock())
            try:  # at once: an interrupt may come anywhere
                if here.is_main:
                    log.wait(call.begin, what, _NEVER_RETURNED, here.name, channel.text, "")
                result = plain(self, *args, **kwargs)
                outcome = _TIMED_OUT if may_time_out and not result else _OK
                return result
            except BaseException as error:
                outcome = _outcome_of(error)
                raise
            finally:
                here.call = None
                more = detail(self, *args) if detail else ""
                log.write(call, clock(), what, outcome, here.name, channel.text, more)
                if here.is_main:
                    log.go_on()

        return seen

    @staticmethod
    def message_enters(end: Any, size: int) -> None:
        """Note in the call under way when its message enters; without a call, an item of a queue does."""
        here, log = local.thread, _log
        if log is None:
            return
        if call := here.call:
            if call.size >= 0:
                return  # not the message itself, but what it takes to pass a connection on
            call.order, call.size = clock(), size
            if here.is_main:
                log.enter(call.order)
        elif queue := end.__dict__.get("_queue"):
            # the feeder thread: this is the moment at which an item of a queue enters the pipe
            _write_moment(log, EventKind.FEED, queue, size)

    @staticmethod
    def message_left(end: Any, size: int) -> None:
        """Note in the call under way when its message left; without a call, an item of a queue did."""
        if call := local.thread.call:
            if call.size < 0:  # as above
                call.order, call.size = clock(), size
        elif (log := _log) and (queue := end.__dict__.get("_queue")):
            # a pool reads past the queue's own get
            _write_moment(log, EventKind.GET, queue, size)

    @staticmethod
    def served(begin: int, identity: str, method: str) -> None:
        """Write how long a manager's server took to answer."""
        if log := _log:
            _write(log, Call(begin), clock(), EventKind.SERVE, Channel(identity, ""), method)

    @staticmethod
    def begins(process: BaseProcess) -> None:
        """Write that this process begins to run its target, which it may never bring to an end."""
        if log := _log:
            now = clock()
            words = EventKind.BEGIN, _OK, local.thread.name, Channel("", process.name).text, ""
            log.write_life(Call(now), now, *words)

    @staticmethod
    def ran(begin: int, process: BaseProcess, outcome: Outcome) -> None:
        """Write that this process has run its target to the end."""
        if log := _log:
            words = EventKind.RUN, outcome, local.thread.name, Channel("", process.name).text, ""
            log.write_life(Call(begin), clock(), *words)

    def before_start(self, process: BaseProcess) -> start_hooks.Call:
        """Let the child write too (see `start_hooks.StartHook`)."""
        self._begin = clock()
        return _observe, (self.folder,)

    def after_start(self, process: BaseProcess) -> None:
        """Write when the child was started, unless it was not (see `start_hooks.StartHook`)."""
        if process.pid is not None and (log := _log):
            self.children[process.pid] = process
            words = EventKind.START, _OK, local.thread.name, channel_of(process).text, ""
            log.write_life(Call(self._begin), clock(), *words)


def _stop_after_fork() -> None:
    """Keep a forked child from writing into the log of its parent; one of multiprocessing's begins its own."""
    global _log
    _log = None
    local.thread = Thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_stop_after_fork)


def _outcome_of(error: BaseException) -> str:
    from queue import Empty, Full  # rarely needed: a child without queues need not load it

    if not isinstance(error, Exception):
        return _NEVER_RETURNED  # an interrupt cut it off
    if isinstance(error, EOFError):
        return Outcome.END_OF_FILE.value
    return _TIMED_OUT if isinstance(error, Empty | Full) else Outcome.RAISED.value


def _observe(folder: Path) -> None:
    probes.attach(Observer(folder))


def _write_moment(log: Log, kind: EventKind, queue: Channel, size: int) -> None:
    call = Call(clock())
    call.size = size
    _write(log, call, call.begin, kind, queue)


def _write(log: Log, call: Call, end: int, kind: EventKind, channel: Channel, detail: str = "") -> None:
    """Write an entry of something that is no call of its own."""
    log.write(call, end, kind.value, _OK, local.thread.name, channel.text, detail)
