"""Recordings of children that update a Value, made up."""

from helpers.recording.trace import Event, ProcessInfo, Trace


def access(process, moment):
    """A read or a write of a Value: its lock is taken and given back."""
    return [
        Event(process, "acquire", moment - 2, moment - 1, "Value 1"),
        Event(process, "release", moment + 1, moment + 2, "Value 1"),
    ]


def recording(*moments, extra=()):
    """Return a recording of children with accesses at these moments, one list a child."""
    names = ["parent", *(f"child {number}" for number in range(1, len(moments) + 1))]
    events = [event for n, own in enumerate(moments, 1) for moment in own for event in access(n, moment)]
    processes = [ProcessInfo(name, 100 + n, None if n == 0 else 100, 0, 10_000) for n, name in enumerate(names)]
    return Trace(processes, sorted([*events, *extra], key=lambda event: event.begin))
