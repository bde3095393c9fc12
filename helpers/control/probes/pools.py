"""Probes on `Pool`: its three threads are participants, and so are its workers, which take tasks from a queue."""

import queue
import threading
from multiprocessing import pool

from helpers.control.probes.threads import Condition, Event, Overlay, SimpleQueue, Thread
from helpers.control.probes.wrapping import whole

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def install() -> None:
    """Schedule the threads of every pool, and let them wait where the controller knows of it."""
    pool.threading = Overlay(threading, Thread=Thread, Event=Event, Condition=Condition)
    pool.queue = Overlay(queue, SimpleQueue=SimpleQueue)
    whole(pool.Pool, "terminate", "terminate", lambda self: "Pool\t", in_parts=True)
