"""Probes on processes: how long each ran, and who waits for its end."""

import functools
from multiprocessing.process import BaseProcess
from typing import Any

from helpers.recording.probes import calls
from helpers.recording.probes.calls import Channel, clock, probe, replace

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach() -> None:
    """See `join`, and in a child that its target has run."""
    probe(BaseProcess, "join", "join", channel_of)
    plain = BaseProcess.run

    @functools.wraps(plain)
    def run(self: Any) -> None:
        begin, outcome = clock(), "failed"
        try:
            plain(self)
            outcome = "ok"
        finally:
            if calls.instrument:
                calls.instrument.ran(begin, self, outcome)

    replace(BaseProcess, "run", run)


def channel_of(process: BaseProcess) -> Channel:
    """Return what entries say of a process that was started."""
    return Channel(str(process.pid), process.name)
