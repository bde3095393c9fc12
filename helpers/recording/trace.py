"""What a recording is made of: processes, the events in them, and the messages between them.

All times are nanoseconds on `time.perf_counter_ns`, which the processes of one machine share.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from helpers import validate
from helpers.recording import chrome
from helpers.recording.kinds import EventKind, Outcome

A_RECORDING = "a recording (with record() as run: ...)"  # for errors that say what is needed


@dataclass(frozen=True)
class ProcessInfo:
    """One process of a recording: one lane in a picture."""

    name: str
    pid: int
    parent: int | None  # pid of the process that started it; None for the one that recorded
    begin: int  # ns
    end: int | None  # ns; None when it left no end (killed, or still running)
    exitcode: int | None = None  # negative: the number of the signal that ended it; None: not known
    ready: int | None = None  # ns; when Python had started and its target began; None: that was not seen


class Event(NamedTuple):
    """One thing that one process did with a channel, from the call to its return.

    A tuple, as there may be a million.
    """

    process: int  # index into Trace.processes
    kind: EventKind
    begin: int  # ns
    end: int  # ns
    channel: str = ""  # "Pipe 1", "Queue 1", "Lock 1", "dict 1", ...: numbered in order of first use
    detail: str = ""  # a few words for the reader: a method's name, what a step did
    size: int | None = None  # bytes of the message, where there is one
    outcome: Outcome = Outcome.OK
    thread: str = "MainThread"


class Message(NamedTuple):
    """The n-th send on a channel met the n-th receive."""

    sent: Event
    received: Event

    @property
    def left(self) -> int:
        """The moment (ns) at which it set out: as it was sent, or as the manager had its reply ready."""
        return self.sent.end if self.sent.kind == EventKind.SERVE else self.sent.begin

    @property
    def arrived(self) -> int:
        """The moment (ns) at which it was there: as receiving ended, or as the manager began to serve a request."""
        return self.received.begin if self.received.kind == EventKind.SERVE else self.received.end


@dataclass
class Trace:
    """A recording: what each process did, when, and which send met which receive."""

    processes: list[ProcessInfo] = field(default_factory=list)  # in order of start; the recording process first
    events: list[Event] = field(default_factory=list)  # sorted by begin
    messages: list[Message] = field(default_factory=list)  # sorted by the moment at which they set out
    left_out: int = 0  # later calls for which there was no time or room: from some moment on there are none here

    def to_chrome(self, path: Path | str) -> None:
        """Write the trace as Chrome-trace JSON, which Perfetto and VizTracer's viewer open.

        Raises TypeError or ValueError for what is no path.
        """
        chrome.write(self, Path(validate.path("path", path)))
