"""What the workers of a scenario share: declared on `SharedObjects`, used through the handles that it returns.

The handles look like the objects of multiprocessing, and are used in the same words: `with lock:`, `queue.get()`,
`barrier.wait()`. Before an operation that may have to wait the scheduler may switch to another process, as it may at
each `yield`.
"""

import io
import math
import operator
import pickle
import queue
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from types import FunctionType, TracebackType
from typing import Any

from helpers import validate
from helpers.scheduling.program import semantics
from helpers.scheduling.program.semantics import Access, ObjectSemantics, Raised, unpacked

_MISSING = object()
_CO_GENERATOR = 0x20  # the flag that `inspect` calls so
MAX_COUNT = 2**31 - 1  # permits, parties or items, as real objects allow
_ERRORS: dict[str, type[Exception]] = {
    "Empty": queue.Empty,
    "Full": queue.Full,
    **{kind.__name__: kind for kind in (ValueError, AssertionError, IndexError, EOFError, OSError, BrokenPipeError)},
}


class SharedObjects:
    """The shared objects of one scenario. Each method declares one object and returns the workers' handle on it.

    Raises TypeError or ValueError for a name that is no text, empty or taken, and for a value, items, a lock or a size
    of another kind or out of range; AttributeError, with a list of those there are, for any other object.
    """

    def __init__(self, declared: list[ObjectSemantics] | None = None) -> None:
        self.semantics: list[ObjectSemantics] = declared or []
        self.children: list[tuple[Process, Callable, tuple]] = []  # processes that others start
        self.perform: Callable[[Access], Any] = _outside_of_a_worker

    def integer(self, name: str, value: int = 0) -> "Integer":
        """Declare a whole number of 64 bits."""
        validate.whole_number("value", value, -(2**63), 2**63 - 1)
        return Integer(self, self._declare(semantics.IntegerSemantics(name, value)))

    def value(self, name: str, value: float = 0) -> "Value":
        """Declare a plain variable, as of `RawValue`: it stays a bool, a whole number of 64 bits, or a float."""
        return Value(self, self._declare(semantics.ValueSemantics(name, _plain("value", value))))

    def array(self, name: str, values: Sequence[float]) -> "Array":
        """Declare an array of plain variables, as of `RawArray`: all whole numbers of 64 bits, or all floats."""
        validate.sequence("values", values, "whole numbers or floats, all of one type")
        given = tuple(_plain("values", value) for value in values)
        if len({type(value) for value in given}) != 1:
            validate.refuse(TypeError, "values", "whole numbers or floats, all of one type", values)
        return Array(self, self._declare(semantics.ArraySemantics(name, given)), len(given))

    def dict(self, name: str, items: Mapping[str | int, Any] | None = None) -> "Dict":
        """Declare a dict with keys of type str or int; in reality a dict in a manager's process."""
        items = {} if items is None else validate.mapping("items", items, "values by key, or None", least=0)
        parcels = frozenset((_key(key), _parcel("items", value)) for key, value in items.items())
        return Dict(self, self._declare(semantics.DictSemantics(name, parcels)))

    def list(self, name: str, items: Sequence[Any] = ()) -> "List":
        """Declare a list; in reality a list in a manager's process."""
        validate.sequence("items", items, "items", least=0)
        parcels = tuple(_parcel("items", item) for item in items)
        return List(self, self._declare(semantics.ListSemantics(name, parcels)))

    def lock(self, name: str) -> "Lock":
        """Declare a lock."""
        return Lock(self, self._declare(semantics.LockSemantics(name)))

    def rlock(self, name: str) -> "RLock":
        """Declare a reentrant lock."""
        return RLock(self, self._declare(semantics.RLockSemantics(name)))

    def semaphore(self, name: str, value: int = 1) -> "Semaphore":
        """Declare a counting semaphore with `value` permits."""
        validate.whole_number("value", value, 0, MAX_COUNT)
        return Semaphore(self, self._declare(semantics.SemaphoreSemantics(name, value)))

    def bounded_semaphore(self, name: str, value: int = 1) -> "BoundedSemaphore":
        """Declare a semaphore that raises ValueError when it is given back more often than it was taken."""
        validate.whole_number("value", value, 0, MAX_COUNT)
        declared = semantics.BoundedSemaphoreSemantics(name, value)
        return BoundedSemaphore(self, self._declare(declared))

    def condition(self, name: str, lock: "Lock | None" = None) -> "Condition":
        """Declare a condition on a lock; without one it gets a reentrant lock of its own, called "<name> lock"."""
        if lock is None:
            lock = self.rlock(f"{validate.text('name', name)} lock")
        validate.instance("lock", lock, Lock, "a lock of these shared objects, or None")
        return Condition(self, self._declare(semantics.ConditionSemantics(name)), lock.slot)

    def event(self, name: str) -> "Event":
        """Declare an event."""
        return Event(self, self._declare(semantics.EventSemantics(name)))

    def barrier(self, name: str, parties: int) -> "Barrier":
        """Declare a barrier that opens when `parties` processes have arrived."""
        validate.whole_number("parties", parties, 1, MAX_COUNT)
        return Barrier(
            self,
            self._declare(semantics.BarrierSemantics(name, parties)),
        )

    def queue(self, name: str, maxsize: int = 0, feeder: bool = False) -> "Queue":
        """Declare a queue that holds at most `maxsize` items, or any number with 0.

        With `feeder` it is the Queue of multiprocessing in full: `put` returns at once, and a feeder of the process
        brings the item some time later. Without, an item is there when `put` returns, as with SimpleQueue.
        """
        validate.flag("feeder", feeder)
        validate.whole_number("maxsize", maxsize, 0, MAX_COUNT)
        return Queue(
            self,
            self._declare(semantics.QueueSemantics(name, (maxsize, feeder))),
        )

    def pipe(self, name: str, capacity: int = 0) -> tuple["PipeEnd", "PipeEnd"]:
        """Declare a duplex pipe; return its two ends.

        It holds `capacity` messages in each direction, and then `send` waits; with 0 it is never full.
        """
        validate.whole_number("capacity", capacity, 0, MAX_COUNT)
        slot = self._declare(semantics.PipeSemantics(name, capacity))
        return PipeEnd(self, slot, 0), PipeEnd(self, slot, 1)

    def choice(self, name: str, *options: Any) -> "Choice":
        """Declare something that nobody can foresee: `choose` in a worker returns any of the options."""
        validate.text("name", name)
        if not options:
            validate.refuse(ValueError, "options", "one or more", options)
        parcels = tuple(_parcel("options", option) for option in options)
        return Choice(self, self._declare(semantics.ChoiceSemantics(name, parcels)))

    def process(self, name: str, worker: Callable, *arguments: Any) -> "Process":
        """Declare a process that another one starts; its number is that after the workers of the scenario."""
        if not is_worker(worker):
            validate.refuse(TypeError, "worker", "a generator function (it yields after each step)", worker)
        handle = Process(self, self._declare(semantics.ProcessSemantics(name)))
        self.children.append((handle, worker, arguments))
        return handle

    def __getattr__(self, name: str) -> Any:
        # reached only for what there is not
        offered = [each for each in vars(SharedObjects) if not each.startswith("_") and each not in _NO_OBJECTS]
        raise AttributeError(f"there is no {name!r} to share; there are {', '.join(sorted(offered))}")

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
            raise _ERRORS[result.error](*filter(None, [result.message]))
        return result

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        offered = sorted(each for each in dir(type(self)) if not each.startswith("_"))
        raise AttributeError(f"{type(self).__name__} has no {name!r} here; it has {', '.join(offered)}")


class Integer(Handle):
    """A whole number; reading and writing `value` are two accesses, `value += 1` is both."""

    @property
    def value(self) -> int:
        """The number, of 64 bits."""
        return self._perform("read")

    @value.setter
    def value(self, new: int) -> None:
        self._perform("write", _int64(new))

    def exchange(self, new: int) -> int:
        """Write a number and return the one before, in one access that nobody can come between."""
        return self._perform("exchange", _int64(new))

    def compare_exchange(self, expected: int, new: int) -> bool:
        """Write a number if the one before is the expected one; tell whether it was, all in one access."""
        return self._perform("compare", _int64(expected), _int64(new))


class Value(Handle):
    """A plain variable; reading and writing `value` are two accesses, `value += 1` is both."""

    @property
    def value(self) -> float:
        """What it holds."""
        return self._perform("read")

    @value.setter
    def value(self, new: float) -> None:
        self._perform("write", _like(self._objects.semantics[self.slot].setting, new))


class Array(Handle):
    """An array of a fixed length; each element is a variable of its own."""

    def __init__(self, objects: SharedObjects, slot: int, length: int) -> None:
        super().__init__(objects, slot, length)
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> float:
        return self._perform("get", self._checked(index))

    def __setitem__(self, index: int, value: float) -> None:
        self._perform("set", self._checked(index), _like(self._objects.semantics[self.slot].setting[0], value))

    def __iter__(self) -> Iterator[float]:
        return (self[index] for index in range(self._length))

    def _checked(self, index: int) -> int:
        index = operator.index(index)
        if not -self._length <= index < self._length:
            raise IndexError("invalid index")
        return index % self._length


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


class List(Handle):
    """A list; each call is one access. Items are pickled: a changed copy has to be assigned back."""

    def __getitem__(self, index: int) -> Any:
        return unpacked(self._perform("get", operator.index(index)))

    def __setitem__(self, index: int, item: Any) -> None:
        self._perform("set", operator.index(index), pickle.dumps(item))

    def __len__(self) -> int:
        return self._perform("length")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.copy())

    def __contains__(self, item: Any) -> bool:
        return item in self.copy()

    def append(self, item: Any) -> None:
        """Add an item at the end."""
        self._perform("append", pickle.dumps(item))

    def pop(self, index: int = -1) -> Any:
        """Remove an item and return it; IndexError where there is none."""
        return unpacked(self._perform("pop", operator.index(index)))

    def copy(self) -> "list[Any]":
        """Return all items, as they are at one moment."""
        return list(map(unpacked, self._perform("copy")))


class _Acquirable(Handle):
    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it; where it is not free, wait, or return False: at once if not `block`, else after `timeout` s."""
        return self._perform("acquire", _patience(block, timeout))

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


class RLock(Lock):
    """A reentrant lock: its owner may take it again, and only its owner may give it back."""


class Semaphore(_Acquirable):
    """A counting semaphore."""


class BoundedSemaphore(Semaphore):
    """A semaphore that cannot be given back more often than it was taken."""


class Condition(Handle):
    """A condition; hold its lock to wait or notify, and look again at what you waited for when you are woken."""

    def __init__(self, objects: SharedObjects, slot: int, lock_slot: int) -> None:
        super().__init__(objects, slot, lock_slot)
        self.lock = Lock(objects, lock_slot)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take the lock."""
        return self.lock.acquire(block, timeout)

    def release(self) -> None:
        """Give the lock back."""
        self.lock.release()

    def __enter__(self) -> bool:
        return self.lock.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Let go of the lock and sleep; be woken, or give up after `timeout` seconds; take the lock again.

        Tell whether it was woken. Raises AssertionError for a process that has not the lock.
        """
        self.lock._perform("check", semantics.NO_LOCK_TO_WAIT)
        self._perform("sleep")
        times = self.lock._perform("release_all")
        is_woken = self._perform("wake", _patience(True, timeout))
        self.lock._perform("acquire_all", times)
        return is_woken

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until the predicate is true, or the timeout expires; return what the predicate said last."""
        while not (result := predicate()):
            if not self.wait(timeout):
                return predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake `n` of those that sleep; nobody can say which. AssertionError for a process that has not the lock."""
        self.lock._perform("check", semantics.NO_LOCK_TO_NOTIFY)
        self._perform("notify", validate.whole_number("n", n, 1, MAX_COUNT))

    def notify_all(self) -> None:
        """Wake all that sleep; AssertionError for a process that has not the lock."""
        self.notify(MAX_COUNT)


class Event(Handle):
    """An event: processes wait until it is set."""

    def is_set(self) -> bool:
        """Tell whether it is set."""
        return self._perform("is_set")

    def set(self) -> None:
        """Set it, and wake all that wait."""
        self._perform("set_flag")

    def clear(self) -> None:
        """Take it back; who was woken before may find it so."""
        self._perform("clear_flag")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or for `timeout` seconds; tell whether it is set then."""
        return self._perform("sleep") or self._perform("wake", _patience(True, timeout))


class Barrier(Handle):
    """A barrier: nobody leaves before all have arrived, nobody arrives again before all have left."""

    def wait(self) -> int:
        """Arrive, and leave when all are there; return how many had arrived before."""
        index = self._perform("arrive")
        self._perform("leave")
        return index


class Queue(Handle):
    """A queue, first in, first out, for any number of processes."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; while the queue is full wait, or raise Full: at once if not `block`, else after `timeout` s."""
        self._perform("put", pickle.dumps(item), _patience(block, timeout))

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest item; while there is none wait, or raise Empty: at once if not `block`, else after a time."""
        return unpacked(self._perform("get", _patience(block, timeout)))

    def put_nowait(self, item: Any) -> None:
        """Add an item; raise Full where there is no room."""
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        """Take the oldest item; raise Empty where there is none."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Tell whether there is nothing to get."""
        return self._perform("empty")

    def full(self) -> bool:
        """Tell whether there is no room."""
        return self._perform("full")

    def qsize(self) -> int:
        """Return how many items were put and not yet got."""
        return self._perform("size")


class PipeEnd(Handle):
    """One end of a duplex pipe, in the hands of one process."""

    def __init__(self, objects: SharedObjects, slot: int, end: int) -> None:
        super().__init__(objects, slot, end)
        self._end = end

    def __repr__(self) -> str:
        return f"{super().__repr__()}[{self._end}]"

    def send(self, message: Any) -> None:
        """Send a message to the other end; wait while the pipe is full; BrokenPipeError if the other end is closed."""
        self._perform("send", self._end, pickle.dumps(message))

    def recv(self) -> Any:
        """Take the oldest message that was sent to this end; wait for one; EOFError if the other end is closed."""
        return unpacked(self._perform("recv", self._end))

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Tell whether a message or the end is there; wait for it for `timeout` seconds, or for ever with None."""
        return self._perform("poll", self._end, _patience(True, timeout))

    def close(self) -> None:
        """Close this end."""
        self._perform("close", self._end)


class Choice(Handle):
    """What nobody can foresee."""

    def choose(self) -> Any:
        """Return any of the options: the model contains them all."""
        self._perform("ask")
        return unpacked(self._perform("hear"))


class Process(Handle):
    """A process that is started in the scenario."""

    def start(self) -> None:
        """Let it begin."""
        self._perform("start_it")

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or for `timeout` seconds."""
        self._perform("join", _patience(True, timeout))

    def is_alive(self) -> bool:
        """Tell whether it has begun and not ended."""
        return self._perform("is_alive")

    def kill(self) -> None:
        """End it where it is: what it holds stays held."""
        self._perform("kill")

    terminate = kill


def is_worker(value: Any) -> bool:
    """Tell whether it is a generator function; without `inspect`, which takes a worker process long to load."""
    return isinstance(value, FunctionType) and bool(value.__code__.co_flags & _CO_GENERATOR)


def begin(objects: SharedObjects, worker: Callable[..., Generator], arguments: bytes, child: int | None) -> Generator:
    """Return the generator of a worker. `child` is the slot of its process, if another one is to start it."""
    generator = worker(*objects.unpack(arguments))
    return generator if child is None else _live(Process(objects, child), generator)


def _live(process: Process, work: Generator) -> Generator:
    process._perform("begin")
    try:
        yield from work
    finally:
        process._perform("end")


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


_NO_OBJECTS = {"pack", "unpack", "perform"}


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


def _parcel(parameter: str, value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:
        validate.refuse(TypeError, parameter, "something that can be pickled", value)


def _plain(parameter: str, value: float) -> float:
    if isinstance(value, bool) or (isinstance(value, float) and not math.isnan(value)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    validate.refuse(
        ValueError if isinstance(value, int | float) else TypeError,
        parameter,
        "a bool, a whole number of 64 bits, or a float that is a number",
        value,
    )


def _like(sample: float, value: float) -> float:
    """Return a value as a variable holds it that began with this one."""
    if type(sample) is float and isinstance(value, int | float):
        return float(value)
    if type(sample) is not type(_plain("value", value)):
        raise TypeError(f"value must be a {type(sample).__name__}, as at the start, not {value!r}")
    return value


def _patience(block: bool, timeout: float | None) -> float | None:
    """Return how long a call may wait: None for ever, 0 not at all."""
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float)):
        raise TypeError(f"timeout must be None or a number of seconds, not {timeout!r}")
    if not block:
        return 0
    return None if timeout is None else max(0.0, float(timeout))
