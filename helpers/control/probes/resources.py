"""Stands in for the resource tracker: the controller itself removes what a run leaves, however the run ends.

Every process of a run notes in one file what it names and what it removes: semaphores and blocks of shared memory. The
file outlives each of them.
"""

import os
from contextlib import suppress
from functools import partial
from multiprocessing import resource_tracker

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_NAMED, _REMOVED = "+", "-"
_fd = -1  # of the file, where this process notes


def install(folder: str) -> None:
    """Note in a file of this folder, and tell nobody else, which named semaphores and blocks of memory there are."""
    global _fd
    _fd = os.open(_path(folder), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    resource_tracker.register = partial(_note, _NAMED)
    resource_tracker.unregister = partial(_note, _REMOVED)
    resource_tracker.ensure_running = lambda: None
    resource_tracker.getfd = lambda: -1


def put_away(folder: str) -> None:
    """Remove all that was noted in this folder and is still there."""
    try:
        if not os.stat(_path(folder)).st_size:  # noqa: PTH116 (no Path where children import)
            return
        with open(_path(folder), "r+b") as file:  # noqa: PTH123 (no Path where children import)
            notes = file.read().decode().split("\0")[:-1]
            file.truncate(0)
    except OSError:
        return
    left: dict[str, None] = {}
    for sign, thing in ((note[0], note[1:]) for note in notes):
        if sign == _NAMED:
            left[thing] = None
        else:
            left.pop(thing, None)
    for thing in left:
        rtype, _, name = thing.partition(" ")
        with suppress(OSError, KeyError):
            resource_tracker._CLEANUP_FUNCS[rtype](name)


def _note(sign: str, name: str, rtype: str) -> None:
    os.write(_fd, f"{sign}{rtype} {name}\0".encode())


def _path(folder: str) -> str:
    return os.path.join(folder, "named")  # noqa: PTH118 (no Path where children import)
