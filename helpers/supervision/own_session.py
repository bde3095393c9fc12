"""Start what multiprocessing keeps for itself, its resource tracker and its forkserver, in sessions of their own.

A kernel is killed with its process group: a tracker in it would go along, and then nobody puts away what it tracked.
And ipykernel, asked to end, waits seconds for each process in its group, for one that is dead and not reaped too.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import util
from typing import Any

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def start_tracker() -> None:
    """Start the resource tracker, if it does not run yet and there is one on this system."""
    if os.name == "nt":
        return
    from multiprocessing import resource_tracker

    with _own_session():
        resource_tracker.ensure_running()


def start_forkserver(*preload: str) -> None:
    """Start the forkserver, if it does not run yet; it imports these modules first."""
    from multiprocessing import forkserver

    server: Any = forkserver._forkserver
    modules = server._preload_modules
    server._preload_modules = [*modules, *preload]
    try:
        with _own_session():
            server.ensure_running()
    finally:
        server._preload_modules = modules


@contextmanager
def _own_session() -> Iterator[None]:
    plain = util.spawnv_passfds
    util.spawnv_passfds = _spawn_apart
    try:
        yield
    finally:
        util.spawnv_passfds = plain


def _spawn_apart(path: bytes, args: Sequence[Any], passfds: Sequence[int]) -> int:
    child = subprocess.Popen(args, executable=path, pass_fds=passfds, start_new_session=True)
    # multiprocessing reaps it; a Popen that is forgotten without knowing of an end would do so first
    child.returncode = 0
    return child.pid
