"""What stands in for `threading`, `time` and `queue` within the modules of multiprocessing itself.

The threads of queues and pools become parties: they are scheduled too, and wait where the controller knows of it.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from helpers.control import party as parties
from helpers.control.party import here, new_token

__tracebackhide__ = True  # an instrument: never the place where somebody waits


class Standin:
    """A module in which some names mean something else."""

    def __init__(self, module: ModuleType, **instead: Any) -> None:
        self.__dict__.update(instead)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Thread(threading.Thread):
    """A thread that is a party, if the thread that starts it is one."""

    _token = ""

    def start(self) -> None:
        """Start it; it waits for its turn."""
        starter = here()
        if starter:
            self._token = new_token()
            starter.touch("birth", self._token, self._role(), "thread", os.getpid())
        super().start()

    def run(self) -> None:
        """Do the thread's work under control."""
        if not self._token:
            super().run()
            return
        party = parties.Party(self._token, self._role())
        parties.become(party)
        party.stop("begin")
        try:
            super().run()
        finally:
            party.operation = None
            parties.become(None)
            party.end(0)

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        party = parties.current()
        if party and self._token:
            needs = ("end", self._token)
            if not party.before("join", f"{self._role()}\t{self._token}", needs, self.is_alive, timeout):
                return
            party.touch("r", f"end {self._token}")
        super().join(timeout)

    def _role(self) -> str:
        names = {"QueueFeederThread": "feeder"}
        target = getattr(self, "_target", None)
        role = {"_handle_workers": "keeper", "_handle_tasks": "tasks", "_handle_results": "results"}
        return names.get(self.name) or role.get(getattr(target, "__name__", ""), "thread")


class Event:
    """A `threading.Event` for which a party waits where the controller knows of it."""

    def __init__(self) -> None:
        self._is_set = False
        self._thing = f"event {new_token()}"

    def is_set(self) -> bool:
        """Tell whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Let those go on who wait for it."""
        self._is_set = True
        if party := here():
            party.touch("h", self._thing, b"set")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set."""
        return _wait_until("wait", self._thing, self.is_set, timeout)


class Condition:
    """A `threading.Condition` of threads of which one runs at a time."""

    def __init__(self, lock: Any = None) -> None:
        self._sleeping: list[list] = []
        self._thing = f"condition {new_token()}"

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: Any) -> None:
        pass

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is notified."""
        self._sleeping.append(bed := [])
        return _wait_until("wait", self._thing, lambda: bool(bed), timeout)

    def notify(self, n: int = 1) -> None:
        """Wake who slept longest."""
        for bed in self._sleeping[:n]:
            bed.append(True)
        del self._sleeping[:n]
        if party := here():
            party.touch("h", self._thing, b"notify")


class SimpleQueue:
    """A `queue.SimpleQueue` of threads of which one runs at a time."""

    def __init__(self) -> None:
        self._items: deque = deque()
        self._thing = f"items {new_token()}"

    def put(self, item: Any) -> None:
        """Add an item."""
        self._items.append(item)
        if party := here():
            party.touch("h", self._thing, None)

    def get(self) -> Any:
        """Take the oldest item."""
        _wait_until("get", self._thing, lambda: bool(self._items), None)
        return self._items.popleft()


def _wait_until(kind: str, thing: str, holds: Callable[[], bool], timeout: float | None) -> bool:
    party = here()
    if party is None:
        raise RuntimeError("a thread without a party waits for one that is controlled")
    if not holds() and not party.before(kind, f"{thing}\t{thing}", ("ask", thing), lambda: True, timeout, holds):
        return False
    party.touch("o", thing, b"got")
    return True
