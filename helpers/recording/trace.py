"""What a recording is made of: processes, the events in them, and the messages between them.

All times are nanoseconds on `time.perf_counter_ns`, which the processes of one machine share.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from helpers.recording.chrome import chrome_events

A_RECORDING = "a recording (with record() as run: ...)"  # for errors that say what is needed

# kinds of event in which a process may have to wait for another one
WAITING = frozenset({"send", "recv", "put", "get", "acquire", "wait", "join", "poll", "call", "flush"})


@dataclass(frozen=True)
class ProcessInfo:
    """One process of a recording: one lane in a picture."""

    name: str
    pid: int
    parent: int | None  # pid of the process that started it; None for the one that recorded
    begin: int  # ns
    end: int | None  # ns; None when it left no end (killed, or still running)
    exitcode: int | None = None  # negative: the number of the signal that ended it; None: not known


class Event(NamedTuple):
    """One thing that one process did with a channel, from the call to its return.

    A tuple, as there may be a million.
    """

    process: int  # index into Trace.processes
    kind: str  # the method: "send", "recv", "put", "get", "acquire", "wait", "join", ...; "call", "serve", "step"
    begin: int  # ns
    end: int  # ns
    channel: str = ""  # "Pipe 1", "Queue 1", "Lock 1", "dict 1", ...: numbered in order of first use
    detail: str = ""  # a few words for the reader: a method's name, what a step did
    size: int | None = None  # bytes of the message, where there is one
    failed: bool = False  # it raised, timed out, or lost an update
    thread: str = "MainThread"


class Message(NamedTuple):
    """The n-th send on a channel met the n-th receive."""

    sent: Event
    received: Event

    @property
    def left(self) -> int:
        """The moment (ns) at which it set out: as it was sent, or as the manager had its reply ready."""
        return self.sent.end if self.sent.kind == "serve" else self.sent.begin

    @property
    def arrived(self) -> int:
        """The moment (ns) at which it was there: as receiving ended, or as the manager began to serve a request."""
        return self.received.begin if self.received.kind == "serve" else self.received.end


@dataclass
class Trace:
    """A recording: what each process did, when, and which send met which receive."""

    processes: list[ProcessInfo] = field(default_factory=list)  # in order of start; the recording process first
    events: list[Event] = field(default_factory=list)  # sorted by begin
    messages: list[Message] = field(default_factory=list)  # sorted by the moment at which they set out
    left_out: int = 0  # later calls for which there was no time or room: from some moment on there are none here

    def to_chrome(self, path: Path | str) -> None:
        """Write the trace as Chrome-trace JSON, which Perfetto and VizTracer's viewer open."""
        Path(path).write_text(json.dumps({"traceEvents": chrome_events(self), "displayTimeUnit": "ms"}))
