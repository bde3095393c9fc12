"""What stands in for `threading`, `time` and `queue` within the modules of multiprocessing itself.

The threads of queues and pools become participants: they are scheduled too, and wait where the controller knows of it.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from helpers.control import participant as participants
from helpers.control.participant import here, new_token

__tracebackhide__ = True  # an instrument: never the place where somebody waits


class Overlay:
    """A module in which some names mean something else."""

    def __init__(self, module: ModuleType, **instead: Any) -> None:
        self.__dict__.update(instead)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Thread(threading.Thread):
    """A thread that is a participant, if the thread that starts it is one."""

    _token = ""

    def start(self) -> None:
        """Start it; it waits for its turn."""
        starter = here()
        if starter:
            self._token = new_token()
            starter.accessed("started", self._token, self._role(), "thread", os.getpid())
        super().start()

    def run(self) -> None:
        """Do the thread's work under control."""
        if not self._token:
            super().run()
            return
        participant = participants.Participant(self._token, self._role())
        participants.become(participant)
        participant.stop("begin")
        try:
            super().run()
        finally:
            participant.operation = None
            participants.become(None)
            participant.end(0)

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        participant = participants.current()
        if participant and self._token:
            needs = ("end", self._token)
            if not participant.before("join", f"{self._role()}\t{self._token}", needs, self.is_alive, timeout):
                return
            participant.accessed("r", f"end {self._token}")
        super().join(timeout)

    def _role(self) -> str:
        names = {"QueueFeederThread": "feeder"}
        target = getattr(self, "_target", None)
        role = {
            "_handle_workers": "worker-handler",
            "_handle_tasks": "task-handler",
            "_handle_results": "result-handler",
        }
        return names.get(self.name) or role.get(getattr(target, "__name__", ""), "thread")


class Event:
    """A `threading.Event` for which a participant waits where the controller knows of it."""

    def __init__(self) -> None:
        self._is_set = False
        self._thing = f"event {new_token()}"

    def is_set(self) -> bool:
        """Tell whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Let those go on who wait for it."""
        self._is_set = True
        if participant := here():
            participant.accessed("h", self._thing, b"set")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set."""
        return _wait_until("wait", self._thing, self.is_set, timeout)


class Condition:
    """A `threading.Condition` of threads of which one runs at a time."""

    def __init__(self, lock: Any = None) -> None:
        self._waiters: list[list[bool]] = []
        self._thing = f"condition {new_token()}"

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: Any) -> None:
        pass

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is notified."""
        waiter: list[bool] = []
        self._waiters.append(waiter)
        return _wait_until("wait", self._thing, lambda: bool(waiter), timeout)

    def notify(self, n: int = 1) -> None:
        """Wake who slept longest."""
        for waiter in self._waiters[:n]:
            waiter.append(True)
        del self._waiters[:n]
        if participant := here():
            participant.accessed("h", self._thing, b"notify")


class SimpleQueue:
    """A `queue.SimpleQueue` of threads of which one runs at a time."""

    def __init__(self) -> None:
        self._items: deque = deque()
        self._thing = f"items {new_token()}"

    def put(self, item: Any) -> None:
        """Add an item."""
        self._items.append(item)
        if participant := here():
            participant.accessed("h", self._thing, None)

    def get(self) -> Any:
        """Take the oldest item."""
        _wait_until("get", self._thing, lambda: bool(self._items), None)
        return self._items.popleft()


def _wait_until(kind: str, thing: str, holds: Callable[[], bool], timeout: float | None) -> bool:
    participant = here()
    if participant is None:
        raise RuntimeError("a thread without a participant waits for one that is controlled")
    if not holds() and not participant.before(kind, f"{thing}\t{thing}", ("ask", thing), lambda: True, timeout, holds):
        return False
    participant.accessed("o", thing, b"got")
    return True
