"""Start here: the workers that run in the child processes, what the lesson measures, and the check of the machine."""

import math
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from multiprocessing import get_all_start_methods
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.cards import Card
from helpers.measuring import machine
from helpers.questions import Question
from helpers.recording.recorder import record
from helpers.supervision import left_behind
from helpers.supervision.left_behind import Look, Process
from helpers.words import A_DIFFERENCE

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

# what the lessons need, with room to spare
PROCESSES = 64  # and threads
MEMORY = 500_000_000  # bytes
SHARED_MEMORY = 16_000_000  # bytes
TEMPORARY_ROOM = 100_000_000  # bytes

visits = 0  # every process that imports this module has its own


def add_one(counter: Synchronized) -> None:
    """Add one to the counter."""
    counter.value += 1


def visit(connection: Connection) -> None:
    """Add one to `visits`, a variable of this module, and send what it is now."""
    global visits
    visits += 1
    connection.send({"visits": visits, "process": os.getpid()})


def add_squares(numbers: int) -> int:
    """Add up the squares of 0, 1, 2 and so on, as many as asked for."""
    return sum(number * number for number in range(numbers))


def greet(connection: Connection, name: str) -> None:
    """Send one greeting to the other side."""
    connection.send(f"hello from {name}")


def stand_by(connection: Connection) -> None:
    """Say that you are there, then wait for a word."""
    connection.send("here I am")
    connection.recv()


def divide(connection: Connection, number: int) -> None:
    """Send 100 divided by a number."""
    connection.send(100 / number)


@dataclass(frozen=True)
class Stint:
    """One child's part of a common work: when it was at it, on the clock that all processes share, and for how long."""

    begin: float  # s
    end: float  # s
    busy: float  # s of a processor


def work(connection: Connection, start: Barrier, numbers: int) -> None:
    """Wait until all are there, add up squares, and send when that was, and how much of a processor it took."""
    start.wait()
    begin, used = time.perf_counter(), time.process_time()
    add_squares(numbers)
    used = time.process_time() - used
    connection.send(Stint(begin, time.perf_counter(), used))


def done_together(stints: list[Stint]) -> tuple[float, float]:
    """Return how much work was done, in seconds of a processor, and how long it took from first begin to last end."""
    seconds = max(stint.end for stint in stints) - min(stint.begin for stint in stints)
    # a clock of processor time may be coarse, but nobody is on two processors at once, nor all on more than there are
    busy = sum(min(stint.busy, stint.end - stint.begin) for stint in stints)
    return min(busy, machine.places() * seconds), seconds


def share_work(children: int, thousand_numbers: int, method: str) -> tuple[dict[str, Any], str]:
    """Let each child add up so many squares, all at the same time; the panel of the lesson.

    Return what `lanes` draws, and in words how much was done at once. Raises TypeError or ValueError for fewer than
    one child, more than 32, more than 100 million numbers, or an unknown start method.
    """
    validate.whole_number("children", children, 1, 32)
    numbers = 1000 * validate.whole_number("thousand_numbers", thousand_numbers, 1, 100_000)
    ctx = validate.context_of(method)
    with record(deadline=60) as run:
        reader, writer = ctx.Pipe(duplex=False)
        start = ctx.Barrier(children)
        for number in range(children):
            # so short a message fits into the pipe in one piece, so the children may share its end
            ctx.Process(target=work, args=(writer, start, numbers), name=f"child {number + 1}").start()
        busy, seconds = done_together([reader.recv() for _ in range(children)])
    verdict = f"The children computed for {busy:.2f} s in all, within {seconds:.2f} s: {busy / seconds:.1f} processors"
    return {"run": run}, f"{verdict} at work."


def megabytes(pid: int) -> float:
    """Return how much memory a process holds, with what it may share with others, in MB (its resident set size).

    Raises TypeError or ValueError for what is no process id, and psutil.NoSuchProcess for one that no process has.
    """
    import psutil

    return psutil.Process(validate.whole_number("pid", pid, 1, 2**31)).memory_info().rss / 1e6


def what_may_be_used() -> str:
    """Say how many processors this program may use, and whether this Python has a GIL."""
    count = machine.processors()
    # the question came with the builds that have none, in 3.13
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return f"{count:g} processor{'' if count == 1 else 's'} may be used; a GIL: {'yes' if has_gil else 'no'}"


@dataclass(frozen=True)
class Check:
    """One line of the report on this machine."""

    what: str
    found: str
    ok: bool
    repair: str = ""  # the one command to type in a terminal when it is not ok


Finding = tuple[str, bool, str]  # the same without its name


def check_machine() -> list[Check]:
    """Return what this machine offers for these lessons, each failure with the command that repairs it.

    It ends and removes nothing that may be in use, and whatever is odd about the machine is a line of the report.
    """
    orphans, semaphores = _left_behind_in_two_looks()
    findings: dict[str, Callable[[], Finding]] = {
        "Python": _python,
        "packages": _packages,
        "start methods": _start_methods,
        "processors": _processors,
        "processes": _processes,
        "memory": _memory,
        "shared memory": _shared_memory,
        "temporary folder": _temporary_folder,
        "processes left behind": partial(_orphans, orphans),
        "semaphores left behind": partial(_semaphores, semaphores),
    }
    return [_check(what, find) for what, find in findings.items()]


def _check(what: str, find: Callable[[], Finding]) -> Check:
    try:
        return Check(what, *find())
    except Exception as error:  # the other lines are of use all the same
        return Check(what, f"could not be found out: {type(error).__name__}: {error}", ok=False)


def _python() -> Finding:
    ok = sys.version_info >= (3, 11)
    newer = "make clean lab PYTHON=python3.12" if os.name != "nt" else "py -3.12 -m venv --clear .venv"
    return platform.python_version(), ok, "" if ok else newer


def _pip_install(what: str) -> str:
    """Return the command that installs it for this Python, whatever the folder of that is called."""
    python = shlex.quote(sys.executable)
    if os.name == "nt":
        # PowerShell takes a name in quotes for a text, unless it is told to call it
        python = f'& "{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m pip install {what}"


def _packages() -> Finding:
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(line) for line in metadata.requires("talking-processes") or []]
    except metadata.PackageNotFoundError:
        return "this project is not installed", False, _pip_install("-e .")
    needed = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    missing = [str(each) for each in needed if not _is_installed(each.name, each.specifier)]
    found = f"{len(needed) - len(missing)} of {len(needed)}" + (f", missing: {', '.join(missing)}" if missing else "")
    return found, not missing, _pip_install("-r requirements.txt") if missing else ""


def _is_installed(name: str, allowed: "SpecifierSet") -> bool:
    try:
        return allowed.contains(metadata.version(name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def _start_methods() -> Finding:
    methods = get_all_start_methods()
    return ", ".join(methods), "spawn" in methods, ""


def _processors() -> Finding:
    ours, all_of_them = machine.processors(), os.cpu_count() or 1
    found = f"{ours:g}" if ours == all_of_them else f"{ours:g} of {all_of_them} may be used"
    return found if ours >= 2 else f"{found}: everything works, but processes take turns", True, ""


def _processes() -> Finding:
    room = machine.processes()
    if room.allowed == math.inf:
        return "not limited", True, ""
    # more processes than any lesson starts are of no use, so only who runs this machine can repair it
    return f"{room.left:,.0f} more of {room.allowed:,.0f} may be started", room.left >= PROCESSES, ""


def _memory() -> Finding:
    import psutil

    all_of_it, group = psutil.virtual_memory(), machine.memory()
    free, allowed = min(all_of_it.available, group.left), min(all_of_it.total, group.allowed)
    return f"{_size(free)} free of {_size(allowed)}", free >= MEMORY, ""


def _shared_memory() -> Finding:
    room = machine.shared_memory()
    if room is None:
        return "not limited", True, ""
    return f"{_size(room.left)} free of {_size(room.allowed)}", room.left >= SHARED_MEMORY, ""


def _temporary_folder() -> Finding:
    room, trouble = machine.temporary_room(), machine.socket_trouble()
    if trouble:
        return f"a manager cannot open its socket: {trouble}", False, ""
    return f"{_size(room)} free", room >= TEMPORARY_ROOM, ""


def _size(count: float) -> str:
    """Return a number of bytes in words, such as "24.7 GB"."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def _orphans(seen: Look) -> Finding:
    pids = sorted(process.pid for process in seen.found)
    kill = f"kill -9 {' '.join(map(str, pids))}"
    if os.name == "nt":
        kill = "taskkill /F " + " ".join(f"/PID {pid}" for pid in pids)
    return _count(seen), not pids, kill if pids else ""


def _semaphores(seen: Look) -> Finding:
    if os.name == "nt":
        return "none: this system tidies up by itself", True, ""
    paths = sorted(map(str, seen.found))
    return _count(seen), not paths, f"rm {' '.join(paths)}" if paths else ""


def _count(seen: Look) -> str:
    return f"not looked for: {seen.unseen}" if seen.unseen else str(len(seen.found) or "none")


def _left_behind_in_two_looks() -> tuple[Look, Look]:
    """Return the children without a parent, and the semaphores without a user, that both looks have found."""
    orphans, semaphores = _look(_orphans_now), _look(left_behind.semaphores)
    time.sleep(left_behind.APART)
    return orphans & _look(_orphans_now), semaphores & _look(left_behind.semaphores)


def _look(find: Callable[[], Look]) -> Look:
    try:
        return find()
    except Exception as error:  # what cannot be seen is not said to be left behind
        return Look(frozenset(), f"{type(error).__name__}: {error}")


def _orphans_now() -> Look:
    import psutil

    # Windows knows users by their names
    owner = "uids" if hasattr(psutil.Process, "uids") else "username"
    table = [each.info for each in psutil.process_iter(["pid", "ppid", "cmdline", "create_time", owner])]
    processes = [
        Process(
            line["pid"],
            line["ppid"],
            getattr(line[owner], "real", line[owner]),
            tuple(line["cmdline"] or ()),
            line["create_time"] or 0.0,
        )
        for line in table
    ]
    return left_behind.orphans(processes, os.getuid() if owner == "uids" else psutil.Process().username())


def _quicker(times: Mapping[str, float]) -> str:
    ratio = times["two threads"] / times["two processes"]
    if ratio >= A_DIFFERENCE:
        return "processes"
    return "threads" if ratio <= 1 / A_DIFFERENCE else "same"


def _noticed(went_on: bool) -> str:
    return "nothing" if went_on else "raises"


QUESTIONS = {
    "sharing": Question(
        "The child calls `visit` once and ends. What is start_here.visits in the parent afterwards?",
        {
            "0": "The child has a `visits` of its own. It added one to that.",
        },
        {"0": "0", "1": "1", "differs": "it differs from run to run"},
        judge=str,
    ),
    "twice": Question(
        "Which pair is done sooner, the two threads or the two processes? "
        f"Less than {A_DIFFERENCE} times apart counts as no difference.",
        {
            "processes": "Each process has an interpreter of its own. Two threads share one, and often must take "
            "turns at it.",
            "threads": "Where there is no GIL, threads lose nothing by sharing a process. If there is one here, as "
            "the line above tells, run the cell again.",
            "same": "Processes gain where threads must take turns, and where a second processor is free. Look above "
            "which of the two may be missing, and run the cell again.",
        },
        {"threads": "the two threads", "processes": "the two processes", "same": "no difference"},
        judge=_quicker,
    ),
    "error": Question(
        "The worker divides by 0. What does the parent notice when it calls `join()`?",
        {
            "nothing": "An error stays in its process. `join()` only waits for the end, whatever the end is like.",
        },
        {
            "raises": "join() raises ZeroDivisionError",
            "nothing": "nothing: join() returns, and the parent goes on",
            "ends": "the parent ends as well",
        },
        judge=_noticed,
    ),
}

CARD = Card(
    "Each process has a memory of its own",
    {"parent": (0, 0), "child": (1.6, 0)},
    {"its memory": (0, 1), "its own": (1.6, 1)},
    [("parent", "child", "start()"), ("child", "parent", "exit code"), ("parent", "its memory", "has"),
     ("child", "its own", "has")],
    """\
counter = ctx.Value("i", 0)
child = ctx.Process(target=add_one, args=(counter,))
child.start()
child.join()
print(counter.value, child.exitcode)""",
    "1 0",
    [
        "What a child changes in its own variables, its parent never sees.",
        "`join()` returns also when the child has failed. Look at `exitcode`.",
        "Two that add one may come to 1: `+= 1` reads first, and then writes.",
    ],
    imports="from helpers.lessons.start_here import add_one",
)  # fmt: skip
