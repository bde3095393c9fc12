"""What sits in each kernel of the campaign: it runs blocks, interrupts them at a line, and says what is not as before.

The moments that it notes can be read by another process while the kernel is busy, and after it is dead.
"""

import copy
import gc
import mmap
import os
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import current_process, forkserver, reduction, resource_tracker, shared_memory
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from IPython import get_ipython

MOMENT = struct.Struct("<d")  # s, of time.monotonic(), which is the same clock in all processes; 0 means not yet
BEGAN, INTERRUPTED, ENDED = range(0, 3 * MOMENT.size, MOMENT.size)
MOMENTS_SIZE = 3 * MOMENT.size
INSTRUMENTS = tuple(str(Path(__file__).parents[2] / "helpers" / room) for room in ("supervision", "recording"))

Line = tuple[str, int]  # file and number

_moments: mmap.mmap
_before: dict[str, Any]


def settle_in(moments: Path, mark: str) -> None:
    """Note moments in this file from now on, and put a mark of our own into the names of semaphores and segments."""
    global _moments
    with moments.open("r+b") as file:
        _moments = mmap.mmap(file.fileno(), MOMENTS_SIZE)
    current_process()._config["semprefix"] = f"/{mark}"
    shared_memory._SHM_NAME_PREFIX = f"/{mark}"
    # what children write is passed on at once, and what is opened for that the first time is open from the start
    for stream in (sys.stdout, sys.stderr):
        stream.flush_interval = 0.01  # s
    os.write(1, b"\n")


def write(words: str) -> None:
    """Write what comes after all that children have written."""
    os.write(2, words.encode())


def run(block: Callable[[], object], line: Line | None = None) -> None:
    """Run a block as a cell does; given a line, Ctrl-C comes just before that line runs for the first time."""
    _note(BEGAN)
    if line:
        sys.settrace(_tracer(lambda frame: _line(frame) == line and _interrupt(frame)))
    try:
        block()
    finally:
        sys.settrace(None)
    _note(ENDED)


def lines_of(block: Callable[[], object]) -> list[Line]:
    """Run a block; return the lines that it reaches in the instruments and in what they call, in the main thread."""
    lines: dict[Line, None] = {}
    sys.settrace(_tracer(lambda frame: lines.setdefault(_line(frame))))
    try:
        block()
    finally:
        sys.settrace(None)
    return list(lines)


def is_instrument(line: Line) -> bool:
    """Tell whether a line belongs to an instrument."""
    return line[0].startswith(INSTRUMENTS)


def remember() -> None:
    """Take things as they are now for the measure of `report`."""
    global _before
    _forget_errors()
    _before = _state()


def servers() -> tuple[list[int], list[str]]:
    """Return what multiprocessing keeps for itself as long as the kernel lives: pids of servers, paths of sockets."""
    tracker, server = resource_tracker._resource_tracker, forkserver._forkserver
    return list(filter(None, [tracker._pid, server._forkserver_pid])), list(filter(None, [server._forkserver_address]))


def report(patience: float) -> tuple[int, list[str]]:
    """Return how many KeyboardInterrupts the last cell showed, and what differs from what `remember` saw.

    Threads that were told to end have `patience` seconds to do so.
    """
    interrupts = sum(isinstance(error, KeyboardInterrupt) for error in _shown(getattr(sys, "last_value", None)))
    _forget_errors()
    until = time.monotonic() + patience
    while (changed := _changes()) and time.monotonic() < until:
        time.sleep(0.02)
    return interrupts, changed


def _note(moment: int) -> None:
    MOMENT.pack_into(_moments, moment, time.monotonic())


def _line(frame: FrameType) -> Line:
    return frame.f_code.co_filename, frame.f_lineno


def _tracer(reach: Callable[[FrameType], object]) -> Callable[..., Any]:
    """Return a trace function that calls `reach` before each line of the instruments, and of what they call."""
    ours = os.getpid()

    def on_call(frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        # a forked child inherits this function
        if os.getpid() != ours:
            return None
        is_below = frame.f_back is not None and frame.f_back.f_trace is not None
        return on_line if is_below or is_instrument(_line(frame)) else None

    def on_line(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "line" and os.getpid() == ours:
            reach(frame)
        return on_line

    return on_call


def _interrupt(frame: FrameType) -> None:
    """Do what Jupyter and a terminal do, interrupt the whole group; the signal finds the main thread in this frame."""
    sys.settrace(None)
    _note(INTERRUPTED)
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        # else the handler would see this function
        signal.signal(signal.SIGINT, lambda number, _: handler(number, frame))
    try:
        if hasattr(os, "killpg"):
            os.killpg(os.getpgrp(), signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, handler)


def _shown(error: BaseException | None) -> list[BaseException]:
    """Return an error and those that are printed with it."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _forget_errors() -> None:
    """Let go of the last traceback, which keeps alive whatever its frames hold."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        setattr(sys, name, None)
    shell = get_ipython()
    for formatter in (shell.InteractiveTB, shell.SyntaxTB):
        vars(formatter).update(dict.fromkeys(vars(formatter).keys() & {"etype", "evalue", "value", "tb"}))
    gc.collect()


def _changes() -> list[str]:
    now = _state()
    # one that had been told to end has ended meanwhile
    _before["threads"] &= now["threads"]
    return [f"{name}: {_difference(old, now.get(name))!r}" for name, old in _before.items() if now.get(name) != old]


def _difference(old: Any, new: Any) -> Any:
    return old ^ new if isinstance(old, set) else new


def _state() -> dict[str, Any]:
    """Return what blocks may change and have to put back, by name."""
    state: dict[str, Any] = {
        "threads": set(threading.enumerate()),
        "sys.meta_path": list(sys.meta_path),
        "sys.stderr": sys.stderr,
        "sys.excepthook": sys.excepthook,
        "sys.unraisablehook": sys.unraisablehook,
    }
    state |= {f"reducer of {kind}": function for kind, function in reduction.ForkingPickler._extra_reducers.items()}
    state |= {f"handler of {number.name}": signal.getsignal(number) for number in signal.valid_signals()
              if isinstance(number, signal.Signals)}  # fmt: skip
    if hasattr(signal, "pthread_sigmask"):
        state["signal mask"] = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    for name, module in list(sys.modules.items()):
        if name.startswith("multiprocessing"):
            state |= _functions(name, module)
        elif name.startswith(("helpers.supervision", "helpers.recording")):
            state |= _variables(name, module)
    return state


def _functions(path: str, owner: Any) -> dict[str, Any]:
    """Return each function of a module or class, and its code, by name."""
    found = {}
    for name, value in list(vars(owner).items()):
        if isinstance(value, type) and value.__module__ == path:
            found |= _functions(f"{path}.{name}", value)
        elif callable(value):
            found[f"{path}.{name}"] = value, getattr(value, "__code__", None)
    return found


def _variables(path: str, module: ModuleType) -> dict[str, Any]:
    """Return what an instrument remembers between blocks, such as a list of open ones, by name."""
    variables = {f"{path}.{name}": value for name, value in vars(module).items() if not name.startswith("__")}
    for name, value in list(variables.items()):
        if type(value).__module__.startswith("helpers.") and hasattr(value, "__dict__"):
            variables |= {f"{name}.{attribute}": each for attribute, each in vars(value).items()}
    return {name: _content(value) for name, value in variables.items()}


def _content(value: Any) -> Any:
    """Return what a value holds now: of a collection a copy, of an instrument's record its fields, anew each block."""
    if isinstance(value, list | dict | set):
        return copy.copy(value)
    if type(value).__module__.startswith("helpers.") and hasattr(value, "__slots__"):
        return type(value), [getattr(value, name, None) for name in value.__slots__]
    return value
