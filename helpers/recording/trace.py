"""What a recording is made of: processes, the events in them, and the messages between them.

All times are nanoseconds on `time.perf_counter_ns`, which the processes of one machine share.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Event:
    """One thing that one process did with a channel, from the call to its return."""

    process: int  # index into Trace.processes
    kind: str  # the method: "send", "recv", "put", "get", "acquire", "wait", "join", ...; "call", "serve", "step"
    begin: int  # ns
    end: int  # ns
    channel: str = ""  # "Pipe 1", "Queue 1", "Lock 1", "dict 1", ...: numbered in order of first use
    detail: str = ""  # a few words for the reader: a method's name, what a step did
    size: int | None = None  # bytes of the message, where there is one
    failed: bool = False  # it raised, timed out, or lost an update
    thread: str = "MainThread"


@dataclass(frozen=True)
class Message:
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
    messages: list[Message] = field(default_factory=list)  # sorted by the begin of the send

    def to_chrome(self, path: Path | str) -> None:
        """Write the trace as Chrome-trace JSON, which Perfetto and VizTracer's viewer open.

        The format is Google's "Trace Event Format": complete events ("X") in microseconds, metadata ("M") with the
        names of processes, flow events ("s", "f") for messages.
        """
        Path(path).write_text(json.dumps({"traceEvents": self._chrome_events(), "displayTimeUnit": "ms"}))

    def _chrome_events(self) -> list[dict[str, Any]]:
        zero = min((process.begin for process in self.processes), default=0)
        threads = sorted(
            {event.thread for event in self.events} | {"MainThread"}, key=lambda name: name != "MainThread"
        )

        def at(event: Event, moment: int) -> dict[str, Any]:
            place = {"pid": self.processes[event.process].pid, "tid": threads.index(event.thread)}
            return {**place, "ts": (moment - zero) / 1000}

        names = [
            {"ph": "M", "name": "process_name", "pid": process.pid, "tid": 0, "args": {"name": process.name}}
            for process in self.processes
        ]
        calls = [
            {"ph": "X", "name": f"{event.kind} {event.channel}".strip(), "cat": event.kind,
             "dur": (event.end - event.begin) / 1000, "args": {"detail": event.detail, "size": event.size,
             "failed": event.failed}, **at(event, event.begin)}
            for event in self.events
        ]  # fmt: skip
        flows = []
        for number, message in enumerate(self.messages):
            flow = {"name": "message", "cat": "message", "id": number}
            flows.append({"ph": "s", **flow, **at(message.sent, message.left)})
            flows.append({"ph": "f", "bp": "e", **flow, **at(message.received, message.arrived)})
        return names + calls + flows
