"""Facts about this machine and this Python that decide what communication costs, each found out or left out."""

import os
import platform
import re
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_all_start_methods
from pathlib import Path

from helpers.measuring import machine

SYSTEM = Path("/sys")
Fact = str | int | float


def facts() -> dict[str, Fact]:
    """Return what is known, by name: sizes in bytes; names of people, machines and folders are not among them."""
    found: dict[str, Fact] = {}
    for name, ask in _QUESTIONS.items():
        # a machine that does not tell lacks the fact, and nothing else
        with suppress(OSError, ValueError, AttributeError, ImportError):
            answer = ask()
            if answer not in ("", None) and answer != float("inf"):
                found[name] = answer
    return found


def _pipe_size() -> Fact:
    """Return how many bytes the buffer of a pipe holds (Linux)."""
    import fcntl

    reader, writer = os.pipe()
    try:
        return fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    finally:
        os.close(reader)
        os.close(writer)


def _socket_buffer() -> Fact:
    """Return how many bytes a socket pair may hold on one side: a duplex Pipe() is one, but on Windows."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def _shared_memory() -> Fact:
    room = machine.shared_memory()
    return "" if room is None else int(room.allowed)


def _processors() -> Fact:
    return ",".join(map(str, sorted(os.sched_getaffinity(0))))


def _siblings() -> Fact:
    """Return which of the processors share a core, such as "0,4 1,5"."""
    cores = {
        _line(SYSTEM / f"devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        for number in os.sched_getaffinity(0)
    }
    return " ".join(sorted(filter(None, cores)))


def _mitigations() -> Fact:
    """Return what the kernel does about faults of the processor; each makes calls into the kernel dearer."""
    files = sorted((SYSTEM / "devices/system/cpu/vulnerabilities").iterdir())
    said = {file.name: _line(file) for file in files}
    return "; ".join(f"{name}: {words}" for name, words in said.items() if words and words != "Not affected")


def _virtual_machine() -> Fact:
    flags = _text(machine.PROC / "cpuinfo")
    product = _line(SYSTEM / "class/dmi/id/product_name")
    if re.search(r"^flags\b.*\bhypervisor\b", flags, re.MULTILINE):
        return f"yes, {product}" if product else "yes"
    return "not seen" if flags else ""


def _clock() -> Fact:
    resolution = time.get_clock_info("perf_counter").resolution
    source = _line(SYSTEM / "devices/system/clocksource/clocksource0/current_clocksource")
    return f"{source or time.get_clock_info('perf_counter').implementation}, resolution {1e9 * resolution:g} ns"


def _gil() -> Fact:
    # the question came with the builds that have none, in 3.13
    return "enabled" if getattr(sys, "_is_gil_enabled", lambda: True)() else "disabled"


def _line(path: Path) -> str:
    """Return the words of a small file in one line; nothing when it is not there or may not be read."""
    return " ".join(_text(path).split())


def _text(path: Path) -> str:
    """Return the text of a small file; nothing when it is not there or may not be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


_QUESTIONS: dict[str, Callable[[], Fact]] = {
    "pipe_size": _pipe_size,
    "socket_buffer": _socket_buffer,
    "shared_memory_size": _shared_memory,
    "processors_allowed": machine.processors,
    "processors": _processors,
    "processor_siblings": _siblings,
    "memory_allowed": lambda: int(allowed) if (allowed := machine.memory().allowed) < float("inf") else "",
    "processes_allowed": lambda: int(allowed) if (allowed := machine.processes().allowed) < float("inf") else "",
    "mitigations": _mitigations,
    "gil": _gil,
    "libc": lambda: " ".join(platform.libc_ver()).strip(),
    "virtual_machine": _virtual_machine,
    "clock": _clock,
    "start_methods": lambda: ", ".join(get_all_start_methods()),
}
