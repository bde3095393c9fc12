"""What the workers of a scenario share: declared on `SharedObjects`, used through the handles that it returns.

The handles look like the objects of multiprocessing. Where an object may make a process wait, the waiting is a step
of its own: write `yield lock.acquire()`, `item = queue.get()` right after a yield, `yield from barrier.wait()`.
"""

import io
import operator
import pickle
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from helpers import validate
from helpers.scheduling.program import semantics
from helpers.scheduling.program.semantics import Access, ObjectSemantics, Raised, unpacked

MAX_COUNT = 2**31 - 1  # permits, parties or items, as real objects allow
_MISSING = object()


class SharedObjects:
    """The shared objects of one scenario. Each method declares one object and returns the workers' handle on it.

    Raises TypeError or ValueError for a name that is no text, empty or taken, and for a value, items, a lock or a size
    of another kind or out of range.
    """

    def __init__(self, declared: list[ObjectSemantics] | None = None) -> None:
        self.semantics: list[ObjectSemantics] = declared or []
        self.perform: Callable[[Access], Any] = _outside_of_a_worker

    def integer(self, name: str, value: int = 0) -> "Integer":
        """Declare a whole number of 64 bits."""
        validate.whole_number("value", value, -(2**63), 2**63 - 1)
        return Integer(self, self._declare(semantics.IntegerSemantics(name, value)))

    def dict(self, name: str, items: Mapping[str | int, Any] | None = None) -> "Dict":
        """Declare a dict with keys of type str or int; in reality a dict in a manager's process."""
        items = {} if items is None else validate.mapping("items", items, "values by key, or None", least=0)
        parcels = frozenset((_key(key), pickle.dumps(value)) for key, value in items.items())
        return Dict(self, self._declare(semantics.DictSemantics(name, parcels)))

    def lock(self, name: str) -> "Lock":
        """Declare a lock."""
        return Lock(self, self._declare(semantics.LockSemantics(name)))

    def semaphore(self, name: str, value: int = 1) -> "Semaphore":
        """Declare a counting semaphore with `value` permits."""
        validate.whole_number("value", value, 0, MAX_COUNT)
        return Semaphore(self, self._declare(semantics.SemaphoreSemantics(name, value)))

    def condition(self, name: str, lock: "Lock | None" = None) -> "Condition":
        """Declare a condition on a lock; without one it gets a lock of its own, called "<name> lock"."""
        if lock is None:
            lock = self.lock(f"{validate.text('name', name)} lock")
        validate.instance("lock", lock, Lock, "a lock of these shared objects, or None")
        return Condition(self, self._declare(semantics.ConditionSemantics(name)), lock.slot)

    def barrier(self, name: str, parties: int) -> "Barrier":
        """Declare a barrier that opens when `parties` processes have arrived."""
        validate.whole_number("parties", parties, 1, MAX_COUNT)
        return Barrier(self, self._declare(semantics.BarrierSemantics(name, parties)))

    def queue(self, name: str, maxsize: int) -> "Queue":
        """Declare a queue that holds at most `maxsize` items."""
        validate.whole_number("maxsize", maxsize, 1, MAX_COUNT)
        return Queue(self, self._declare(semantics.QueueSemantics(name, maxsize)))

    def pipe(self, name: str) -> tuple["PipeEnd", "PipeEnd"]:
        """Declare a duplex pipe; return its two ends."""
        slot = self._declare(semantics.PipeSemantics(name))
        return PipeEnd(self, slot, 0), PipeEnd(self, slot, 1)

    def pack(self, value: Any) -> bytes:
        """Pickle a value that may contain handles of these objects."""
        buffer = io.BytesIO()
        HandlePickler(buffer).dump(value)
        return buffer.getvalue()

    def unpack(self, parcel: bytes) -> Any:
        """Return a packed value, with its handles on these objects, wherever it was packed."""
        return _HandleUnpickler(io.BytesIO(parcel), self).load()

    def _declare(self, declared: ObjectSemantics) -> int:
        validate.text("name", declared.name)
        if any(declared.name == other.name for other in self.semantics):
            raise ValueError(f"name must be new, but these shared objects already have a {declared.name!r}")
        self.semantics.append(declared)
        return len(self.semantics) - 1


class Handle:
    """A worker's hold on one shared object."""

    def __init__(self, objects: SharedObjects, slot: int, *more: int) -> None:
        self.slot = slot
        self.address = (type(self), slot, *more)  # names it in a pickle
        self._objects = objects

    def __repr__(self) -> str:
        return self._objects.semantics[self.slot].name

    def _perform(self, verb: str, *arguments: Any) -> Any:
        result = self._objects.perform(Access(self.slot, verb, arguments))
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

    def __init__(self, objects: SharedObjects, slot: int, lock_slot: int) -> None:
        super().__init__(objects, slot, lock_slot)
        self.lock = Lock(objects, lock_slot)

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
        self._perform("notify", validate.whole_number("n", n, 1, MAX_COUNT))

    def notify_all(self) -> None:
        """Wake all that sleep."""
        self._perform("notify", MAX_COUNT)


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

    def __init__(self, objects: SharedObjects, slot: int, end: int) -> None:
        super().__init__(objects, slot, end)
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
    def __init__(self, file: io.BytesIO, objects: SharedObjects) -> None:
        super().__init__(file)
        self._objects = objects

    def persistent_load(self, address: tuple) -> Handle:
        kind, *arguments = address
        return kind(self._objects, *arguments)


def _outside_of_a_worker(access: Access) -> Any:
    raise RuntimeError("shared objects are used by the workers only; give a start value where you declare them")


def _found(key: str | int, parcel: bytes | None) -> bytes:
    if parcel is None:
        raise KeyError(key)
    return parcel


def _key(key: str | int) -> str | int:
    if type(key) not in (str, int):
        validate.refuse(TypeError, "key", "a str or an int", key)
    return key


def _int64(value: int) -> int:
    value = operator.index(value)
    if not -(2**63) <= value < 2**63:
        raise OverflowError(f"value must fit into 64 bits, not {value}")
    return int(value)
