"""Blocks that do on purpose what no block must do, so that the detectors of the campaign can be seen to detect."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory

from helpers.supervision import interrupts, supervised

MOMENT = 0.2  # seconds in which a block can be interrupted or killed

_kept: list[object] = []  # as an instrument would that forgets to let go


def well_behaved() -> None:
    """Leave nothing and hide nothing."""
    with supervised():
        get_context("spawn").Semaphore()
        time.sleep(MOMENT)


def hide_it() -> None:
    """Keep the interrupt to oneself, and go on."""
    with suppress(KeyboardInterrupt):
        well_behaved()
    well_behaved()


def turn_it_into_an_error() -> None:
    """Raise something else instead."""
    try:
        well_behaved()
    except KeyboardInterrupt:
        raise RuntimeError("something else") from None


def on_interrupt(misdeed: Callable[[], object]) -> Callable[[], None]:
    """Return a block that commits a misdeed when it is interrupted."""

    def block() -> None:
        try:
            well_behaved()
        except KeyboardInterrupt:
            misdeed()
            raise

    return block


def repeat_it() -> None:
    """Raise a second KeyboardInterrupt."""
    raise KeyboardInterrupt


def go_deaf() -> None:
    """Stay alive, and never answer again."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(3600)


def show_a_traceback() -> None:
    """Let a child die of its own KeyboardInterrupt."""
    subprocess.run([sys.executable, "-c", "raise KeyboardInterrupt"])


def change_the_library() -> None:
    """Leave a method wrapped, a function with another inside, a signal handler, a thread and an interrupt on hold."""
    BaseProcess.start = lambda process: None
    connection.wait.__code__ = (lambda object_list, timeout=None: []).__code__
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    interrupts._signals.waiting = True
    threading.Thread(target=time.sleep, args=(3600,), name="forgotten", daemon=True).start()


def leave_a_process() -> None:
    """Leave a process behind that no signal to the group reaches."""
    program = "import time; time.sleep(3600)"
    _kept.append(subprocess.Popen([sys.executable, "-c", program], start_new_session=True))


def leave_a_segment() -> None:
    """Leave shared memory behind of which the resource tracker does not know.

    A semaphore would be put away by its own finalizer when the kernel ends in order.
    """
    segment = SharedMemory(create=True, size=1)
    resource_tracker.unregister(segment._name, "shared_memory")
    _kept.append(segment)


def leave_a_folder() -> None:
    """Leave a temporary folder behind."""
    tempfile.mkdtemp()


def leave_a_file_open() -> None:
    """Leave a socket open."""
    _kept.append(socket.socket())


def leave_everything() -> None:
    """Leave all that can be left."""
    for leave in (leave_a_process, leave_a_segment, leave_a_folder, leave_a_file_open):
        leave()


def leave_everything_and_stay() -> None:
    """Leave all that can be left, and wait to be killed."""
    leave_everything()
    well_behaved()


def end_the_kernel() -> None:
    """Take the kernel along."""
    os._exit(1)
