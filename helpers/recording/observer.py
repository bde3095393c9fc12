"""What recording does with the calls that the probes see: one entry in the log of the process for each."""

from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from helpers.recording import probes
from helpers.recording.log import Log
from helpers.recording.probes.calls import Call, Channel, Find, clock, local
from helpers.recording.probes.processes import channel_of
from helpers.supervision import start_hooks

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_log: Log | None = None  # of this process; functions inherited by a fork write into the child's own


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

    @staticmethod
    def around(plain: Callable[..., Any], kind: str, find: Find, detail: Callable[..., str] | None) -> Any:
        """Return a function that calls `plain` and writes an entry."""
        may_fail = kind in ("acquire", "wait")

        def seen(self: Any, *args: Any, **kwargs: Any) -> Any:
            here, log = local.thread, _log
            if here.call is not None or log is None or (channel := find(self)) is None:
                return plain(self, *args, **kwargs)
            call = here.call = Call(clock())
            outcome = "failed"
            if here.is_main:
                log.wait(call.begin, kind, "unfinished", here.name, channel.text, "")
            try:
                result = plain(self, *args, **kwargs)
                outcome = "failed" if result is False and may_fail else "ok"
                return result
            except EOFError:
                outcome = "end"
                raise
            finally:
                here.call = None
                more = detail(self, *args) if detail else ""
                log.write(call, clock(), kind, outcome, here.name, channel.text, more)
                if here.is_main:
                    log.go_on()

        return seen

    @staticmethod
    def message_enters(end: Any, size: int) -> None:
        """Note in the call under way when its message enters; without a call, an item of a queue does."""
        here = local.thread
        if call := here.call:
            call.order, call.size = clock(), size
            if here.is_main:
                _log.enter(call.order)
        elif queue := end.__dict__.get("_queue"):
            # the feeder thread: this is the moment at which an item of a queue enters the pipe
            _write_moment("feed", queue, size)

    @staticmethod
    def message_left(end: Any, size: int) -> None:
        """Note in the call under way when its message left; without a call, an item of a queue did."""
        if call := local.thread.call:
            call.order, call.size = clock(), size
        elif queue := end.__dict__.get("_queue"):
            # a pool reads past the queue's own get
            _write_moment("get", queue, size)

    @staticmethod
    def served(begin: int, identity: str, method: str) -> None:
        """Write how long a manager's server took to answer."""
        _write(Call(begin), clock(), "serve", Channel(identity, ""), method)

    @staticmethod
    def ran(begin: int, process: BaseProcess, outcome: str) -> None:
        """Write that this process has run its target to the end."""
        _log.write_life(Call(begin), clock(), "run", outcome, local.thread.name, Channel("", process.name).text, "")

    def before_start(self, process: BaseProcess) -> start_hooks.Call:
        """Let the child write too (see `start_hooks.StartHook`)."""
        self._begin = clock()
        return _observe, (self.folder,)

    def after_start(self, process: BaseProcess) -> None:
        """Write when the child was started, unless it was not (see `start_hooks.StartHook`)."""
        if process._popen is not None:
            self.children[process.pid] = process
            words = "start", "ok", local.thread.name, channel_of(process).text, ""
            _log.write_life(Call(self._begin), clock(), *words)


def _observe(folder: Path) -> None:
    probes.attach(Observer(folder))


def _write_moment(kind: str, queue: Channel, size: int) -> None:
    call = Call(clock())
    call.size = size
    _write(call, call.begin, kind, queue)


def _write(call: Call, end: int, kind: str, channel: Channel, detail: str = "") -> None:
    """Write an entry of something that is no call of its own."""
    _log.write(call, end, kind, "ok", local.thread.name, channel.text, detail)
