"""The files of a recording: each process writes its own, and the process that records reads them all.

`<pid>.<n>.entries` holds one entry for each call, written as soon as the call returns. It is mapped into memory: that
costs no system call, and what happened survives `kill -9`. An entry is five numbers (ENTRY): begin, end, order, size
and words. `order` is the moment at which a message entered or left its channel; all three in ns. `size` is in
bytes, or -1. `words` is the number of a line in the next file; 0 where there is no entry yet.

`<pid>.words` says the rest, a line for each different one, separated by tabs: kind, outcome, thread, channel, label,
side, detail. `side` tells the two ends of a duplex pipe apart.

`<pid>.lives` holds entries too: when processes were started, and how long they ran. These are few, and never left out.

`<pid>.now` (NOW) says in which call the main thread is, until it returns, and how many entries were only counted
because the files were full.
"""

import mmap
import os
import struct
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from helpers.recording.kinds import EventKind, Outcome

if TYPE_CHECKING:
    from helpers.recording.trace import Event

ENTRY = struct.Struct("5q")
NOW = struct.Struct("4qb")  # entries left out; begin, order and words of a call, and 1 while it is under way
NUMBER, WAITING = struct.Struct("q"), struct.Struct("3qb")  # parts of NOW, which begin at these places:
LEFT_OUT_AT, WAITING_AT, ORDER_AT, IS_WAITING_AT = 0, 8, 16, 32
IN_CHUNK = 10_000  # entries, before another file is begun
MOST_CHUNKS = 200  # a process: 80 MB

Row = tuple[int, int, int, int, int]  # an entry: begin, end, order, size, words


class Timed(Protocol):
    """What an entry says of a call in numbers: moments in ns, bytes or -1."""

    begin: int
    order: int
    size: int


class Log:
    """Writes the files of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._words: dict[tuple[str, ...], int] = {}
        self._now = _mapped(self._path("now"), NOW.size)
        self._left_out = 0
        self._chunks = 0
        self._at = self._full = IN_CHUNK * ENTRY.size
        self._lives = self._path("lives").open("wb", buffering=0)
        # last: where it exists the others are there, though the process may be killed at any moment
        self._texts = self._path("words").open("wb", buffering=0)

    def write(self, call: Timed, end: int, *words: str) -> None:
        """Write one entry; `words` are kind, outcome, thread, channel (three columns) and detail."""
        number = self._words.get(words) or self._new_number(words)
        with self._lock:
            if self._at == self._full and not self._open_chunk():
                self._left_out += 1
                NUMBER.pack_into(self._now, LEFT_OUT_AT, self._left_out)
                return
            # the number of the words comes last: an entry without it is not finished
            ENTRY.pack_into(self._entries, self._at, call.begin, end, call.order, call.size, number)
            self._at += ENTRY.size

    def write_life(self, call: Timed, end: int, *words: str) -> None:
        """Write an entry of a process's life."""
        number = self._words.get(words) or self._new_number(words)
        self._lives.write(ENTRY.pack(call.begin, end, call.order, call.size, number))

    def wait(self, begin: int, *words: str) -> None:
        """Note in which call the main thread is."""
        number = self._words.get(words) or self._new_number(words)
        WAITING.pack_into(self._now, WAITING_AT, begin, 0, number, 1)

    def enter(self, order: int) -> None:
        """Note that the message of this call begins to enter its channel, since the call may never return."""
        NUMBER.pack_into(self._now, ORDER_AT, order)

    def go_on(self) -> None:
        """Note that the call has returned."""
        self._now[IS_WAITING_AT] = 0

    def _new_number(self, words: tuple[str, ...]) -> int:
        with self._lock:
            # another thread may have been here between the look and the lock; its number is the line of the text
            if words not in self._words:
                self._texts.write(("\t".join(words) + "\n").encode(errors="backslashreplace"))
                self._words[words] = len(self._words) + 1
            return self._words[words]

    def _open_chunk(self) -> bool:
        """Begin another file; False when there may be no more, or there is no room for it."""
        if self._chunks == MOST_CHUNKS:
            return False
        try:
            self._entries = _mapped(self._path(f"{self._chunks}.entries"), self._full)
        except OSError:
            self._chunks = MOST_CHUNKS
            return False
        self._chunks += 1
        self._at = 0
        return True

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self.pid}.{ending}"


def _mapped(path: Path, size: int) -> mmap.mmap:
    with path.open("wb+") as file:
        if hasattr(os, "posix_fallocate"):
            # a full disk says so here; later, when the memory is written, it would kill the process
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        return mmap.mmap(file.fileno(), size)


@dataclass(eq=False)
class Calls:
    """Calls of one process that differ only in their numbers: the same thread did the same with the same outcome."""

    pid: int
    kind: EventKind
    outcome: Outcome
    thread: str
    identity: str
    label: str
    side: int
    detail: str
    is_entering: bool = False  # it never returned, but its message had begun to enter the channel
    rows: list[Row] = field(default_factory=list)  # in the order of their ends
    events: list["Event"] = field(default_factory=list)  # made of them, in the same order

    def both(self) -> Iterator[tuple[Row, "Event"]]:
        """Return each row with its event."""
        return zip(self.rows, self.events, strict=True)


def read_calls(folder: Path, end: int, may_go_on: Callable[[], bool]) -> tuple[list[Calls], int]:
    """Return what was recorded, and the number of entries that were left out.

    Once `may_go_on`, which is asked after every 10,000 entries, says no, all calls that ended later are left out. Calls
    in which processes were when they ended are there in any case: they are taken to have ended at `end` (ns).
    """
    logs = [_ProcessLog(path) for path in folder.glob("*.words")]
    chunks = sorted((chunk for log in logs for chunk in log.chunks()), key=lambda chunk: chunk.begin)
    left_out = sum(log.left_out for log in logs)
    for number, chunk in enumerate(chunks):
        if not may_go_on():
            left_out += sum(len(chunk.rows()) for chunk in chunks[number:])
            left_out += sum(log.forget_from(chunk.begin) for log in logs)
            break
        chunk.log.take(chunk.rows())
    for log in logs:
        log.take_lives()
        log.take_unfinished(end)
    return [calls for log in logs for calls in log.calls if calls.rows], left_out


class _ProcessLog:
    """The files of one process, to be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        *lines, _ = path.read_bytes().decode().split("\n")
        self.calls = [_calls(int(path.stem), line) for line in lines]
        self.left_out, *self._waiting = NOW.unpack(path.with_suffix(".now").read_bytes())

    def chunks(self) -> Iterator["_Chunk"]:
        chunks = (_Chunk(self, path) for path in self.path.parent.glob(f"{self.path.stem}.*.entries"))
        return (chunk for chunk in chunks if not chunk.is_empty)

    def take(self, rows: list[Row]) -> None:
        for row in rows:
            self.calls[row[4] - 1].rows.append(row)

    def forget_from(self, moment: int) -> int:
        """Forget the entries of calls that ended at this moment (ns) or later; return how many these were."""
        forgotten = 0
        for calls in self.calls:
            kept = bisect_left(calls.rows, moment, key=lambda row: row[1])
            forgotten += len(calls.rows) - kept
            del calls.rows[kept:]
        return forgotten

    def take_lives(self) -> None:
        self.take(_rows(self.path.with_suffix(".lives").read_bytes()))

    def take_unfinished(self, end: int) -> None:
        begin, order, number, is_waiting = self._waiting
        # killed between the two, it has written the entry, and not yet that the call is over
        is_written = any(calls.rows and calls.rows[-1][0] == begin for calls in self.calls)
        if is_waiting and not is_written:
            self.calls.append(replace(self.calls[number - 1], is_entering=order > 0, rows=[], events=[]))
            self.take([(begin, end, order or begin, -1, len(self.calls))])


class _Chunk:
    """One file of entries."""

    def __init__(self, log: _ProcessLog, path: Path) -> None:
        self.log = log
        self.path = path
        with path.open("rb") as file:
            first = _rows(file.read(ENTRY.size))
        self.is_empty = not first
        self.begin = first[0][1] if first else 0  # ns; none of its calls ended before the first

    def rows(self) -> list[Row]:
        """Return its entries, those that are finished."""
        return _rows(self.path.read_bytes())


def _rows(data: bytes) -> list[Row]:
    """Return the entries that are finished: a process may be killed while it makes a file or writes into it."""
    whole = len(data) // ENTRY.size * ENTRY.size
    return [row for row in ENTRY.iter_unpack(data[:whole]) if row[4]]


def _calls(pid: int, text: str) -> Calls:
    kind, outcome, thread, identity, label, side, detail = text.split("\t")
    return Calls(pid, EventKind(kind), Outcome(outcome), thread, identity, label, int(side), detail)
