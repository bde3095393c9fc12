"""Lost updates: writes over what another process had written since the writer last read. One rule for all of them."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from helpers.scheduling.program.semantics import READS, WRITES

if TYPE_CHECKING:
    from helpers.scheduling.model.model import Step


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


def lost_updates(steps: "Sequence[Step]") -> list[int]:
    """Return the indices of the steps that overwrote what another process had written since the writer last read it."""
    found = [
        (index, DataAccess(step.process, access.variable, access.verb in READS, access.verb in WRITES))
        for index, step in enumerate(steps)
        for access, _ in step.done
        if access.verb in READS | WRITES
    ]
    return [found[lost][0] for lost in lost_writes(access for _, access in found)]
