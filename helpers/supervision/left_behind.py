"""What programs that were killed left behind: children without a parent, and semaphores that nobody uses.

Whoever reads of them may end or remove them. So only what is certain is named: two looks are taken, and what cannot
be seen here is said to be unseen.
"""

import mmap
import os
import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

PROC = Path("/proc")
SHARED_MEMORY = Path("/dev/shm")
APART = 0.5  # s between two looks: who is just starting or ending looks left behind in one of them at most
FIRST_NAMESPACE = 0xEFFFFFFC  # of processes, the one outside of all containers: PROC_PID_INIT_INO in linux/proc_ns.h
# what multiprocessing starts; its resource tracker ends by itself, when the last one that it serves has gone
WORKERS = ("multiprocessing.spawn", "multiprocessing.forkserver", "--multiprocessing-fork")
# processes that are given the orphans of others
INITS = ("init", "systemd", "launchd")
PYTHONS = ("python", "pypy", "jupyter", "ipython")

File = tuple[int, int]  # device and inode: semaphores are mapped under a name that no longer exists


@dataclass(frozen=True)
class Process:
    """One line of the system's table of processes."""

    pid: int
    parent: int
    user: int | str | None  # None: may not be known to us
    command: tuple[str, ...]
    begin: float  # s since 1970

    @property
    def program(self) -> str:
        """The name of the file that it runs, without its folder."""
        return PurePath(self.command[0].replace("\\", "/")).name if self.command else ""


@dataclass(frozen=True)
class Look:
    """What looked left behind at one moment; `unseen` says why it cannot be told, if it cannot."""

    found: frozenset
    unseen: str = ""

    def __and__(self, other: "Look") -> "Look":
        return Look(self.found & other.found, self.unseen or other.unseen)


def orphans(processes: Collection[Process], user: int | str) -> Look:
    """Return the workers of multiprocessing that are this user's, and whose parent has gone."""
    by_pid = {process.pid: process for process in processes}
    workers = [each for each in processes if each.user == user and any(w in " ".join(each.command) for w in WORKERS)]
    return Look(frozenset(each for each in workers if _has_lost_its_parent(each, by_pid)))


def _has_lost_its_parent(child: Process, by_pid: Mapping[int, Process]) -> bool:
    parent = by_pid.get(child.parent)
    if parent is None:
        # Windows keeps the number of a parent that has gone; elsewhere it is one that we may not see, save the first
        return os.name == "nt" or child.parent == 1
    if parent.begin > child.begin:
        return True  # another process got the number of the one that has gone
    # in a container Jupyter itself may be the first process, and its children are no orphans
    is_first = parent.pid == 1 and not parent.program.startswith(PYTHONS)
    return is_first or parent.program in INITS


def semaphores() -> Look:
    """Return the paths of multiprocessing's semaphores that are this user's, and that no process has mapped.

    A process that made a semaphore keeps it mapped for as long as it may use it or hand on its name.
    """
    if unseen := _why_unseen():
        return Look(frozenset(), unseen)
    ours = _semaphores_of(os.getuid())
    used = set()
    for process in PROC.glob("[0-9]*"):
        try:
            used |= mapped_files((process / "maps").read_text(errors="replace"))
        except PermissionError:
            if may_use_those_of(os.getuid(), _status(process)):
                return Look(frozenset(), "a program that does not let us look may use them")
        except OSError:
            continue  # it has ended meanwhile
    return Look(frozenset(path for path, file in ours.items() if file not in used))


def may_use_those_of(user: int, status: str) -> bool:
    """Tell from a /proc/PID/status whether this may be a Python of the user: others cannot open what is the user's."""
    return re.search(rf"^Uid:\s+{user}\s", status, re.MULTILINE) is not None and status.startswith(
        tuple(f"Name:\t{name}" for name in PYTHONS)
    )


def mapped_files(maps: str) -> set[File]:
    """Return the files that a process has mapped into its memory, from its /proc/PID/maps (proc(5))."""
    files = set()
    for line in filter(None, maps.split("\n")):  # a name may contain what else ends a line
        _, _, _, device, inode, *_ = line.split(maxsplit=5)
        major, minor = device.split(":")
        files.add((os.makedev(int(major, 16), int(minor, 16)), int(inode)))
    return files


def _why_unseen() -> str:
    """Return why it cannot be seen here who uses a semaphore, or nothing when it can."""
    if not SHARED_MEMORY.is_dir() or not PROC.is_dir():
        return "this system does not show them"
    try:
        if (PROC / "self/ns/pid").stat().st_ino != FIRST_NAMESPACE:
            return "programs outside of this container may use them"
        return "" if _a_file_in_use_is_seen() else "this system does not show who uses them"
    except OSError as error:
        return f"this system does not show who uses them: {error.strerror}"


def _a_file_in_use_is_seen() -> bool:
    """Look for a file of which we know that it is in use."""
    maps = PROC / "self/maps"
    with tempfile.TemporaryFile(dir=SHARED_MEMORY) as file:
        file.truncate(mmap.PAGESIZE)
        with mmap.mmap(file.fileno(), mmap.PAGESIZE):
            return _identity(os.fstat(file.fileno())) in mapped_files(maps.read_text(errors="replace"))


def _semaphores_of(user: int) -> dict[Path, File]:
    files = {}
    for path in SHARED_MEMORY.glob("sem.mp-*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # put away meanwhile
        if status.st_uid == user:
            files[path] = _identity(status)
    return files


def _status(process: Path) -> str:
    try:
        return (process / "status").read_text(errors="replace")
    except OSError:
        return ""


def _identity(status: os.stat_result) -> File:
    return status.st_dev, status.st_ino
