"""Recording: what each process of a block did and when, from plain multiprocessing code that does not know of it.

    with record() as run:
        ...
    lanes(run)

The taps of `helpers.recording.taps` write in every process; here they are put in place, and afterwards read.
"""

import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import current_process
from multiprocessing.process import BaseProcess
from pathlib import Path

from helpers.recording import taps
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
    if taps.is_open():
        raise RuntimeError("a recording is going on already; end its block before the next begins")
    run = Trace()
    with ExitStack() as stack:
        # the supervisor ends first, so that what killed children left behind is complete when it is read
        stack.enter_context(_recorded(run))
        if current_family() is None:
            stack.enter_context(supervised(deadline))
        yield run


@contextmanager
def _recorded(run: Trace) -> Iterator[None]:
    family = current_family()
    with tempfile.TemporaryDirectory(prefix="talking-recording-") as name:
        folder = Path(name)
        begin = time.perf_counter_ns()
        taps.open_taps(folder)
        try:
            yield
            if family:
                family.settle()
        finally:
            _fill(run, folder, taps.close_taps(), begin, time.perf_counter_ns())


def _fill(run: Trace, folder: Path, children: dict[int, BaseProcess], begin: int, end: int) -> None:
    lines = sorted(_all_lines(folder, end), key=lambda line: line.begin)
    run.processes = _lives(
        lines, {pid: child._popen and child._popen.returncode for pid, child in children.items()}, begin, end
    )
    index = {process.pid: number for number, process in enumerate(run.processes)}
    names = _names(lines)
    met = [*_met_in_pipes(lines), *_met_in_queues(lines), *_met_at_managers(lines)]
    arrived = {id(sent) for sent, _ in met}
    events = {id(line): _event(line, index, names, id(line) in arrived) for line in lines if line.pid in index}
    hidden = ("run", "start", "feed")
    run.events = [events[id(line)] for line in lines if id(line) in events and line.kind not in hidden]
    pairs = [
        Message(events[id(sent)], events[id(got)]) for sent, got in met if id(sent) in events and id(got) in events
    ]
    run.messages = sorted(pairs, key=lambda message: message.left)


@dataclass(frozen=True, eq=False)
class _Line:
    """One entry of one process, as `helpers.recording.taps` describes it."""

    pid: int
    begin: int
    end: int
    order: int
    size: int | None
    kind: str
    outcome: str
    thread: str
    identity: str
    label: str
    side: int
    detail: str


def _all_lines(folder: Path, end: int) -> Iterator[_Line]:
    """Return what was recorded, and last for each process the call in which it was when it was killed."""
    for path in folder.glob("*.words"):
        pid = int(path.stem)
        words = [_columns(text) for text in path.read_text(encoding="utf-8").splitlines()]
        for chunk in folder.glob(f"{pid}.*.entries"):
            for begin, until, order, size, number in taps.ENTRY.iter_unpack(chunk.read_bytes()):
                if number:
                    yield _Line(pid, begin, until, order, size if size >= 0 else None, *words[number - 1])
        begin, order, number, is_waiting = taps.WAITING.unpack(path.with_suffix(".waiting").read_bytes())
        if is_waiting:
            unfinished = _Line(pid, begin, end, order or begin, None, *words[number - 1])
            yield replace(unfinished, outcome="entering") if order else unfinished


def _columns(text: str) -> tuple[str, str, str, str, str, int, str]:
    kind, outcome, thread, identity, label, side, detail = text.split("\t")
    return kind, outcome, thread, identity, label, int(side), detail


def _lives(lines: list[_Line], exitcodes: dict[int, int | None], begin: int, end: int) -> list[ProcessInfo]:
    lives = [ProcessInfo(current_process().name, os.getpid(), None, begin, end)]
    for start in (line for line in lines if line.kind == "start"):
        pid = int(start.identity)
        own = [line for line in lines if line.pid == pid]
        joined = [line.end for line in lines if line.kind == "join" and line.identity == start.identity]
        ran = any(line.kind == "run" for line in own)
        # a process that was joined ended when the join did; one that left no end was there to the last
        last = max(joined) if joined else max(line.end for line in own) if ran else end
        lives.append(ProcessInfo(start.label, pid, start.pid, start.begin, last, exitcodes.get(pid)))
    return lives


def _names(lines: list[_Line]) -> dict[str, str]:
    """Number the channels of each label in order of first use: "Pipe 1", "Pipe 2", "Queue 1", ..."""
    names: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    for line in lines:
        if line.identity and line.label and line.identity not in names and line.kind not in ("join", "start", "run"):
            numbers[line.label] += 1
            names[line.identity] = f"{line.label} {numbers[line.label]}"
    return names


# outcomes of a line whose message is in the channel, or was about to be there when its process was killed
SENT = ("ok", "entering")


def _event(line: _Line, index: dict[int, int], names: dict[str, str], arrived: bool) -> Event:
    channel = names.get(line.identity, line.label)
    failed = line.outcome in ("failed", "unfinished", "entering") and not arrived
    return Event(index[line.pid], line.kind, line.begin, line.end, channel, line.detail, line.size, failed, line.thread)


Met = Iterator[tuple[_Line, _Line]]


def _met_in_pipes(lines: list[_Line]) -> Met:
    """The n-th message into one side of a pipe comes out of the other side as the n-th."""
    sent, received = defaultdict(list), defaultdict(list)
    for line in sorted((line for line in lines if line.outcome in SENT), key=lambda line: line.order):
        if line.kind == "send":
            sent[line.identity, line.side].append(line)
        elif line.kind == "recv":
            received[line.identity, line.side].append(line)
    one_way = {identity for identity, side in [*sent, *received]} - {
        identity for identity, side in [*sent, *received] if side
    }
    for (identity, side), messages in sent.items():
        yield from zip(messages, received[identity, side if identity in one_way else 1 - side], strict=False)


def _met_in_queues(lines: list[_Line]) -> Met:
    """The n-th item that entered the pipe behind a queue is the n-th that left it.

    Items enter in the order in which the feeder threads send them; each feeder keeps the order of its process.
    """
    put, entered, got = defaultdict(list), defaultdict(list), defaultdict(list)
    for line in sorted((line for line in lines if line.outcome in SENT), key=lambda line: line.order):
        if line.kind == "put":
            put[line.identity, line.pid].append(line)
        elif line.kind == "feed":
            entered[line.identity].append(line)
        elif line.kind == "get":
            got[line.identity].append(line)
    for identity, received in got.items():
        puts = {key[1]: iter(value) for key, value in put.items() if key[0] == identity}
        if entered[identity]:
            # a pool writes past the queue's own put: then the entry is all there is
            order = [next(puts.get(entry.pid, iter(())), entry) for entry in entered[identity]]
        else:
            order = sorted((line for lines in puts.values() for line in lines), key=lambda line: line.order)
        yield from zip(order, received, strict=False)


def _met_at_managers(lines: list[_Line]) -> Met:
    """A request is served within the call that makes it; of several such calls, within the one that ends first."""
    calls = [line for line in lines if line.kind == "call"]
    for served in sorted((line for line in lines if line.kind == "serve"), key=lambda line: line.end):
        around = [
            call
            for call in calls
            if (call.identity, call.detail) == (served.identity, served.detail)
            and call.begin <= served.begin
            and served.end <= call.end
        ]
        if around:
            call = min(around, key=lambda call: call.end)
            calls.remove(call)
            yield call, served
            yield served, call
