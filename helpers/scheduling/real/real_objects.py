"""The shared objects of a scenario as real objects of multiprocessing, with the same accesses as the model's objects.

A condition and a queue are made of semaphores, in the way of the textbooks: multiprocessing leaves it to the operating
system which sleeper a condition wakes, and to a thread when an item put into a queue gets there, and neither can then
be replayed step by step.
"""

# ruff: noqa: D102  the methods are those of the semantics, with what these say

import pickle
import random
import threading
from collections.abc import Callable
from ctypes import c_bool
from typing import TYPE_CHECKING, Any, Protocol

from helpers.scheduling.program.semantics import NOT_OWNED, Kind, ObjectSemantics, Raised, Timeout

if TYPE_CHECKING:
    # a worker process has no need of these imports, which take time
    from multiprocessing.context import BaseContext
    from multiprocessing.managers import SyncManager

CREATED, RUNNING, ENDED, KILLED = range(4)  # how far a process is that another one starts


class Runner(Protocol):
    """Who makes the accesses of one process."""

    number: int
    is_free: bool

    def wait(self, attempt: Callable[[float], bool], timeout: Timeout) -> bool:
        """Call `attempt`, with seconds that it may take, until it is true; without it tell so after the timeout."""


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

    def finish(self) -> None:
        """Wait, in a worker that has come to its end, for what goes on behind its back."""


class RealInteger(RealObject):
    """A number in shared memory, read without a lock."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._number = context.RawValue(_type_code(self.semantics.setting))
        # what a processor does by one instruction takes a lock here, which writing respects
        self._guard = context.Lock()

    def reset(self) -> None:
        self._number.value = self.semantics.setting

    def view(self) -> float:
        return self._number.value

    def read(self, runner: Runner) -> float:
        return self._number.value

    def write(self, runner: Runner, value: float) -> None:
        with self._guard:
            self._number.value = value

    def exchange(self, runner: Runner, value: int) -> int:
        with self._guard:
            before, self._number.value = self._number.value, value
        return before

    def compare(self, runner: Runner, expected: int, value: int) -> bool:
        with self._guard:
            if self._number.value != expected:
                return False
            self._number.value = value
            return True


class RealArray(RealObject):
    """Numbers in shared memory, without a lock."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._numbers = context.RawArray(_type_code(self.semantics.setting[0]), len(self.semantics.setting))

    def reset(self) -> None:
        self._numbers[:] = self.semantics.setting

    def view(self) -> tuple[float, ...]:
        return tuple(self._numbers)

    def get(self, runner: Runner, index: int) -> float:
        return self._numbers[index]

    def set(self, runner: Runner, index: int, value: float) -> None:
        self._numbers[index] = value


def _type_code(value: float) -> Any:
    return c_bool if isinstance(value, bool) else "d" if isinstance(value, float) else "q"


class RealDict(RealObject):
    """A dict in the process of a manager; its values are pickled."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        assert manager, "what is IN_A_MANAGER is created with one"
        self._dict = manager.dict()

    def reset(self) -> None:
        self._dict.clear()
        self._dict.update(self.semantics.setting)

    def view(self) -> dict:
        return self.semantics.view(frozenset(self._dict.items()))

    def get(self, runner: Runner, key: str | int) -> bytes | None:
        return self._dict.get(key)

    def set(self, runner: Runner, key: str | int, parcel: bytes) -> None:
        self._dict[key] = parcel

    def pop(self, runner: Runner, key: str | int) -> bytes | None:
        return self._dict.pop(key, None)

    def setdefault(self, runner: Runner, key: str | int, parcel: bytes) -> bytes:
        return self._dict.setdefault(key, parcel)

    def length(self, runner: Runner) -> int:
        return len(self._dict)


class RealList(RealObject):
    """A list in the process of a manager; its items are pickled."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        assert manager, "what is IN_A_MANAGER is created with one"
        self._list = manager.list()

    def reset(self) -> None:
        self._list[:] = self.semantics.setting

    def view(self) -> list:
        return self.semantics.view(tuple(self._list))

    def get(self, runner: Runner, index: int) -> bytes | Raised:
        return self._attempt(lambda: self._list[index])

    def set(self, runner: Runner, index: int, parcel: bytes) -> Raised | None:
        return self._attempt(lambda: self._list.__setitem__(index, parcel))

    def append(self, runner: Runner, parcel: bytes) -> None:
        self._list.append(parcel)

    def pop(self, runner: Runner, index: int) -> bytes | Raised:
        return self._attempt(lambda: self._list.pop(index))

    def length(self, runner: Runner) -> int:
        return len(self._list)

    def copy(self, runner: Runner) -> tuple[bytes, ...]:
        return tuple(self._list[:])

    @staticmethod
    def _attempt(action: Callable[[], Any]) -> Any:
        try:
            return action()
        except IndexError as error:
            return Raised("IndexError", str(error))


class RealSemaphore(RealObject):
    """A counting semaphore."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._semaphore = context.Semaphore(0)

    def reset(self) -> None:
        _refill(self._semaphore, self.semantics.setting)

    def view(self) -> int:
        return _emptied(self._semaphore)

    def acquire(self, runner: Runner, timeout: Timeout) -> bool:
        return runner.wait(_taking(self._semaphore), timeout)

    def release(self, runner: Runner) -> Raised | None:
        try:
            self._semaphore.release()
        except ValueError as error:
            return Raised("ValueError", str(error))
        return None


class RealBoundedSemaphore(RealSemaphore):
    """A semaphore that is never given back more often than it was taken."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._semaphore = context.BoundedSemaphore(self.semantics.setting)


class RealLock(RealObject):
    """A lock, which multiprocessing makes of a semaphore too, and a note of who has it."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._lock = context.Lock()
        self._owner = context.RawValue("q")
        self._times = context.RawValue("q")

    def reset(self) -> None:
        _refill(self._lock, 1)
        self._owner.value = -1

    def view(self) -> bool:
        return _emptied(self._lock) == 0

    def acquire(self, runner: Runner, timeout: Timeout) -> bool:
        is_mine = runner.wait(_taking(self._lock), timeout)
        if is_mine:
            self._own(runner, 1)
        return is_mine

    def _own(self, runner: Runner, times: int) -> None:
        self._owner.value, self._times.value = runner.number, times

    def release(self, runner: Runner) -> Raised | None:
        self._owner.value = -1
        try:
            self._lock.release()
        except ValueError as error:
            return Raised("ValueError", str(error))
        return None

    def check(self, runner: Runner, message: str) -> Raised | None:
        return None if self._owner.value == runner.number else Raised("AssertionError", message)

    def release_all(self, runner: Runner) -> int:
        times = self._times.value
        self._owner.value = -1
        self._lock.release()
        return times

    def acquire_all(self, runner: Runner, times: int) -> None:
        runner.wait(_taking(self._lock), None)
        self._own(runner, times)


class RealRLock(RealLock):
    """A reentrant lock that the parent too can put back to its start, whoever has it."""

    def acquire(self, runner: Runner, timeout: Timeout) -> bool:
        if self._owner.value == runner.number:
            self._times.value += 1
            return True
        return super().acquire(runner, timeout)

    def release(self, runner: Runner) -> Raised | None:
        if self._owner.value != runner.number:
            return Raised("AssertionError", NOT_OWNED)
        self._times.value -= 1
        return None if self._times.value else super().release(runner)


class _RealSleeping(RealObject):
    """Processes that sleep: a semaphore for each to sleep on (Birrell 2003), and who may wake up, in shared memory."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._note = context.RawArray("c", 256 + 64 * processes)
        self._guard = context.Lock()
        self._beds = [context.Semaphore(0) for _ in range(processes)]

    def reset(self) -> None:
        self._note.raw = pickle.dumps(self.semantics.start).ljust(len(self._note), b"\0")
        for bed in self._beds:
            _refill(bed, 0)

    def view(self) -> Any:
        return self.semantics.view(pickle.loads(self._note.raw))

    def _change(self, verb: str, runner: Runner, *arguments: Any) -> tuple[bool, Any]:
        """Do what the semantics say; return whether it was possible, and the result."""
        with self._guard:
            effect = getattr(self.semantics, verb)(pickle.loads(self._note.raw), runner.number, *arguments)
            if effect is None:
                return False, None
            result, after = effect
            self._note.raw = pickle.dumps(after).ljust(len(self._note), b"\0")
        return True, result

    def sleep(self, runner: Runner) -> Any:
        return self._change("sleep", runner)[1]

    def wake(self, runner: Runner, timeout: Timeout) -> Any:
        found: list[Any] = []

        def attempt(seconds: float) -> bool:
            is_possible, result = self._change("wake", runner, None)
            if not is_possible and self._beds[runner.number].acquire(timeout=seconds):
                is_possible, result = self._change("wake", runner, None)
            found[:] = [result]
            return is_possible

        if runner.wait(attempt, timeout):
            return found[0]
        return self._change("wake", runner, 0)[1]

    def _rouse(self) -> None:
        """Let all look whether they may wake up."""
        for bed in self._beds:
            bed.release()


class RealCondition(_RealSleeping):
    """A condition."""

    def notify(self, runner: Runner, count: int) -> None:
        self._change("notify", runner, count)
        self._rouse()


class RealEvent(_RealSleeping):
    """An event."""

    def is_set(self, runner: Runner) -> bool:
        return self._change("is_set", runner)[1]

    def set_flag(self, runner: Runner) -> None:
        self._change("set_flag", runner)
        self._rouse()

    def clear_flag(self, runner: Runner) -> None:
        self._change("clear_flag", runner)


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

    def arrive(self, runner: Runner) -> int:
        runner.wait(_taking(self._way_in), None)
        return self._count(1, self.semantics.setting, self._way_out) - 1

    def leave(self, runner: Runner) -> None:
        runner.wait(_taking(self._way_out), None)
        self._count(-1, 0, self._way_in)

    def _count(self, change: int, last: int, way: Any) -> int:
        with self._guard:
            self._inside.value += change
            inside = self._inside.value
            if inside == last:
                _release(way, self.semantics.setting)
        return inside


class RealQueue(RealObject):
    """A queue: a pipe, between a semaphore that counts the items and one that counts the places left.

    With feeders an item goes through a pipe of its process first, and the feeder takes it from there.
    """

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._maxsize, self._has_feeders = self.semantics.setting
        self._queue = context.SimpleQueue()
        self._items, self._places = context.Semaphore(0), context.Semaphore(0)
        self._count, self._guard = context.RawValue("q"), context.Lock()
        self._coming = [context.SimpleQueue() for _ in range(processes if self._has_feeders else 0)]
        self._feeding = context.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_threads"}

    def reset(self) -> None:
        self.view()
        self._count.value = 0
        _refill(self._places, self._maxsize)

    def view(self) -> tuple:
        items = self.semantics.view((tuple(self._queue.get() for _ in range(_emptied(self._items))), ()))
        for own in self._coming:
            while not own.empty():
                own.get()
        return items

    def put(self, runner: Runner, parcel: bytes, timeout: Timeout) -> Raised | None:
        if self._maxsize and not runner.wait(_taking(self._places), timeout):
            return Raised("Full")
        self._add(1)
        if not self._has_feeders:
            self._deliver(parcel)
        else:
            self._coming[runner.number].put(parcel)
            if runner.is_free:
                self._feed_behind(runner)
        return None

    def _add(self, change: int) -> None:
        with self._guard:
            self._count.value += change

    def _deliver(self, parcel: bytes) -> None:
        self._queue.put(parcel)
        self._items.release()

    def _feed_behind(self, runner: Runner) -> None:
        feeder = threading.Thread(target=self.feed, args=(runner, runner.number), daemon=True)
        feeder.start()
        self.__dict__.setdefault("_threads", []).append(feeder)

    def finish(self) -> None:
        for feeder in self.__dict__.pop("_threads", []):
            feeder.join()

    def feed(self, runner: Runner, process: int) -> None:
        with self._feeding:
            self._deliver(self._coming[process].get())

    def get(self, runner: Runner, timeout: Timeout) -> bytes | Raised:
        if not runner.wait(_taking(self._items), timeout):
            return Raised("Empty")
        parcel = self._queue.get()
        self._add(-1)
        if self._maxsize:
            self._places.release()
        return parcel

    def empty(self, runner: Runner) -> bool:
        return self._queue.empty()

    def full(self, runner: Runner) -> bool:
        return self._maxsize > 0 and self._count.value == self._maxsize

    def size(self, runner: Runner) -> int:
        return self._count.value


class RealPipe(RealObject):
    """A duplex pipe, with a semaphore in each direction that counts the room left, and a note of closed ends."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._ends = context.Pipe()
        self._room = [context.Semaphore(0), context.Semaphore(0)] if self.semantics.setting else []
        self._closed = context.RawArray("b", 2)

    def reset(self) -> None:
        self.view()
        self._closed[:] = (0, 0)
        for room in self._room:
            _refill(room, self.semantics.setting)

    def view(self) -> tuple[tuple, tuple]:
        return self.semantics.view((*map(_drained, self._ends), False, False))

    def send(self, runner: Runner, end: int, parcel: bytes) -> Raised | None:
        if self._closed[end]:
            return Raised("OSError", "handle is closed")
        if self._room:
            runner.wait(lambda timeout: self._closed[1 - end] or self._room[1 - end].acquire(timeout=timeout), None)
        if self._closed[1 - end]:
            return Raised("BrokenPipeError", "[Errno 32] Broken pipe")
        self._ends[end].send_bytes(parcel)
        return None

    def recv(self, runner: Runner, end: int) -> bytes | Raised:
        if self._closed[end]:
            return Raised("OSError", "handle is closed")
        runner.wait(self._looking(end), None)
        if not self._ends[end].poll():
            return Raised("EOFError")
        parcel = self._ends[end].recv_bytes()
        if self._room:
            self._room[end].release()
        return parcel

    def poll(self, runner: Runner, end: int, timeout: Timeout) -> bool | Raised:
        if self._closed[end]:
            return Raised("OSError", "handle is closed")
        return runner.wait(self._looking(end), timeout)

    def _looking(self, end: int) -> Callable[[float], bool]:
        return lambda timeout: bool(self._closed[1 - end]) or self._ends[end].poll(timeout)

    def close(self, runner: Runner, end: int) -> None:
        self._closed[end] = 1


class RealChoice(RealObject):
    """What nobody can foresee: told by the schedule, or drawn in a free run."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._answers = context.RawArray("q", processes)  # index of the option + 1; 0: did not ask
        self._told = [context.Semaphore(0) for _ in range(processes)]

    def reset(self) -> None:
        for process, told in enumerate(self._told):
            self._answers[process] = 0
            _refill(told, 0)

    def view(self) -> int:
        return sum(answer != 0 for answer in self._answers)

    def ask(self, runner: Runner) -> None:
        self._answers[runner.number] = -1
        if runner.is_free:
            self._tell(runner.number, random.randrange(len(self.semantics.setting)))

    def decide(self, runner: Runner, index: int) -> None:
        self._tell(next(process for process, answer in enumerate(self._answers) if answer == -1), index)

    def _tell(self, process: int, index: int) -> None:
        self._answers[process] = index + 1
        self._told[process].release()

    def hear(self, runner: Runner) -> bytes:
        runner.wait(_taking(self._told[runner.number]), None)
        answer, self._answers[runner.number] = self._answers[runner.number], 0
        return self.semantics.setting[answer - 1]


class RealProcess(RealObject):
    """How far a process is that another one starts. The process itself is there all the time, and waits."""

    def create(self, context: "BaseContext", processes: int, manager: "SyncManager | None") -> None:
        self._state = context.RawValue("b")
        self._started, self._over = context.Semaphore(0), context.Semaphore(0)

    def reset(self) -> None:
        self._state.value = CREATED
        _refill(self._started, 0)
        _refill(self._over, 0)

    def view(self) -> str:
        return ("new", "running", "ended", "killed")[self._state.value]

    @property
    def is_killed(self) -> bool:
        """Tell whether it must not go on."""
        return self._state.value == KILLED

    @property
    def was_started(self) -> bool:
        """Tell whether anybody has started it."""
        return self._state.value != CREATED

    def start_it(self, runner: Runner) -> Raised | None:
        if self._state.value != CREATED:
            return Raised("AssertionError", "cannot start a process twice")
        self._state.value = RUNNING
        self._started.release()
        return None

    def begin(self, runner: Runner) -> None:
        runner.wait(_taking(self._started), None)

    def end(self, runner: Runner) -> None:
        self._state.value = ENDED
        self._over.release()

    def kill(self, runner: Runner) -> None:
        if self._state.value == RUNNING:
            self._state.value = KILLED
            self._over.release()

    def is_alive(self, runner: Runner) -> bool:
        return self._state.value == RUNNING

    def join(self, runner: Runner, timeout: Timeout) -> Raised | None:
        if self._state.value == CREATED:
            return Raised("AssertionError", "can only join a started process")
        if runner.wait(_taking(self._over), timeout):
            # for whoever joins it next
            self._over.release()
        return None


_KINDS: dict[Kind, type[RealObject]] = {
    Kind.INTEGER: RealInteger,
    Kind.VALUE: RealInteger,
    Kind.ARRAY: RealArray,
    Kind.DICT: RealDict,
    Kind.LIST: RealList,
    Kind.LOCK: RealLock,
    Kind.RLOCK: RealRLock,
    Kind.SEMAPHORE: RealSemaphore,
    Kind.BOUNDED_SEMAPHORE: RealBoundedSemaphore,
    Kind.CONDITION: RealCondition,
    Kind.EVENT: RealEvent,
    Kind.BARRIER: RealBarrier,
    Kind.QUEUE: RealQueue,
    Kind.PIPE: RealPipe,
    Kind.CHOICE: RealChoice,
    Kind.PROCESS: RealProcess,
}
IN_A_MANAGER = frozenset({Kind.DICT, Kind.LIST})


def real_objects(
    semantics: list[ObjectSemantics], context: "BaseContext", processes: int, manager: "SyncManager | None"
) -> list[RealObject]:
    """Create the real objects for their semantics; dicts and lists need a manager."""
    return [_KINDS[declared.kind](declared, context, processes, manager) for declared in semantics]


def _taking(semaphore: Any) -> Callable[[float], bool]:
    return lambda timeout: semaphore.acquire(timeout=timeout)


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
