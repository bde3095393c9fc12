"""The shared objects of a scenario as real objects of multiprocessing, with the same accesses as the model's objects.

A condition and a queue are made of semaphores, in the way of the textbooks: multiprocessing leaves it to the operating
system which sleeper a condition wakes, and to a thread when an item put into a queue gets there, and neither can then
be replayed step by step.
"""

# ruff: noqa: D102  the methods are those of the semantics, with what these say

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from helpers.scheduling.program.semantics import Kind, ObjectSemantics, Raised

if TYPE_CHECKING:
    # a worker process has no need of these imports, which take time
    from multiprocessing.context import BaseContext
    from multiprocessing.managers import SyncManager

Take = Callable[[Callable[[float], bool]], None]  # calls what it is given, with a timeout in s, until it is True


class RealObject:
    """One shared object. The parent creates it, resets it and views it while no worker runs."""

    def __init__(self, semantics: Any, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self.semantics = semantics
        self.create(context, processes, manager)

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        raise NotImplementedError

    def reset(self) -> None:
        """Put it back to its start."""
        raise NotImplementedError

    def view(self) -> Any:
        """Return its value in plain types, as `ObjectSemantics.view` does; only a reset may follow."""
        raise NotImplementedError


class RealInteger(RealObject):
    """A number in shared memory, without a lock."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._number = context.RawValue("q")

    def reset(self) -> None:
        self._number.value = self.semantics.setting

    def view(self) -> int:
        return self._number.value

    def read(self, process: int, take: Take) -> int:
        return self._number.value

    def write(self, process: int, take: Take, value: int) -> None:
        self._number.value = value


class RealDict(RealObject):
    """A dict in the process of a manager; its values are pickled."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._dict = manager.dict()

    def reset(self) -> None:
        self._dict.clear()
        self._dict.update(self.semantics.setting)

    def view(self) -> dict:
        return self.semantics.view(frozenset(self._dict.items()))

    def get(self, process: int, take: Take, key: str | int) -> bytes | None:
        return self._dict.get(key)

    def set(self, process: int, take: Take, key: str | int, parcel: bytes) -> None:
        self._dict[key] = parcel

    def pop(self, process: int, take: Take, key: str | int) -> bytes | None:
        return self._dict.pop(key, None)

    def setdefault(self, process: int, take: Take, key: str | int, parcel: bytes) -> bytes:
        return self._dict.setdefault(key, parcel)

    def length(self, process: int, take: Take) -> int:
        return len(self._dict)


class RealSemaphore(RealObject):
    """A counting semaphore."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._semaphore = context.Semaphore(0)

    def reset(self) -> None:
        _refill(self._semaphore, self.semantics.setting)

    def view(self) -> int:
        return _emptied(self._semaphore)

    def acquire(self, process: int, take: Take, block: bool) -> bool:
        if not block:
            return self._semaphore.acquire(False)
        take(lambda timeout: self._semaphore.acquire(timeout=timeout))
        return True

    def release(self, process: int, take: Take) -> Raised | None:
        try:
            self._semaphore.release()
        except ValueError as error:
            return Raised(str(error))
        return None


class RealLock(RealSemaphore):
    """A lock, which multiprocessing makes of a semaphore too."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._semaphore = context.Lock()

    def reset(self) -> None:
        _refill(self._semaphore, 1)

    def view(self) -> bool:
        return _emptied(self._semaphore) == 0


class RealCondition(RealObject):
    """A condition: a semaphore for each process to sleep on (Birrell 2003), guarded by the lock it belongs to."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._tickets = context.RawArray("q", processes)  # of those who sleep, growing; 0 for those who do not
        self._last_ticket = context.RawValue("q")
        self._beds = [context.Semaphore(0) for _ in range(processes)]

    def reset(self) -> None:
        self._last_ticket.value = 0
        for process, bed in enumerate(self._beds):
            self._tickets[process] = 0
            _refill(bed, 0)

    def view(self) -> int:
        return sum(ticket > 0 for ticket in self._tickets)

    def sleep(self, process: int, take: Take) -> None:
        self._last_ticket.value += 1
        self._tickets[process] = self._last_ticket.value

    def wake(self, process: int, take: Take) -> None:
        take(lambda timeout: self._beds[process].acquire(timeout=timeout))

    def notify(self, process: int, take: Take, count: int) -> None:
        sleeping = sorted((ticket, number) for number, ticket in enumerate(self._tickets) if ticket)
        for _, number in sleeping[:count]:
            self._tickets[number] = 0
            self._beds[number].release()


class RealBarrier(RealObject):
    """A barrier of two semaphores: one lets in until all are there, one lets out until all are gone."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._way_in, self._way_out = context.Semaphore(0), context.Semaphore(0)
        self._inside, self._guard = context.RawValue("q"), context.Lock()

    def reset(self) -> None:
        self._inside.value = 0
        _refill(self._way_in, self.semantics.setting)
        _refill(self._way_out, 0)

    def view(self) -> int:
        return self._inside.value

    def arrive(self, process: int, take: Take) -> None:
        take(lambda timeout: self._way_in.acquire(timeout=timeout))
        self._count(1, self.semantics.setting, self._way_out)

    def leave(self, process: int, take: Take) -> None:
        take(lambda timeout: self._way_out.acquire(timeout=timeout))
        self._count(-1, 0, self._way_in)

    def _count(self, change: int, last: int, way: Any) -> None:
        with self._guard:
            self._inside.value += change
            if self._inside.value == last:
                _release(way, self.semantics.setting)


class RealQueue(RealObject):
    """A bounded queue: a pipe between a semaphore that counts the items and one that counts the places left."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._queue = context.SimpleQueue()
        self._items, self._places = context.Semaphore(0), context.Semaphore(0)

    def reset(self) -> None:
        self.view()
        _refill(self._places, self.semantics.setting)

    def view(self) -> tuple:
        return self.semantics.view(tuple(self._queue.get() for _ in range(_emptied(self._items))))

    def put(self, process: int, take: Take, parcel: bytes) -> None:
        take(lambda timeout: self._places.acquire(timeout=timeout))
        self._queue.put(parcel)
        self._items.release()

    def get(self, process: int, take: Take) -> bytes:
        take(lambda timeout: self._items.acquire(timeout=timeout))
        parcel = self._queue.get()
        self._places.release()
        return parcel


class RealPipe(RealObject):
    """A duplex pipe."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._ends = context.Pipe()

    def reset(self) -> None:
        self.view()

    def view(self) -> tuple[tuple, tuple]:
        return self.semantics.view(tuple(map(_drained, self._ends)))

    def send(self, process: int, take: Take, end: int, parcel: bytes) -> None:
        self._ends[end].send_bytes(parcel)

    def recv(self, process: int, take: Take, end: int) -> bytes:
        take(self._ends[end].poll)
        return self._ends[end].recv_bytes()

    def poll(self, process: int, take: Take, end: int) -> bool:
        return self._ends[end].poll()


_KINDS: dict[Kind, type[RealObject]] = {
    Kind.INTEGER: RealInteger,
    Kind.DICT: RealDict,
    Kind.LOCK: RealLock,
    Kind.SEMAPHORE: RealSemaphore,
    Kind.CONDITION: RealCondition,
    Kind.BARRIER: RealBarrier,
    Kind.QUEUE: RealQueue,
    Kind.PIPE: RealPipe,
}


def real_objects(
    semantics: list[ObjectSemantics], context: "BaseContext", processes: int, manager: "SyncManager | None"
) -> list[RealObject]:
    """Create the real objects for their semantics; dicts need a manager."""
    return [_KINDS[declared.kind](declared, context, processes, manager) for declared in semantics]


def _emptied(semaphore: Any) -> int:
    """Take all permits and return how many there were (where sem_getvalue is missing there is no other way)."""
    permits = 0
    while semaphore.acquire(False):
        permits += 1
    return permits


def _refill(semaphore: Any, permits: int) -> None:
    _emptied(semaphore)
    _release(semaphore, permits)


def _release(semaphore: Any, permits: int) -> None:
    for _ in range(permits):
        semaphore.release()


def _drained(end: Any) -> tuple[bytes, ...]:
    messages = []
    while end.poll():
        messages.append(end.recv_bytes())
    return tuple(messages)
