"""From the files of a recording to its trace."""

import os
import time
from collections import Counter
from collections.abc import Mapping
from multiprocessing import current_process
from pathlib import Path

from helpers.gc_pause import gc_paused
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.log import Calls, read_calls
from helpers.recording.matching import messages
from helpers.recording.trace import Event, Message, ProcessInfo, Trace
from helpers.supervision import interrupts

# entries that are no events of their own: they say how long a process lived, and when an item entered a queue's pipe
LIVES = (EventKind.START, EventKind.BEGIN, EventKind.RUN)
_NOT_YET_KNOWN = ("fifo", "socket")  # what the identity of an end begins with of which only a number is known
HIDDEN = (*LIVES, EventKind.FEED)
READ_AT_LEAST = 1.0  # seconds, after the deadline or an interrupt
FIRST_PART = 0.15  # of the time that reading takes, for the entries alone; the rest is what they mean


def read(folder: Path, exitcodes: Mapping[int, int | None], begin: int, end: int, within: float) -> Trace:
    """Return what the processes of a recording have written into a folder.

    The recording lasted from `begin` to `end` (ns); `exitcodes` are those of this process's children, by pid. Takes
    about `within` seconds at most: what cannot be read in that time is left out, from some moment on, and counted.
    """
    started = time.monotonic()

    def may_go_on() -> bool:
        # whoever interrupts does not want to wait for all of it
        seconds = min(within, READ_AT_LEAST) if interrupts.is_waiting() else within
        return time.monotonic() - started < seconds * FIRST_PART

    with gc_paused():
        found, left_out = read_calls(folder, end, may_go_on)
        found = _recognised(found)
        processes = _lives(found, exitcodes, begin, end)
        index = {process.pid: number for number, process in enumerate(processes)}
        found = sorted((calls for calls in found if calls.pid in index), key=lambda calls: calls.rows[0][0])
        names = _names(found)
        for calls in found:
            calls.events = _events(calls, index[calls.pid], names.get(calls.identity, calls.label))
        met = sorted(messages(found), key=lambda message: message.left)
        events = [event for calls in found if calls.kind not in HIDDEN for event in calls.events]
        events.sort(key=lambda event: event.begin)
        return Trace(processes, *_returned(events, met), left_out)


def _recognised(found: list[Calls]) -> list[Calls]:
    """Give the ends of pipes that came to a process without their identity the one that they have elsewhere.

    They were pickled by others than multiprocessing; the system's numbers tell them (see `probes.connections`). A
    socket that stays unknown is none of the program's: the talk of a manager, for instance.
    """
    known = {}
    for calls in found:
        name, *numbers = calls.identity.split(" ")
        if name not in _NOT_YET_KNOWN:
            known.update({number: (calls.identity, side) for side, number in enumerate(numbers)})
    for calls in found:
        name, *numbers = calls.identity.split(" ")
        if name in _NOT_YET_KNOWN:
            calls.identity, calls.side = known.get(numbers[0], (calls.identity, calls.side))
    return [calls for calls in found if not calls.identity.startswith("socket ")]


def _lives(found: list[Calls], exitcodes: Mapping[int, int | None], begin: int, end: int) -> list[ProcessInfo]:
    joined: dict[str, int] = {}
    for calls in found:
        if calls.kind == EventKind.JOIN and calls.outcome is Outcome.OK:
            ended = calls.rows[0][1]  # a process may be joined again, long after its end
            joined[calls.identity] = min(ended, joined.get(calls.identity, ended))
    ran = {calls.pid for calls in found if calls.kind == EventKind.RUN}
    ready = {calls.pid: calls.rows[0][0] for calls in found if calls.kind == EventKind.BEGIN}
    lives = [ProcessInfo(current_process().name, os.getpid(), None, begin, end)]
    for calls in found:
        if calls.kind == EventKind.START:
            pid = int(calls.identity)
            own = max((each.rows[-1][1] for each in found if each.pid == pid), default=end)
            # a process that was joined ended when the join did; one that left no end was there to the last
            last = joined.get(calls.identity, own if pid in ran else end)
            born, code = calls.rows[0][0], exitcodes.get(pid)
            lives.append(ProcessInfo(calls.label, pid, calls.pid, born, last, code, ready.get(pid)))
    return [lives[0], *sorted(lives[1:], key=lambda life: life.begin)]


def _names(found: list[Calls]) -> dict[str, str]:
    """Number the channels of each label in order of first use: "Pipe 1", "Pipe 2", "Queue 1", ..."""
    labels: dict[str, str] = {}
    for calls in found:
        is_channel = calls.identity and calls.label and calls.kind not in (EventKind.JOIN, *LIVES)
        # a pipe that is the inside of a queue is called after the queue
        if is_channel and labels.get(calls.identity, "Pipe") == "Pipe":
            labels[calls.identity] = calls.label
    numbers: Counter[str] = Counter()
    names = {}
    for identity, label in labels.items():
        numbers[label] += 1
        names[identity] = f"{label} {numbers[label]}"
    return names


def _events(calls: Calls, process: int, channel: str) -> list[Event]:
    kind, detail, outcome, thread = calls.kind, calls.detail, calls.outcome, calls.thread
    return [
        Event(process, kind, begin, end, channel, detail, size if size >= 0 else None, outcome, thread)
        for begin, end, _, size, _ in calls.rows
    ]


def _returned(events: list[Event], met: list[Message]) -> tuple[list[Event], list[Message]]:
    """Take a call that never returned for done if its message arrived: its process was killed as it was about to."""
    done = {
        id(message.sent): message.sent._replace(outcome=Outcome.OK)
        for message in met
        if message.sent.outcome is Outcome.NEVER_RETURNED
    }
    if not done:
        return events, met
    return [done.get(id(event), event) for event in events], [
        Message(done.get(id(message.sent), message.sent), message.received) for message in met
    ]
