"""Recording: what each process of a block did and when, from plain multiprocessing code that does not know of it.

    with record() as run:
        ...
    lanes(run)

An observer writes in every process what the probes see; here it is put in place, and its files are read afterwards.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import current_process
from pathlib import Path

from helpers.recording import probes
from helpers.recording.log import Entry, read_entries
from helpers.recording.matching import met
from helpers.recording.observer import Observer
from helpers.recording.trace import Event, Message, ProcessInfo, Trace
from helpers.supervision.supervisor import current_family, supervised

__tracebackhide__ = True  # an instrument: never the place where somebody waits


@contextmanager
def record(deadline: float = 5.0) -> Iterator[Trace]:
    """Watch the block, and fill the trace that it yields once the block is over, however it ends.

    The block is supervised, with this deadline in seconds, unless it is inside a supervised block already. While it
    lasts the methods of multiprocessing are wrapped, here and in every process that it starts.

    Raises RuntimeError inside another recording; TypeError, ValueError and ProcessesFailed as `supervised` does.
    """
    if probes.is_attached():
        raise RuntimeError("a recording is going on already; end its block before the next begins")
    run = Trace()
    with ExitStack() as stack:
        # the supervisor ends first, so that what killed children left behind is complete when it is read
        stack.enter_context(_observed(run))
        if current_family() is None:
            stack.enter_context(supervised(deadline))
        yield run


@contextmanager
def _observed(run: Trace) -> Iterator[None]:
    family = current_family()
    with tempfile.TemporaryDirectory(prefix="talking-recording-") as name:
        observer = Observer(Path(name))
        begin = time.perf_counter_ns()
        probes.attach(observer)
        try:
            yield
            if family:
                family.settle()
        finally:
            probes.detach()
            exitcodes = {pid: child._popen and child._popen.returncode for pid, child in observer.children.items()}
            found = _read(observer.folder, exitcodes, begin, time.perf_counter_ns())
            run.processes, run.events, run.messages = found.processes, found.events, found.messages


def _read(folder: Path, exitcodes: dict[int, int | None], begin: int, end: int) -> Trace:
    """Return what the processes have written into `folder`; the recording lasted from `begin` to `end` (ns)."""
    entries = sorted(read_entries(folder, end), key=lambda entry: entry.begin)
    processes = _lives(entries, exitcodes, begin, end)
    index = {process.pid: number for number, process in enumerate(processes)}
    entries = [entry for entry in entries if entry.pid in index]
    names = _names(entries)
    pairs = list(met(entries))
    arrived = {sent for sent, _ in pairs}
    events = {entry: _event(entry, index, names, entry in arrived) for entry in entries}
    messages = [Message(events[sent], events[got]) for sent, got in pairs]
    return Trace(
        processes,
        [event for entry, event in events.items() if entry.kind not in ("run", "start", "feed")],
        sorted(messages, key=lambda message: message.left),
    )


def _lives(entries: list[Entry], exitcodes: dict[int, int | None], begin: int, end: int) -> list[ProcessInfo]:
    lives = [ProcessInfo(current_process().name, os.getpid(), None, begin, end)]
    for start in (entry for entry in entries if entry.kind == "start"):
        pid = int(start.identity)
        own = [entry for entry in entries if entry.pid == pid]
        joined = [entry.end for entry in entries if entry.kind == "join" and entry.identity == start.identity]
        ran = any(entry.kind == "run" for entry in own)
        # a process that was joined ended when the join did; one that left no end was there to the last
        last = max(joined) if joined else max(entry.end for entry in own) if ran else end
        lives.append(ProcessInfo(start.label, pid, start.pid, start.begin, last, exitcodes.get(pid)))
    return lives


def _names(entries: list[Entry]) -> dict[str, str]:
    """Number the channels of each label in order of first use: "Pipe 1", "Pipe 2", "Queue 1", ..."""
    names: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    for entry in entries:
        is_channel = entry.identity and entry.label and entry.kind not in ("join", "start", "run")
        if is_channel and entry.identity not in names:
            numbers[entry.label] += 1
            names[entry.identity] = f"{entry.label} {numbers[entry.label]}"
    return names


def _event(entry: Entry, index: dict[int, int], names: dict[str, str], arrived: bool) -> Event:
    channel = names.get(entry.identity, entry.label)
    failed = entry.outcome in ("failed", "unfinished", "entering") and not arrived
    return Event(
        index[entry.pid], entry.kind, entry.begin, entry.end, channel, entry.detail, entry.size, failed, entry.thread
    )
