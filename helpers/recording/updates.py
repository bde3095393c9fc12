"""Lost updates: writes over what another process had written since the writer last read. One rule for all of them."""

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from helpers import validate
from helpers.recording.kinds import EventKind
from helpers.recording.trace import A_RECORDING, Event, Trace

_HELD = (EventKind.ACQUIRE, EventKind.RELEASE)


class DataAccess(NamedTuple):
    """One access to one variable; it may be both a reading and a writing."""

    process: int
    variable: Hashable
    reads: bool
    writes: bool


def lost_writes(accesses: Iterable[DataAccess]) -> list[int]:
    """Return the indices, in the order of the accesses, of those that overwrite what their process has not seen.

    A process that never read the variable loses nothing: it meant to overwrite.
    """
    lost: list[int] = []
    read_at: dict[tuple[int, Hashable], int] = {}  # by process and variable
    written_at: dict[Hashable, tuple[int, int]] = {}  # by variable: when, and by whom
    for now, (process, variable, reads, writes) in enumerate(accesses):
        if reads:
            read_at[process, variable] = now
        if writes:
            last_write, writer = written_at.get(variable, (-1, process))
            if writer != process and read_at.get((process, variable), now) < last_write:
                lost.append(now)
            written_at[variable] = now, process
    return lost


@dataclass(frozen=True)
class Update:
    """The two halves of an update, found in a recording. Times in ns."""

    process: int  # index into Trace.processes
    read_at: int
    wrote_at: int
    seen: int
    written: int
    stale: bool  # another process has written between the two halves


def find_updates(run: Trace, start: int = 0) -> list[Update]:
    """Return each update `+= 1` of the first Value in a recording, in the order of the writes; it began with `start`.

    Each access to a Value takes its lock and gives it back. So in each process accesses are, in turn, read and write.
    Raises TypeError when `run` is no recording, ValueError when no child used a Value in it, or only in part.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    validate.whole_number("start", start, -(2**31), 2**31 - 1)
    accesses = sorted(access for number in range(1, len(run.processes)) for access in _accesses(run, number))
    if not accesses or len(accesses) % 2:
        raise ValueError("run must hold children that read and write a Value, each as often as the other")
    found: list[Update] = []
    open_reads: dict[int, tuple[int, int]] = {}
    value = start
    stale = _stale([number for _, number in accesses])
    for index, (moment, number) in enumerate(accesses):
        if number not in open_reads:
            open_reads[number] = moment, value
        else:
            read_at, seen = open_reads.pop(number)
            found.append(Update(number, read_at, moment, seen, seen + 1, stale=index in stale))
            value = seen + 1
    return found


def _stale(processes: list[int]) -> set[int]:
    """Return which accesses to a Value lose an update, of accesses that are a read and a write by turns."""
    times: Counter[int] = Counter()
    accesses = []
    for process in processes:
        writes = times[process] % 2 == 1
        times[process] += 1
        accesses.append(DataAccess(process, "Value", reads=not writes, writes=writes))
    return set(lost_writes(accesses))


def _accesses(run: Trace, number: int) -> list[tuple[int, int]]:
    """Return (moment, process) of each access to the Value; a lock held around several accesses is none itself."""
    own = [event for event in run.events if event.process == number and event.channel == "Value 1"]
    pairs = itertools.pairwise(own)
    return [(_middle(one, two), number) for one, two in pairs if (one.kind, two.kind) == _HELD]


def _middle(acquired: Event, released: Event) -> int:
    return (acquired.end + released.begin) // 2
