"""On which cores two processes run while they talk: on one they take turns, on two one has to wake the other."""

import os
from dataclasses import dataclass
from pathlib import Path

from helpers.words import percent

_PROCESSOR = 36  # of the fields in /proc/PID/stat that follow the name; see proc_pid_stat(5), which counts from 1


@dataclass(frozen=True)
class Placement:
    """How often the two were seen to have run last on the same core, and how often not; cores as the system counts."""

    on_one: int = 0
    on_two: int = 0

    @property
    def is_known(self) -> bool:
        """False where the system does not tell."""
        return self.on_one + self.on_two > 0

    def __str__(self) -> str:
        if not self.is_known:
            return "on cores that cannot be seen here"
        if self.on_one and self.on_two:
            return f"on one core {percent(self.on_one / (self.on_one + self.on_two), 2)} of the time, else on two"
        return "on one core" if self.on_one else "on two cores"

    def __add__(self, other: "Placement") -> "Placement":
        return Placement(self.on_one + other.on_one, self.on_two + other.on_two)


UNSEEN = Placement()


def look(child: int) -> Placement:
    """Return where this process and a child (its pid) have run last: seen once, or not where the system hides it."""
    ours, theirs = _core_of(os.getpid()), _core_of(child)
    if ours is None or theirs is None:
        return Placement(on_one=1) if os.cpu_count() == 1 else UNSEEN
    return Placement(on_one=1) if ours == theirs else Placement(on_two=1)


def _core_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_PROCESSOR])
    except (OSError, ValueError, IndexError):
        return None
