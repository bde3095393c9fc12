"""What this machine lets us use: processors, processes, memory, and room for shared memory and for temporary files.

A hub or a container often allows less than the machine has. On Linux it does so by control groups, whose files are
described in cgroups(7) and, in the kernel's Documentation/admin-guide, in cgroup-v2.rst and cgroup-v1. A number that
is not limited, or whose limit cannot be seen, is infinity.
"""

import math
import os
import re
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from helpers.supervision.runtime_folder import runtime_folder

PROC = Path("/proc")
SHARED_MEMORY = Path("/dev/shm")
NO_LIMIT = 2**60  # bytes; version 1 writes the largest number of pages for a memory that is not limited


@dataclass(frozen=True)
class Allowance:
    """How much of something may be used, and how much of that is in use (0 where that cannot be seen)."""

    allowed: float
    used: float

    @property
    def left(self) -> float:
        """What may still be used; never negative."""
        return max(0.0, self.allowed - self.used)


def processors() -> float:
    """Return how many processors may be at work for this process at one time, such as 2 or 0.5."""
    return min([places(), *(_processors_of(group) for group in control_groups("cpu"))])


def places() -> int:
    """Return how many processors this process may be put on; a quota may allow a part of their time only."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processes() -> Allowance:
    """Return how many processes and threads may be started, by this user and in this container."""
    return _tightest(_processes_of_user(), *(_processes_of(group) for group in control_groups("pids")))


def memory() -> Allowance:
    """Return how many bytes of memory this container allows; what only caches files is not counted as used."""
    return _tightest(Allowance(math.inf, 0), *(_memory_of(group) for group in control_groups("memory")))


def shared_memory() -> Allowance | None:
    """Return how many bytes /dev/shm may hold; None where there is no such folder."""
    if not SHARED_MEMORY.is_dir():
        return None
    room = shutil.disk_usage(SHARED_MEMORY)
    return Allowance(room.total, room.total - room.free)


def temporary_room() -> int:
    """Return how many bytes may still be written to the temporary folder. Raises OSError where there is none."""
    return shutil.disk_usage(tempfile.gettempdir()).free


def socket_trouble() -> str:
    """Return why a manager cannot open its socket in the folder that supervised blocks use, or nothing when it can."""
    if os.name == "nt":
        return ""  # there named pipes take the place of such sockets
    try:
        path = runtime_folder() / "listener-12345678"  # as long as the names that multiprocessing chooses
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
        path.unlink()
    except OSError as error:
        return str(error)
    return ""


def control_groups(controller: str) -> list[Path]:
    """Return the folders of this process's control groups for "cpu", "memory" or "pids", innermost first.

    The limits of all of them hold.
    """
    return group_folders(_text(PROC / "self/cgroup"), _text(PROC / "self/mountinfo"), controller)


def group_folders(cgroup: str, mountinfo: str, controller: str) -> list[Path]:
    """Return the folders of the groups for a controller, innermost first, from the text of two files of /proc/self.

    A controller that is in use by version 1 is not in version 2. What lies above the mounted group cannot be seen.
    """
    places: dict[str, PurePosixPath] = {}
    for line in filter(None, cgroup.split("\n")):
        _, controllers, group = line.split(":", 2)
        places |= dict.fromkeys(controllers.split(","), PurePosixPath(group))
    version_2 = controller not in places
    place = places.get("" if version_2 else controller)
    if place is None:
        return []
    for line in filter(None, mountinfo.split("\n")):
        mounted, _, source = line.partition(" - ")
        root, point = (_unescaped(word) for word in mounted.split()[3:5])
        kind, *_, options = source.split()
        if kind == "cgroup2" if version_2 else kind == "cgroup" and controller in options.split(","):
            is_seen = place.is_relative_to(root) and ".." not in place.parts
            inner = place.relative_to(root) if is_seen else PurePosixPath()
            return [Path(point, inner), *(Path(point, each) for each in inner.parents)]
    return []


def quota(text: str) -> float:
    """Return a number of processors from microseconds of processor time and of a period: "150000 100000" is 1.5."""
    time, period = text.split() if text.strip() else ("max", "")
    return math.inf if time in ("max", "-1") else int(time) / int(period)


def limit(text: str) -> float:
    """Return a limit as a number: "max", nothing and a huge number are none."""
    number = math.inf if text.strip() in ("", "max", "-1") else int(text)
    return number if number < NO_LIMIT else math.inf


def cached(stat: str) -> int:
    """Return how many bytes of a group's memory only cache files and can be taken back, from its memory.stat."""
    numbers = dict(line.split() for line in stat.splitlines())
    # in version 1 only the total counts the groups below
    return int(numbers.get("total_inactive_file", numbers.get("inactive_file", 0)))


def user_and_threads(status: str) -> tuple[int, int]:
    """Return the real user of a process and its number of threads, from its /proc/PID/status (proc(5))."""
    numbers = dict(re.findall(r"^(Uid|Threads):\s+(\d+)", status, re.MULTILINE))
    return int(numbers["Uid"]), int(numbers["Threads"])


def _processors_of(group: Path) -> float:
    parts = _text(group / "cpu.cfs_quota_us") + " " + _text(group / "cpu.cfs_period_us")
    return quota(_text(group / "cpu.max") or parts)


def _processes_of(group: Path) -> Allowance:
    return Allowance(limit(_text(group / "pids.max")), int(_text(group / "pids.current") or 0))


def _processes_of_user() -> Allowance:
    try:
        import resource
    except ImportError:
        return Allowance(math.inf, 0)  # Windows has no such limit
    allowed, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if os.getuid() == 0 or allowed == resource.RLIM_INFINITY:
        return Allowance(math.inf, 0)  # root is not bound by it
    texts = filter(None, (_text(path) for path in PROC.glob("[0-9]*/status")))
    return Allowance(allowed, sum(threads for user, threads in map(user_and_threads, texts) if user == os.getuid()))


def _memory_of(group: Path) -> Allowance:
    allowed = limit(_text(group / "memory.max") or _text(group / "memory.limit_in_bytes"))
    used = int(_text(group / "memory.current") or _text(group / "memory.usage_in_bytes") or 0)
    return Allowance(allowed, max(0, used - cached(_text(group / "memory.stat"))))


def _tightest(*allowances: Allowance) -> Allowance:
    return min(allowances, key=lambda each: each.left)


def _text(path: Path) -> str:
    """Return the text of a small file; nothing when there is none, or it may not be read, or has gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _unescaped(word: str) -> str:
    """Return a path of mountinfo, where a blank is written as \\040 (proc(5))."""
    return re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), word)
