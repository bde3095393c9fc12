"""The files of a recording: each process writes its own, and the process that records reads them all.

`<pid>.<n>.entries` holds one entry for each call, written as soon as the call returns. It is mapped into memory: that
costs no system call, and what happened survives `kill -9`. An entry is five numbers (ENTRY): begin, end, order, size
and words. `order` is the moment at which a message entered or left its channel; all three are in ns. `size` is in
bytes, or -1. `words` is the number of a line in the next file.

`<pid>.words` says the rest, a line for each different one, separated by tabs: kind, outcome, thread, channel, label,
side, detail. `side` tells the two ends of a duplex pipe apart.

`<pid>.waiting` holds the call in which the main thread is (WAITING), until it returns.
"""

import itertools
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

ENTRY = struct.Struct("<5q")
WAITING = struct.Struct("<3qb")  # begin, order and words of a call; last 1 while it is under way
ORDER = struct.Struct("<q")
CHUNK = 10_000 * ENTRY.size  # bytes for entries, before another file is begun


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
        self._waiting = self._mapped("waiting", WAITING.size)
        self._chunks = itertools.count()
        self._open_chunk()
        # last: where it exists the others are complete, though the process may be killed at any moment
        self._texts = self._path("words").open("wb", buffering=0)

    def write(self, call: Timed, end: int, *words: str) -> None:
        """Write one entry; `words` are kind, outcome, thread, channel (three columns) and detail."""
        number = self._words.get(words) or self._new_number(words)
        with self._lock:
            if self._at == CHUNK:
                self._open_chunk()
            # the number of the words comes last: an entry without it is not finished
            ENTRY.pack_into(self._entries, self._at, call.begin, end, call.order, call.size, number)
            self._at += ENTRY.size

    def wait(self, begin: int, *words: str) -> None:
        """Note in which call the main thread is."""
        WAITING.pack_into(self._waiting, 0, begin, 0, self._words.get(words) or self._new_number(words), 1)

    def enter(self, order: int) -> None:
        """Note that the message of this call begins to enter its channel, since the call may never return."""
        ORDER.pack_into(self._waiting, 8, order)

    def go_on(self) -> None:
        """Note that the call has returned."""
        self._waiting[WAITING.size - 1] = 0

    def _new_number(self, words: tuple[str, ...]) -> int:
        with self._lock:
            # another thread may have been here between the look and the lock; its number is the line of the text
            if words not in self._words:
                self._texts.write(("\t".join(words) + "\n").encode())
                self._words[words] = len(self._words) + 1
            return self._words[words]

    def _open_chunk(self) -> None:
        self._entries = self._mapped(f"{next(self._chunks)}.entries", CHUNK)
        self._at = 0

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self.pid}.{ending}"

    def _mapped(self, ending: str, size: int) -> mmap.mmap:
        with self._path(ending).open("wb+") as file:
            file.truncate(size)
            return mmap.mmap(file.fileno(), size)


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry of one process, as it is read."""

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


def read_entries(folder: Path, end: int) -> Iterator[Entry]:
    """Return what was recorded, and last for each process the call in which it was when it was killed.

    `end` (ns) is when such a call is taken to have ended.
    """
    for path in folder.glob("*.words"):
        pid = int(path.stem)
        words = [_columns(text) for text in path.read_text(encoding="utf-8").splitlines()]
        for chunk in folder.glob(f"{pid}.*.entries"):
            for begin, until, order, size, number in ENTRY.iter_unpack(chunk.read_bytes()):
                if number:
                    yield Entry(pid, begin, until, order, size if size >= 0 else None, *words[number - 1])
        begin, order, number, is_waiting = WAITING.unpack(path.with_suffix(".waiting").read_bytes())
        if is_waiting:
            unfinished = Entry(pid, begin, end, order or begin, None, *words[number - 1])
            yield replace(unfinished, outcome="entering") if order else unfinished


def _columns(text: str) -> tuple[str, str, str, str, str, int, str]:
    kind, outcome, thread, identity, label, side, detail = text.split("\t")
    return kind, outcome, thread, identity, label, int(side), detail
