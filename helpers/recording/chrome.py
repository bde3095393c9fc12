"""A recording as Chrome-trace JSON, which Perfetto and VizTracer's viewer open.

The format is Google's "Trace Event Format": complete events ("X") in microseconds, metadata ("M") with the names of
processes, flow events ("s", "f") for messages.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.recording.trace import Event, Trace


def write(run: "Trace", path: Path) -> None:
    """Write a recording in this format."""
    import json  # here, since a child that never writes one loads this module too

    path.write_text(json.dumps({"traceEvents": chrome_events(run), "displayTimeUnit": "ms"}), encoding="utf-8")


def chrome_events(run: "Trace") -> list[dict[str, Any]]:
    """Return the events of the format, to be written as JSON under the name `traceEvents`."""
    zero = min((process.begin for process in run.processes), default=0)
    threads = sorted({event.thread for event in run.events} | {"MainThread"}, key=lambda name: name != "MainThread")

    def at(event: "Event", moment: int) -> dict[str, Any]:
        place = {"pid": run.processes[event.process].pid, "tid": threads.index(event.thread)}
        return {**place, "ts": (moment - zero) / 1000}

    names = [
        {"ph": "M", "name": "process_name", "pid": process.pid, "tid": 0, "args": {"name": process.name}}
        for process in run.processes
    ]
    calls = [
        {"ph": "X", "name": f"{event.kind} {event.channel}".strip(), "cat": event.kind,
         "dur": (event.end - event.begin) / 1000, "args": {"detail": event.detail, "size": event.size,
         "outcome": event.outcome}, **at(event, event.begin)}
        for event in run.events
    ]  # fmt: skip
    flows = []
    for number, message in enumerate(run.messages):
        flow = {"name": "message", "cat": "message", "id": number}
        flows.append({"ph": "s", **flow, **at(message.sent, message.left)})
        flows.append({"ph": "f", "bp": "e", **flow, **at(message.received, message.arrived)})
    return names + calls + flows
