"""What the shared objects of a scenario do, one access at a time, as pure functions of their state.

A method takes the object's state, the number of the process and the arguments of the access. It returns the result and
the state afterwards, or None where the process has to wait. States and results are hashable; what a process puts into
a dict, a list, a queue or a pipe travels pickled, as between real processes.

A timeout is None (wait for ever), 0 (do not wait) or a number of seconds. How long that is, the operating system
decides: so a call with a timeout may expire whenever it would have to wait.

Where the operating system decides who is next, the state leaves it open: any process that may be next can take the
step. What happens without a process, such as the feeder of a queue, is a step of a party of its own.
"""

# ruff: noqa: D102  each class says what it is; its methods are named after the methods of multiprocessing

import pickle
from collections.abc import Hashable
from enum import StrEnum
from typing import Any, NamedTuple

State = Any  # hashable; each kind of object has its own
Effect = tuple[Hashable, State] | None
Timeout = float | None

# verbs that read or write data, of objects that hold some
READS = frozenset({"read", "get", "pop", "setdefault", "exchange", "compare"})
WRITES = frozenset({"write", "set", "pop", "setdefault", "exchange", "compare"})
NOT_RELEASED = "semaphore or lock released too many times"  # the words of multiprocessing itself, here and below
NOT_OWNED = "attempt to release recursive lock not owned by thread"
NO_LOCK_TO_WAIT = "must acquire() condition before using wait()"
NO_LOCK_TO_NOTIFY = "lock is not owned"


class Kind(StrEnum):
    """What kind of object it is."""

    INTEGER = "integer"
    VALUE = "value"
    ARRAY = "array"
    DICT = "dict"
    LIST = "list"
    LOCK = "lock"
    RLOCK = "rlock"
    SEMAPHORE = "semaphore"
    BOUNDED_SEMAPHORE = "bounded_semaphore"
    CONDITION = "condition"
    EVENT = "event"
    BARRIER = "barrier"
    QUEUE = "queue"
    PIPE = "pipe"
    CHOICE = "choice"
    PROCESS = "process"


DATA = frozenset({Kind.INTEGER, Kind.VALUE, Kind.ARRAY, Kind.DICT, Kind.LIST})


class Access(NamedTuple):
    """One operation on one shared object."""

    slot: int  # number of the object, in order of declaration
    verb: str  # name of the method
    arguments: tuple[Hashable, ...] = ()

    @property
    def variable(self) -> tuple[Hashable, ...]:
        """What it reads or writes: a number, or one place in a dict, a list or an array."""
        return (
            (self.slot,) if self.verb in ("read", "write", "exchange", "compare") else (self.slot, *self.arguments[:1])
        )


class Raised(NamedTuple):
    """The result of an access that raises in the worker."""

    error: str  # name of the exception
    message: str = ""


class Party(NamedTuple):
    """Somebody who is no worker and takes steps of his own: the feeder of a queue, or chance."""

    name: str
    access: Access


def unpacked(parcel: bytes | None) -> Any:
    """Return what was pickled; None for no parcel."""
    return None if parcel is None else pickle.loads(parcel)


class ObjectSemantics:
    """One shared object: its name, its setting (a number, for most kinds), and what can be done with it."""

    kind: Kind
    holds_data = True  # part of a scenario's default outcome
    waiting_verbs: frozenset[str] = frozenset()  # those that may have to wait
    timed_verbs: frozenset[str] = frozenset()  # those of them whose last argument is a timeout
    looks: frozenset[str] = frozenset()  # verbs that never change anything
    overwrites: frozenset[str] = frozenset()  # verbs that do the same whatever was there

    def __init__(self, name: str, setting: Any = None) -> None:
        self.name = name
        self.setting = setting

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and (self.name, self.setting) == (other.name, other.setting)

    def __hash__(self) -> int:
        return hash((self.kind, self.name, self.setting))

    @property
    def start(self) -> State:
        """The state before the first access."""
        raise NotImplementedError

    def parties(self, slot: int, processes: int) -> list[Party]:
        """Return those who take steps here besides the workers."""
        return []

    def may_wait(self, verb: str, arguments: tuple[Any, ...]) -> bool:
        """Tell whether the access may have to wait, be it with a timeout: then the scheduler may switch before it."""
        return verb in self.waiting_verbs and not (verb in self.timed_verbs and arguments[-1] == 0)

    def view(self, state: State) -> Any:
        """Return the state as a reader sees it, in plain types; real objects can tell as much."""
        return state

    def holders(self, state: State) -> tuple[int, ...]:
        """Return the numbers of the processes that others wait for here."""
        return ()

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        """Say an access that was made."""
        raise NotImplementedError

    def waits_for(self, verb: str) -> str:
        """Say what a process that cannot make an access waits for."""
        return f"{self.name} to change"


class IntegerSemantics(ObjectSemantics):
    """A whole number of 64 bits; the setting is its start."""

    kind = Kind.INTEGER
    looks = frozenset({"read"})
    overwrites = frozenset({"write"})

    @property
    def start(self) -> int:
        return self.setting

    def read(self, state: int, process: int) -> Effect:
        return state, state

    def write(self, state: int, process: int, value: int) -> Effect:
        return None, value

    def exchange(self, state: int, process: int, value: int) -> Effect:
        return state, value

    def compare(self, state: int, process: int, expected: int, value: int) -> Effect:
        return (True, value) if state == expected else (False, state)

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "exchange":
            return f"{self.name} = {arguments[0]}, was {result}"
        if verb == "compare":
            return (
                f"{self.name} = {arguments[1]}, was {arguments[0]}" if result else f"{self.name} is not {arguments[0]}"
            )
        return f"{self.name} is {result}" if verb == "read" else f"{self.name} = {arguments[0]}"


class ValueSemantics(IntegerSemantics):
    """A plain variable in shared memory: a bool, a whole number or a float; the setting is its start."""

    kind = Kind.VALUE


class ArraySemantics(ObjectSemantics):
    """An array of numbers in shared memory, of a fixed length; the setting is its start, a tuple."""

    kind = Kind.ARRAY
    looks = frozenset({"get"})

    @property
    def start(self) -> tuple:
        return self.setting

    def get(self, state: tuple, process: int, index: int) -> Effect:
        return state[index], state

    def set(self, state: tuple, process: int, index: int, value: float) -> Effect:
        return None, _replaced(state, index, value)

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        index, *values = arguments
        return f"{self.name}[{index}] is {result}" if verb == "get" else f"{self.name}[{index}] = {values[0]}"


class DictSemantics(ObjectSemantics):
    """A dict; its state is a frozenset of (key, pickled value), the setting is its start."""

    kind = Kind.DICT
    looks = frozenset({"get", "length"})

    @property
    def start(self) -> frozenset:
        return self.setting

    def view(self, state: frozenset) -> dict:
        return {key: unpacked(parcel) for key, parcel in sorted(state, key=repr)}

    def get(self, state: frozenset, process: int, key: str | int) -> Effect:
        return dict(state).get(key), state

    def set(self, state: frozenset, process: int, key: str | int, parcel: bytes) -> Effect:
        return None, frozenset({**dict(state), key: parcel}.items())

    def pop(self, state: frozenset, process: int, key: str | int) -> Effect:
        items = dict(state)
        return items.pop(key, None), frozenset(items.items())

    def setdefault(self, state: frozenset, process: int, key: str | int, parcel: bytes) -> Effect:
        items = dict(state)
        return items.setdefault(key, parcel), frozenset(items.items())

    def length(self, state: frozenset, process: int) -> Effect:
        return len(state), state

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "length":
            return f"len({self.name}) is {result}"
        key, *parcels = arguments
        if verb == "set":
            return f"{self.name}[{key!r}] = {unpacked(parcels[0])!r}"
        found = "missing" if result is None else repr(unpacked(result))
        return f"{self.name}[{key!r}] is {found}" if verb == "get" else f"{self.name}.{verb}({key!r}): {found}"


class ListSemantics(ObjectSemantics):
    """A list; its state is a tuple of pickled items, the setting is its start."""

    kind = Kind.LIST
    looks = frozenset({"get", "length", "copy"})

    @property
    def start(self) -> tuple[bytes, ...]:
        return self.setting

    def view(self, state: tuple[bytes, ...]) -> list:
        return list(map(unpacked, state))

    def get(self, state: tuple[bytes, ...], process: int, index: int) -> Effect:
        return (state[index] if -len(state) <= index < len(state) else _out_of("list index")), state

    def set(self, state: tuple[bytes, ...], process: int, index: int, parcel: bytes) -> Effect:
        if not -len(state) <= index < len(state):
            return _out_of("list assignment index"), state
        return None, _replaced(state, index % len(state), parcel)

    def append(self, state: tuple[bytes, ...], process: int, parcel: bytes) -> Effect:
        return None, (*state, parcel)

    def pop(self, state: tuple[bytes, ...], process: int, index: int) -> Effect:
        if not state:
            return Raised("IndexError", "pop from empty list"), state
        if not -len(state) <= index < len(state):
            return _out_of("pop index"), state
        rest = list(state)
        return rest.pop(index), tuple(rest)

    def length(self, state: tuple[bytes, ...], process: int) -> Effect:
        return len(state), state

    def copy(self, state: tuple[bytes, ...], process: int) -> Effect:
        return state, state

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "length":
            return f"len({self.name}) is {result}"
        if verb == "copy":
            return f"{self.name} is {[] if result is None else self.view(result)}"
        if verb == "append":
            return f"{self.name}.append({unpacked(arguments[0])!r})"
        index, *parcels = arguments
        if verb == "set":
            return f"{self.name}[{index}] = {unpacked(parcels[0])!r}"
        found = "missing" if result is None or isinstance(result, Raised) else repr(unpacked(result))
        return f"{self.name}[{index}] is {found}" if verb == "get" else f"{self.name}.pop({index}): {found}"


def _out_of(what: str) -> Raised:
    return Raised("IndexError", f"{what} out of range")


class LockSemantics(ObjectSemantics):
    """A lock; its state is the number of the process that took it, None while it is free."""

    kind = Kind.LOCK
    looks = frozenset({"check"})
    holds_data = False
    waiting_verbs = timed_verbs = frozenset({"acquire"})

    @property
    def start(self) -> None:
        return None

    def view(self, state: int | None) -> bool:
        return state is not None

    def holders(self, state: int | None) -> tuple[int, ...]:
        return () if state is None else (state,)

    def acquire(self, state: int | None, process: int, timeout: Timeout) -> Effect:
        if state is None:
            return True, process
        return None if timeout is None else (False, state)

    def release(self, state: int | None, process: int) -> Effect:
        return (Raised("ValueError", NOT_RELEASED) if state is None else None), None

    def check(self, state: int | None, process: int, message: str) -> Effect:
        """Look whether the process has it, as a condition asks."""
        return (None if process in self.holders(state) else Raised("AssertionError", message)), state

    def release_all(self, state: int | None, process: int) -> Effect:
        """Give it back for a wait; the result is how often it has to be taken again."""
        return 1, None

    def acquire_all(self, state: int | None, process: int, times: int) -> Effect:
        """Take it again after a wait."""
        return (None, process) if state is None else None

    def may_wait(self, verb: str, arguments: tuple[Any, ...]) -> bool:
        return verb == "acquire_all" or super().may_wait(verb, arguments)

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "check":
            return f"{self.name} is mine" if result is None else f"{self.name} is not mine"
        return f"{verb.removesuffix('_all')} {self.name}" if result is not False else f"{self.name} is not free"

    def waits_for(self, verb: str) -> str:
        return self.name


class RLockSemantics(LockSemantics):
    """A reentrant lock; its state is (process that took it, how often), None while it is free."""

    kind = Kind.RLOCK

    def holders(self, state: Any) -> tuple[int, ...]:
        return () if state is None else state[:1]

    def acquire(self, state: Any, process: int, timeout: Timeout) -> Effect:
        owner, times = state or (process, 0)
        if owner == process:
            return True, (process, times + 1)
        return None if timeout is None else (False, state)

    def release(self, state: Any, process: int) -> Effect:
        if process not in self.holders(state):
            return Raised("AssertionError", NOT_OWNED), state
        return None, (process, state[1] - 1) if state[1] > 1 else None

    def release_all(self, state: Any, process: int) -> Effect:
        return state[1], None

    def acquire_all(self, state: Any, process: int, times: int) -> Effect:
        return (None, (process, times)) if state is None else None


class SemaphoreSemantics(ObjectSemantics):
    """A counting semaphore; the setting is its number of permits.

    Its state is (permits left, processes that took one and have not given it back).
    """

    kind = Kind.SEMAPHORE
    holds_data = False
    waiting_verbs = timed_verbs = frozenset({"acquire"})

    @property
    def start(self) -> tuple[int, tuple[int, ...]]:
        return self.setting, ()

    def view(self, state: tuple[int, tuple[int, ...]]) -> int:
        return state[0]

    def holders(self, state: tuple[int, tuple[int, ...]]) -> tuple[int, ...]:
        return state[1]

    def acquire(self, state: tuple[int, tuple[int, ...]], process: int, timeout: Timeout) -> Effect:
        permits, holders = state
        if permits:
            return True, (permits - 1, tuple(sorted((*holders, process))))
        return None if timeout is None else (False, state)

    def release(self, state: tuple[int, tuple[int, ...]], process: int) -> Effect:
        permits, holders = state
        remaining = list(holders)
        if remaining:
            # who took none gives back what another one took
            remaining.remove(process if process in remaining else remaining[0])
        return None, (permits + 1, tuple(remaining))

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        return f"{verb} {self.name}" if result is not False else f"{self.name} is not free"

    def waits_for(self, verb: str) -> str:
        return f"a permit of {self.name}"


class BoundedSemaphoreSemantics(SemaphoreSemantics):
    """A semaphore that is never given back more often than it was taken; the setting is its number of permits."""

    kind = Kind.BOUNDED_SEMAPHORE

    def release(self, state: tuple[int, tuple[int, ...]], process: int) -> Effect:
        if state[0] == self.setting:
            return Raised("ValueError", NOT_RELEASED), state
        return super().release(state, process)


Sleepers = tuple[tuple[tuple[int, ...], int], ...]


class _Sleeping(ObjectSemantics):
    """Processes that sleep until they are woken, where nobody can say who of them is woken first.

    The state is a tuple of groups, oldest first: (who went to sleep, how many of them and of all before them may wake
    up). A wake-up is for those who slept already when it came; who of them gets it is decided when one takes it.
    """

    holds_data = False

    @staticmethod
    def asleep(groups: Sleepers, process: int) -> Sleepers:
        """Return the groups when one more process has gone to sleep."""
        if groups and not groups[-1][1]:
            return (*groups[:-1], (tuple(sorted((*groups[-1][0], process))), 0))
        return (*groups, ((process,), 0))

    @staticmethod
    def woken(groups: Sleepers, process: int) -> Sleepers | None:
        """Return the groups when a process has taken a wake-up that is for it; None if there is none."""
        own = next(index for index, (sleepers, _) in enumerate(groups) if process in sleepers)
        given = next((index for index in range(own, len(groups)) if groups[index][1]), None)
        if given is None:
            return None
        taken = [(sleepers, wakes - (index == given)) for index, (sleepers, wakes) in enumerate(groups)]
        return _Sleeping._without(tuple(taken), process)

    @staticmethod
    def _without(groups: Sleepers, process: int) -> Sleepers:
        """Return the groups without a process; those who wait for the same wake-ups are one group."""
        rest: list[tuple[tuple[int, ...], int]] = []
        before: tuple[int, ...] = ()
        for sleepers, wakes in groups:
            before = tuple(sorted(before + tuple(sleeper for sleeper in sleepers if sleeper != process)))
            if wakes:
                rest.append((before, wakes))
                before = ()
        return (*rest, (before, 0)) if before else tuple(rest)

    @staticmethod
    def left_asleep(groups: Sleepers) -> int:
        """Return how many sleep and will go on to sleep."""
        return sum(len(sleepers) - wakes for sleepers, wakes in groups)

    @staticmethod
    def notified(groups: Sleepers, count: int) -> Sleepers:
        """Return the groups when so many more of those who sleep may wake up."""
        count = min(count, _Sleeping.left_asleep(groups))
        return (*groups[:-1], (groups[-1][0], groups[-1][1] + count)) if count else groups


class ConditionSemantics(_Sleeping):
    """A condition without its lock."""

    kind = Kind.CONDITION
    waiting_verbs = timed_verbs = frozenset({"wake"})

    @property
    def start(self) -> Sleepers:
        return ()

    def view(self, state: Sleepers) -> int:
        return self.left_asleep(state)

    def sleep(self, state: Sleepers, process: int) -> Effect:
        return None, self.asleep(state, process)

    def wake(self, state: Sleepers, process: int, timeout: Timeout) -> Effect:
        after = self.woken(state, process)
        if after is not None:
            return True, after
        return None if timeout is None else (False, self._without(state, process))

    def notify(self, state: Sleepers, process: int, count: int) -> Effect:
        return None, self.notified(state, count)

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if result is False:
            return f"{self.name} timed out"
        return {"sleep": "wait for", "wake": "woken by", "notify": "notify"}[verb] + f" {self.name}"

    def waits_for(self, verb: str) -> str:
        return f"somebody to notify {self.name}"


class EventSemantics(_Sleeping):
    """An event; its state is (whether it is set, who sleeps). Who was woken looks at the flag again."""

    kind = Kind.EVENT
    looks = frozenset({"is_set"})
    waiting_verbs = timed_verbs = frozenset({"wake"})

    @property
    def start(self) -> tuple[bool, Sleepers]:
        return False, ()

    def view(self, state: tuple[bool, Sleepers]) -> bool:
        return state[0]

    def is_set(self, state: tuple[bool, Sleepers], process: int) -> Effect:
        return state[0], state

    def set_flag(self, state: tuple[bool, Sleepers], process: int) -> Effect:
        return None, (True, self.notified(state[1], self.left_asleep(state[1])))

    def clear_flag(self, state: tuple[bool, Sleepers], process: int) -> Effect:
        return None, (False, state[1])

    def sleep(self, state: tuple[bool, Sleepers], process: int) -> Effect:
        return (True, state) if state[0] else (False, (False, self.asleep(state[1], process)))

    def wake(self, state: tuple[bool, Sleepers], process: int, timeout: Timeout) -> Effect:
        is_set, groups = state
        after = self.woken(groups, process)
        if after is not None:
            return is_set, (is_set, after)
        return None if timeout is None else (is_set, (is_set, self._without(groups, process)))

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb in ("set_flag", "clear_flag"):
            return f"{verb.removesuffix('_flag')} {self.name}"
        if verb == "sleep" and not result:
            return f"wait for {self.name}"
        return f"{self.name} is set" if result else f"{self.name} is not set"

    def waits_for(self, verb: str) -> str:
        return f"somebody to set {self.name}"


class BarrierSemantics(ObjectSemantics):
    """A barrier; the setting is how many parties it waits for.

    Its state is (who is inside, whether it is open): it opens when all are in and shuts when all are out.
    """

    kind = Kind.BARRIER
    holds_data = False
    waiting_verbs = frozenset({"arrive", "leave"})

    @property
    def start(self) -> tuple[frozenset[int], bool]:
        return frozenset(), False

    def view(self, state: tuple[frozenset[int], bool]) -> int:
        return len(state[0])

    def arrive(self, state: tuple[frozenset[int], bool], process: int) -> Effect:
        inside, is_open = state
        if is_open:
            return None
        return len(inside), (inside | {process}, len(inside) + 1 == self.setting)

    def leave(self, state: tuple[frozenset[int], bool], process: int) -> Effect:
        inside, is_open = state
        if not is_open:
            return None
        return None, (inside - {process}, len(inside) > 1)

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        return f"{verb} at {self.name}" if verb == "arrive" else f"{verb} {self.name}"

    def waits_for(self, verb: str) -> str:
        return f"the others at {self.name}"


class QueueSemantics(ObjectSemantics):
    """A queue. The setting is (how many items it holds, 0 for any number; whether items come by a feeder).

    Its state is (pickled items that can be got, oldest first; those that a feeder has still to bring: pairs of a
    process and its items).
    """

    kind = Kind.QUEUE
    looks = frozenset({"empty", "full", "size"})
    waiting_verbs = timed_verbs = frozenset({"put", "get"})

    @property
    def start(self) -> tuple[tuple[bytes, ...], tuple]:
        return (), ()

    def parties(self, slot: int, processes: int) -> list[Party]:
        feeders = range(processes) if self.setting[1] else ()
        return [
            Party(f"feeder of {self.name} in process {number}", Access(slot, "feed", (number,))) for number in feeders
        ]

    def view(self, state: tuple[tuple[bytes, ...], tuple]) -> tuple:
        return tuple(map(unpacked, state[0]))

    def put(self, state: tuple[tuple[bytes, ...], tuple], process: int, parcel: bytes, timeout: Timeout) -> Effect:
        there, coming = state
        if self.setting[0] and self._count(state) == self.setting[0]:
            return None if timeout is None else (Raised("Full"), state)
        if not self.setting[1]:
            return None, ((*there, parcel), coming)
        return None, (there, _with(coming, process, (*dict(coming).get(process, ()), parcel)))

    def get(self, state: tuple[tuple[bytes, ...], tuple], process: int, timeout: Timeout) -> Effect:
        there, coming = state
        if there:
            return there[0], (there[1:], coming)
        return None if timeout is None else (Raised("Empty"), state)

    def feed(self, state: tuple[tuple[bytes, ...], tuple], party: int, process: int) -> Effect:
        there, coming = state
        items = dict(coming).get(process, ())
        return (None, ((*there, items[0]), _with(coming, process, items[1:]))) if items else None

    def empty(self, state: tuple[tuple[bytes, ...], tuple], process: int) -> Effect:
        return not state[0], state

    def full(self, state: tuple[tuple[bytes, ...], tuple], process: int) -> Effect:
        return self.setting[0] > 0 and self._count(state) == self.setting[0], state

    def size(self, state: tuple[tuple[bytes, ...], tuple], process: int) -> Effect:
        return self._count(state), state

    @staticmethod
    def _count(state: tuple[tuple[bytes, ...], tuple]) -> int:
        return len(state[0]) + sum(len(items) for _, items in state[1])

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if isinstance(result, Raised):
            return f"{self.name} is {result.error.lower()}"
        if verb == "put":
            return f"{self.name}.put({unpacked(arguments[0])!r})"
        if verb == "feed":
            return f"an item comes into {self.name}"
        if verb == "get":
            return f"{self.name}.get()" + ("" if result is None else f": {unpacked(result)!r}")
        return f"{self.name}.{'qsize' if verb == 'size' else verb}() is {result}"

    def waits_for(self, verb: str) -> str:
        return f"room in {self.name}" if verb == "put" else f"an item in {self.name}"


class PipeSemantics(ObjectSemantics):
    """A pipe with two ends; the setting is how many messages it holds in each direction, 0 for any number.

    Its state is (pickled messages on the way to end 0, those to end 1, whether end 0 is closed, whether end 1 is).
    """

    kind = Kind.PIPE
    looks = frozenset({"poll"})
    waiting_verbs = frozenset({"send", "recv", "poll"})

    @property
    def start(self) -> tuple:
        return (), (), False, False

    def may_wait(self, verb: str, arguments: tuple[Any, ...]) -> bool:
        if verb == "send":
            return self.setting > 0
        return verb == "recv" or (verb == "poll" and arguments[-1] != 0)

    def view(self, state: tuple) -> tuple[tuple, tuple]:
        return tuple(map(unpacked, state[0])), tuple(map(unpacked, state[1]))

    def send(self, state: tuple, process: int, end: int, parcel: bytes) -> Effect:
        to = 1 - end
        if state[2 + end]:
            return Raised("OSError", "handle is closed"), state
        if state[2 + to]:
            return Raised("BrokenPipeError", "[Errno 32] Broken pipe"), state
        if self.setting and len(state[to]) == self.setting:
            return None
        return None, _replaced(state, to, (*state[to], parcel))

    def recv(self, state: tuple, process: int, end: int) -> Effect:
        if state[2 + end]:
            return Raised("OSError", "handle is closed"), state
        if state[end]:
            return state[end][0], _replaced(state, end, state[end][1:])
        return (Raised("EOFError"), state) if state[3 - end] else None

    def poll(self, state: tuple, process: int, end: int, timeout: Timeout) -> Effect:
        if state[2 + end]:
            return Raised("OSError", "handle is closed"), state
        is_there = bool(state[end]) or state[3 - end]
        return (is_there, state) if is_there or timeout is not None else None

    def close(self, state: tuple, process: int, end: int) -> Effect:
        return None, _replaced(state, 2 + end, True)

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        end, *parcels = arguments
        call = f"{self.name}[{end}].{verb}({repr(unpacked(parcels[0])) if verb == 'send' else ''})"
        if isinstance(result, Raised):
            return f"{call}: {result.error}"
        answer = unpacked(result) if verb == "recv" else result
        return call + ("" if result is None else f": {answer!r}")

    def waits_for(self, verb: str) -> str:
        return f"room in {self.name}" if verb == "send" else f"a message in {self.name}"


class ChoiceSemantics(ObjectSemantics):
    """What nobody can foresee; the setting is the tuple of all that may come.

    Its state is a tuple of pairs: a process that has asked, and the index of what it is told, -1 until that is known.
    """

    kind = Kind.CHOICE
    holds_data = False
    waiting_verbs = frozenset({"hear"})

    @property
    def start(self) -> tuple:
        return ()

    def parties(self, slot: int, processes: int) -> list[Party]:
        return [
            Party(f"{self.name}: {unpacked(option)!r}", Access(slot, "decide", (index,)))
            for index, option in enumerate(self.setting)
        ]

    def view(self, state: tuple) -> int:
        return len(state)

    def ask(self, state: tuple, process: int) -> Effect:
        return None, _with(state, process, -1)

    def decide(self, state: tuple, party: int, index: int) -> Effect:
        asking = next((process for process, answer in state if answer == -1), None)
        return None if asking is None else (None, _with(state, asking, index))

    def hear(self, state: tuple, process: int) -> Effect:
        answer = dict(state)[process]
        return None if answer == -1 else (self.setting[answer], tuple(pair for pair in state if pair[0] != process))

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "decide":
            return f"{self.name} is {unpacked(self.setting[arguments[0]])!r}"
        return f"ask {self.name}" if verb == "ask" else f"{self.name} is {unpacked(result)!r}"

    def waits_for(self, verb: str) -> str:
        return f"{self.name} to be decided"


class ProcessSemantics(ObjectSemantics):
    """A process that another one starts; the setting is its number. Its state is how far it is."""

    kind = Kind.PROCESS
    looks = frozenset({"begin", "is_alive", "join"})
    holds_data = False
    waiting_verbs = frozenset({"begin", "join"})
    timed_verbs = frozenset({"join"})

    @property
    def start(self) -> str:
        return "new"

    def holders(self, state: str) -> tuple[int, ...]:
        return (self.setting,) if state == "running" else ()

    def start_it(self, state: str, process: int) -> Effect:
        if state != "new":
            return Raised("AssertionError", "cannot start a process twice"), state
        return None, "running"

    def begin(self, state: str, process: int) -> Effect:
        return None if state == "new" else (None, state)

    def end(self, state: str, process: int) -> Effect:
        return None, "ended"

    def kill(self, state: str, process: int) -> Effect:
        return None, "killed" if state == "running" else state

    def is_alive(self, state: str, process: int) -> Effect:
        return state == "running", state

    def join(self, state: str, process: int, timeout: Timeout) -> Effect:
        if state == "new":
            return Raised("AssertionError", "can only join a started process"), state
        return (None, state) if state != "running" or timeout is not None else None

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "is_alive":
            return f"{self.name} is {'alive' if result else 'not alive'}"
        return f"{self.name} begins" if verb == "begin" else f"{verb.removesuffix('_it')} {self.name}"

    def waits_for(self, verb: str) -> str:
        return f"{self.name} to be started" if verb == "begin" else f"{self.name} to end"


def _replaced(state: tuple, index: int, value: Any) -> tuple:
    return (*state[:index], value, *state[index + 1 :])


def _with(pairs: tuple, key: int, value: Any) -> tuple:
    """Return pairs of a key and a value, sorted, with another value for the key; without it where that is empty."""
    items = {**dict(pairs), key: value}
    return tuple(sorted((one, what) for one, what in items.items() if what != ()))
