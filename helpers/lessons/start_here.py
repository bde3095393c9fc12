"""Lesson 00, start here: the workers that run in the child processes, and the check of the machine."""

import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from helpers import validate
from helpers.recording.recorder import record

counter = 0  # every process that imports this module has its own


def greet(connection: Connection, name: str) -> None:
    """Send one greeting to the other side."""
    connection.send(f"hello from {name}")


def add_one(connection: Connection) -> None:
    """Add one to this process's `counter`, and send who did it and what it is now."""
    global counter
    counter += 1
    connection.send({"pid": os.getpid(), "counter": counter})


@dataclass(frozen=True)
class Stint:
    """One child's part of a common work: when it was at it, on the clock that all processes share, and for how long."""

    begin: float  # s
    end: float  # s
    busy: float  # s of a processor


def work(connection: Connection, start: Barrier, steps: int) -> None:
    """Wait for the start, add up squares, and send when that was, and how much of a processor it took."""
    start.wait()
    begin, used = time.perf_counter(), time.process_time()
    sum(number * number for number in range(steps))
    used = time.process_time() - used
    connection.send(Stint(begin, time.perf_counter(), used))


def done_together(stints: list[Stint]) -> tuple[float, float]:
    """Return how much work was done, in seconds of a processor, and how long it took from first begin to last end."""
    # a clock of processor time may be coarse, but who computes alone is on one processor at most
    busy = sum(min(stint.busy, stint.end - stint.begin) for stint in stints)
    return busy, max(stint.end for stint in stints) - min(stint.begin for stint in stints)


def share_work(children: int, thousand_steps: int, method: str) -> tuple[dict[str, Any], str]:
    """Let each child add up so many squares, all at the same time; the panel of lesson 00.

    Return what `lanes` draws, and in words how much was done at once. Raises TypeError or ValueError for fewer than
    one child, more than 32, more than 100 million steps, or an unknown start method.
    """
    validate.whole_number("children", children, 1, 32)
    steps = 1000 * validate.whole_number("thousand_steps", thousand_steps, 1, 100_000)
    ctx = get_context(validate.start_method(method))
    with record(deadline=60) as run:
        reader, writer = ctx.Pipe(duplex=False)
        start = ctx.Barrier(children)
        for number in range(children):
            # so short a message fits into the pipe in one piece, so the children may share its end
            ctx.Process(target=work, args=(writer, start, steps), name=f"child {number + 1}").start()
        busy, seconds = done_together([reader.recv() for _ in range(children)])
    return {"run": run}, f"{busy:.2f} s of work were done in {seconds:.2f} s: {busy / seconds:.1f} processors at work."


@dataclass(frozen=True)
class Check:
    """One line of the report on this machine."""

    what: str
    found: str
    ok: bool
    repair: str = ""  # the one command to type in a terminal when it is not ok


def check_machine() -> list[Check]:
    """Return what this machine offers for these lessons, each failure with the command that repairs it."""
    return [_python(), _packages(), _start_methods(), _cores(), _orphans(), _shared_memory()]


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check("Python", platform.python_version(), ok, "" if ok else "make clean lab PYTHON=python3.12")


def _packages() -> Check:
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(line) for line in metadata.requires("talking-processes") or []]
    except metadata.PackageNotFoundError:
        return Check("packages", "this project is not installed", False, f"{sys.executable} -m pip install -e .")
    needed = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    missing = [str(each) for each in needed if not _is_installed(each.name, each.specifier)]
    found = f"{len(needed) - len(missing)} of {len(needed)}" + (f", missing: {', '.join(missing)}" if missing else "")
    return Check("packages", found, not missing, "pip install -r requirements.txt" if missing else "")


def _is_installed(name: str, allowed: object) -> bool:
    try:
        return allowed.contains(metadata.version(name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def _start_methods() -> Check:
    methods = get_all_start_methods()
    return Check("start methods", ", ".join(methods), "spawn" in methods)


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = f"{cores}" if cores > 1 else "1: everything works, but two processes take turns"
    return Check("processor cores", found, True)


def _orphans() -> Check:
    """Look for children of multiprocessing whose parent has died."""
    import psutil

    orphans = []
    for process in psutil.process_iter(["pid", "ppid", "cmdline", "uids"]):
        command = " ".join(process.info["cmdline"] or [])
        if "multiprocessing" in command and process.info["ppid"] in (0, 1):
            orphans.append(process.info["pid"])
    kill = "taskkill /F " + " ".join(f"/PID {pid}" for pid in orphans)
    kill = kill if os.name == "nt" else f"kill -9 {' '.join(map(str, orphans))}"
    return Check("processes left behind", str(len(orphans) or "none"), not orphans, kill if orphans else "")


def _shared_memory() -> Check:
    """Look for semaphores and shared memory in /dev/shm that no process uses any more."""
    names = set(_multiprocessing_names()) - _names_in_use()
    found = "none" if os.name != "nt" else "none: this system tidies up by itself"
    rm = "rm " + " ".join(f"/dev/shm/{name}" for name in sorted(names))
    return Check("semaphores left behind", str(len(names) or found), not names, rm if names else "")


def _multiprocessing_names() -> Iterator[str]:
    for path in Path("/dev/shm").glob("*"):
        if path.name.startswith(("sem.mp-", "psm_")) and path.owner() == Path.home().owner():
            yield path.name


def _names_in_use() -> set[str]:
    in_use = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            text = maps.read_text()
        except OSError:
            continue  # ended meanwhile, or another user's
        in_use.update(line.rsplit("/", 1)[-1] for line in text.splitlines() if "/dev/shm/" in line)
    return in_use
