"""What the workers of a scenario share: a scenario declares it on a `Memory`, its workers use the handles they get.

The handles look like the objects of multiprocessing. Where an object may make a process wait, the waiting is a step
of its own: write `yield lock.acquire()`, `item = queue.get()` right after a yield, `yield from barrier.wait()`.
"""

import io
import operator
import pickle
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from helpers.scheduling.program import semantics
from helpers.scheduling.program.semantics import Access, Raised, Rules, unpacked

_MISSING = object()


class Memory:
    """The shared memory of one scenario. Each method declares one object and returns the workers' handle on it.

    Raises ValueError for a name that is empty or taken, or a size that is out of range.
    """

    def __init__(self, declared: list[Rules] | None = None) -> None:
        self.rules: list[Rules] = declared or []
        self.perform: Callable[[Access], Any] = _outside_of_a_worker

    def integer(self, name: str, value: int = 0) -> "Integer":
        """Declare a whole number of 64 bits."""
        return Integer(self, self._declare(semantics.IntegerRules(name, _int64(value))))

    def dict(self, name: str, items: Mapping[str | int, Any] | None = None) -> "Dict":
        """Declare a dict with keys of type str or int; in reality a dict in a manager's process."""
        parcels = frozenset((_key(key), pickle.dumps(value)) for key, value in (items or {}).items())
        return Dict(self, self._declare(semantics.DictRules(name, parcels)))

    def lock(self, name: str) -> "Lock":
        """Declare a lock."""
        return Lock(self, self._declare(semantics.LockRules(name)))

    def semaphore(self, name: str, value: int = 1) -> "Semaphore":
        """Declare a counting semaphore with `value` permits."""
        return Semaphore(self, self._declare(semantics.SemaphoreRules(name, _at_least(0, "value", value))))

    def condition(self, name: str, lock: "Lock | None" = None) -> "Condition":
        """Declare a condition on a lock; without one it gets a lock of its own, called "<name> lock"."""
        lock = lock or self.lock(f"{name} lock")
        return Condition(self, self._declare(semantics.ConditionRules(name)), lock.slot)

    def barrier(self, name: str, parties: int) -> "Barrier":
        """Declare a barrier that opens when `parties` processes have arrived."""
        return Barrier(self, self._declare(semantics.BarrierRules(name, _at_least(1, "parties", parties))))

    def queue(self, name: str, maxsize: int) -> "Queue":
        """Declare a queue that holds at most `maxsize` items."""
        return Queue(self, self._declare(semantics.QueueRules(name, _at_least(1, "maxsize", maxsize))))

    def pipe(self, name: str) -> tuple["PipeEnd", "PipeEnd"]:
        """Declare a duplex pipe; return its two ends."""
        slot = self._declare(semantics.PipeRules(name))
        return PipeEnd(self, slot, 0), PipeEnd(self, slot, 1)

    def pack(self, value: Any) -> bytes:
        """Pickle a value that may contain handles of this memory."""
        buffer = io.BytesIO()
        HandlePickler(buffer).dump(value)
        return buffer.getvalue()

    def unpack(self, parcel: bytes) -> Any:
        """Return a packed value, with its handles on this memory, wherever it was packed."""
        return _HandleUnpickler(io.BytesIO(parcel), self).load()

    def _declare(self, declared: Rules) -> int:
        if not isinstance(declared.name, str) or not declared.name:
            raise ValueError(f"name must be a string that is not empty, not {declared.name!r}")
        if any(declared.name == other.name for other in self.rules):
            raise ValueError(f"name must be new, but this memory already has a {declared.name!r}")
        self.rules.append(declared)
        return len(self.rules) - 1


class Handle:
    """A worker's hold on one shared object."""

    def __init__(self, memory: Memory, slot: int, *more: int) -> None:
        self.slot = slot
        self.address = (type(self), slot, *more)  # names it in a pickle
        self._memory = memory

    def __repr__(self) -> str:
        return self._memory.rules[self.slot].name

    def _perform(self, verb: str, *arguments: Any) -> Any:
        result = self._memory.perform(Access(self.slot, verb, arguments))
        if isinstance(result, Raised):
            raise ValueError(result.message)
        return result


class Integer(Handle):
    """A whole number; reading and writing `value` are two accesses, `value += 1` is both."""

    @property
    def value(self) -> int:
        """The number, of 64 bits."""
        return self._perform("read")

    @value.setter
    def value(self, new: int) -> None:
        self._perform("write", _int64(new))


class Dict(Handle):
    """A dict; each call is one access. Values are pickled: a changed copy has to be assigned back."""

    def __getitem__(self, key: str | int) -> Any:
        return unpacked(_found(key, self._perform("get", _key(key))))

    def __setitem__(self, key: str | int, value: Any) -> None:
        self._perform("set", _key(key), pickle.dumps(value))

    def __delitem__(self, key: str | int) -> None:
        _found(key, self._perform("pop", _key(key)))

    def __contains__(self, key: str | int) -> bool:
        return self._perform("get", _key(key)) is not None

    def __len__(self) -> int:
        return self._perform("length")

    def get(self, key: str | int, default: Any = None) -> Any:
        """Return the value of the key, or the default."""
        parcel = self._perform("get", _key(key))
        return default if parcel is None else unpacked(parcel)

    def pop(self, key: str | int, default: Any = _MISSING) -> Any:
        """Remove the key and return its value, or the default; KeyError without one."""
        parcel = self._perform("pop", _key(key))
        if parcel is None and default is not _MISSING:
            return default
        return unpacked(_found(key, parcel))

    def setdefault(self, key: str | int, default: Any = None) -> Any:
        """Return the value of the key, which becomes the default if there is none."""
        return unpacked(self._perform("setdefault", _key(key), pickle.dumps(default)))


class _Acquirable(Handle):
    def acquire(self, block: bool = True) -> bool:
        """Take it; where it is not free, wait, or return False if not `block`."""
        return self._perform("acquire", bool(block))

    def release(self) -> None:
        """Give it back; any process may."""
        self._perform("release")

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Lock(_Acquirable):
    """A lock that is not reentrant."""


class Semaphore(_Acquirable):
    """A counting semaphore."""


class Condition(Handle):
    """A condition; hold its lock to wait or notify, and look again at what you waited for when you are woken."""

    def __init__(self, memory: Memory, slot: int, lock_slot: int) -> None:
        super().__init__(memory, slot, lock_slot)
        self.lock = Lock(memory, lock_slot)

    def acquire(self, block: bool = True) -> bool:
        """Take the lock."""
        return self.lock.acquire(block)

    def release(self) -> None:
        """Give the lock back."""
        self.lock.release()

    def __enter__(self) -> bool:
        return self.lock.__enter__()

    __exit__ = _Acquirable.__exit__

    def wait(self) -> Generator[None, None, None]:
        """Let go of the lock and sleep; be woken; take the lock again: three steps (`yield from` it)."""
        self._perform("sleep")
        self.lock.release()
        yield
        self._perform("wake")
        yield
        self.lock.acquire()
        yield

    def notify(self, n: int = 1) -> None:
        """Wake those `n` that have slept longest (multiprocessing leaves it open which)."""
        self._perform("notify", _at_least(1, "n", n))

    def notify_all(self) -> None:
        """Wake all that sleep."""
        self._perform("notify", 2**31)


class Barrier(Handle):
    """A barrier: nobody leaves before all have arrived, nobody arrives again before all have left."""

    def wait(self) -> Generator[None, None, None]:
        """Arrive, and leave: two steps (`yield from` it)."""
        self._perform("arrive")
        yield
        self._perform("leave")
        yield


class Queue(Handle):
    """A bounded queue, first in, first out, for any number of processes."""

    def put(self, item: Any) -> None:
        """Add an item; wait while the queue is full."""
        self._perform("put", pickle.dumps(item))

    def get(self) -> Any:
        """Take the oldest item; wait while the queue is empty."""
        return unpacked(self._perform("get"))


class PipeEnd(Handle):
    """One end of a duplex pipe; it takes messages of a few kilobytes without waiting."""

    def __init__(self, memory: Memory, slot: int, end: int) -> None:
        super().__init__(memory, slot, end)
        self._end = end

    def __repr__(self) -> str:
        return f"{super().__repr__()}[{self._end}]"

    def send(self, message: Any) -> None:
        """Send a message to the other end."""
        self._perform("send", self._end, pickle.dumps(message))

    def recv(self) -> Any:
        """Take the oldest message that was sent to this end; wait for one."""
        return unpacked(self._perform("recv", self._end))

    def poll(self) -> bool:
        """Tell whether a message is there."""
        return self._perform("poll", self._end)


class HandlePickler(pickle.Pickler):
    """Pickles a handle as its address."""

    def persistent_id(self, value: Any) -> tuple | None:
        """Return the address of a handle, None for anything else."""
        return value.address if isinstance(value, Handle) else None


class _HandleUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, memory: Memory) -> None:
        super().__init__(file)
        self._memory = memory

    def persistent_load(self, address: tuple) -> Handle:
        kind, *arguments = address
        return kind(self._memory, *arguments)


def _outside_of_a_worker(access: Access) -> Any:
    raise RuntimeError("shared objects are used by the workers only; give a start value where you declare them")


def _found(key: str | int, parcel: bytes | None) -> bytes:
    if parcel is None:
        raise KeyError(key)
    return parcel


def _key(key: str | int) -> str | int:
    if type(key) not in (str, int):
        raise TypeError(f"key must be a str or an int, not {key!r}")
    return key


def _int64(value: int) -> int:
    value = operator.index(value)
    if not -(2**63) <= value < 2**63:
        raise OverflowError(f"value must fit into 64 bits, not {value}")
    return int(value)


def _at_least(least: int, parameter: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{parameter} must be an int, not {value!r}")
    if value < least:
        raise ValueError(f"{parameter} must be at least {least}, not {value}")
    return value
