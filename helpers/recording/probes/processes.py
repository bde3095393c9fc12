"""Probes on processes: how long each ran, and who waits for its end."""

import functools
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.probes import calls
from helpers.recording.probes.calls import Channel, clock, replace

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach() -> None:
    """See `join`, and in a child when its target begins and has run."""
    replace(BaseProcess, "join", _seen_join(BaseProcess.join))
    plain = BaseProcess.run

    @functools.wraps(plain)
    def run(self: Any) -> None:
        if calls.instrument:
            calls.instrument.begins(self)
        begin, outcome = clock(), Outcome.RAISED
        try:
            plain(self)
            outcome = Outcome.OK
        finally:
            if calls.instrument:
                calls.instrument.ran(begin, self, outcome)

    replace(BaseProcess, "run", run)


def _seen_join(plain: Callable[..., Any]) -> Callable[..., Any]:
    def has_ended(self: Any, timeout: float | None = None) -> bool:
        plain(self, timeout)
        return self._popen.returncode is not None

    seen = calls.stand_in(has_ended, EventKind.JOIN, channel_of, may_time_out=True)

    @functools.wraps(plain)
    def join(self: Any, timeout: float | None = None) -> None:
        seen(self, timeout)

    return join


def channel_of(process: BaseProcess) -> Channel:
    """Return what entries say of a process that was started."""
    return Channel(str(process.pid), process.name)
