"""What the shared objects of a scenario do, one access at a time, as pure functions of their state.

A method takes the object's state, the number of the process and the arguments of the access. It returns the result and
the state afterwards, or None where the process has to wait. States and results are hashable; what a process puts into
a dict, a queue or a pipe travels pickled, as between real processes.
"""

# ruff: noqa: D102  each class says what it is; its methods are named after the methods of multiprocessing

import pickle
from collections.abc import Hashable
from enum import StrEnum
from typing import Any, NamedTuple

State = Any  # hashable; each kind of object has its own
Effect = tuple[Hashable, State] | None

READS = frozenset({"read", "get", "pop", "setdefault"})  # verbs of integers and dicts
WRITES = frozenset({"write", "set", "pop", "setdefault"})
TOO_MANY_RELEASES = "semaphore or lock released too many times"  # the words of multiprocessing itself


class Kind(StrEnum):
    """What kind of object it is."""

    INTEGER = "integer"
    DICT = "dict"
    LOCK = "lock"
    SEMAPHORE = "semaphore"
    CONDITION = "condition"
    BARRIER = "barrier"
    QUEUE = "queue"
    PIPE = "pipe"


class Access(NamedTuple):
    """One operation on one shared object."""

    slot: int  # number of the object, in order of declaration
    verb: str  # name of the method
    arguments: tuple[Hashable, ...] = ()

    @property
    def variable(self) -> tuple[Hashable, ...]:
        """What it reads or writes: an integer, or one key of a dict."""
        return (self.slot,) if self.verb in ("read", "write") else (self.slot, *self.arguments[:1])


class Raised(NamedTuple):
    """The result of an access that raises ValueError in the worker."""

    message: str


def unpacked(parcel: bytes | None) -> Any:
    """Return what was pickled; None for no parcel."""
    return None if parcel is None else pickle.loads(parcel)


class ObjectSemantics:
    """One shared object: its name, its setting (a number, for most kinds), and what can be done with it."""

    kind: Kind
    holds_data = True  # part of a scenario's default outcome

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

    @property
    def start(self) -> int:
        return self.setting

    def read(self, state: int, process: int) -> Effect:
        return state, state

    def write(self, state: int, process: int, value: int) -> Effect:
        return None, value

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        return f"{self.name} is {result}" if verb == "read" else f"{self.name} = {arguments[0]}"


class DictSemantics(ObjectSemantics):
    """A dict; its state is a frozenset of (key, pickled value), the setting is its start."""

    kind = Kind.DICT

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


class LockSemantics(ObjectSemantics):
    """A lock; its state is the number of the process that took it, None while it is free."""

    kind = Kind.LOCK
    holds_data = False

    @property
    def start(self) -> None:
        return None

    def view(self, state: int | None) -> bool:
        return state is not None

    def holders(self, state: int | None) -> tuple[int, ...]:
        return () if state is None else (state,)

    def acquire(self, state: int | None, process: int, block: bool) -> Effect:
        if state is None:
            return True, process
        return None if block else (False, state)

    def release(self, state: int | None, process: int) -> Effect:
        return (Raised(TOO_MANY_RELEASES) if state is None else None), None

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        return f"{verb} {self.name}" if result is not False else f"{self.name} is not free"

    def waits_for(self, verb: str) -> str:
        return self.name


class SemaphoreSemantics(ObjectSemantics):
    """A counting semaphore; the setting is its number of permits.

    Its state is (permits left, processes that took one and have not given it back).
    """

    kind = Kind.SEMAPHORE
    holds_data = False

    @property
    def start(self) -> tuple[int, tuple[int, ...]]:
        return self.setting, ()

    def view(self, state: tuple[int, tuple[int, ...]]) -> int:
        return state[0]

    def holders(self, state: tuple[int, tuple[int, ...]]) -> tuple[int, ...]:
        return state[1]

    def acquire(self, state: tuple[int, tuple[int, ...]], process: int, block: bool) -> Effect:
        permits, holders = state
        if permits:
            return True, (permits - 1, tuple(sorted((*holders, process))))
        return None if block else (False, state)

    def release(self, state: tuple[int, tuple[int, ...]], process: int) -> Effect:
        permits, holders = state
        remaining = list(holders)
        if process in remaining:
            remaining.remove(process)
        return None, (permits + 1, tuple(remaining))

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        return f"{verb} {self.name}" if result is not False else f"{self.name} is not free"

    def waits_for(self, verb: str) -> str:
        return f"a permit of {self.name}"


class ConditionSemantics(ObjectSemantics):
    """A condition without its lock; its state is (who sleeps, longest first; who was notified and not yet woken)."""

    kind = Kind.CONDITION
    holds_data = False

    @property
    def start(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (), ()

    def view(self, state: tuple[tuple[int, ...], tuple[int, ...]]) -> int:
        return len(state[0])

    def sleep(self, state: tuple[tuple[int, ...], tuple[int, ...]], process: int) -> Effect:
        sleeping, notified = state
        return None, ((*sleeping, process), notified)

    def wake(self, state: tuple[tuple[int, ...], tuple[int, ...]], process: int) -> Effect:
        sleeping, notified = state
        if process not in notified:
            return None
        return None, (sleeping, tuple(number for number in notified if number != process))

    def notify(self, state: tuple[tuple[int, ...], tuple[int, ...]], process: int, count: int) -> Effect:
        sleeping, notified = state
        return None, (sleeping[count:], tuple(sorted(notified + sleeping[:count])))

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        return {"sleep": "wait for", "wake": "woken by", "notify": "notify"}[verb] + f" {self.name}"

    def waits_for(self, verb: str) -> str:
        return f"somebody to notify {self.name}"


class BarrierSemantics(ObjectSemantics):
    """A barrier; the setting is how many parties it waits for.

    Its state is (who is inside, whether it is open): it opens when all are in and shuts when all are out.
    """

    kind = Kind.BARRIER
    holds_data = False

    @property
    def start(self) -> tuple[frozenset[int], bool]:
        return frozenset(), False

    def view(self, state: tuple[frozenset[int], bool]) -> int:
        return len(state[0])

    def arrive(self, state: tuple[frozenset[int], bool], process: int) -> Effect:
        inside, is_open = state
        if is_open:
            return None
        return None, (inside | {process}, len(inside) + 1 == self.setting)

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
    """A bounded queue; its state is the tuple of pickled items, oldest first, the setting is how many it holds."""

    kind = Kind.QUEUE

    @property
    def start(self) -> tuple[bytes, ...]:
        return ()

    def view(self, state: tuple[bytes, ...]) -> tuple:
        return tuple(map(unpacked, state))

    def put(self, state: tuple[bytes, ...], process: int, parcel: bytes) -> Effect:
        return None if len(state) == self.setting else (None, (*state, parcel))

    def get(self, state: tuple[bytes, ...], process: int) -> Effect:
        return (state[0], state[1:]) if state else None

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        if verb == "put":
            return f"{self.name}.put({unpacked(arguments[0])!r})"
        return f"{self.name}.get()" + ("" if result is None else f": {unpacked(result)!r}")

    def waits_for(self, verb: str) -> str:
        return f"room in {self.name}" if verb == "put" else f"an item in {self.name}"


class PipeSemantics(ObjectSemantics):
    """A pipe with two ends; its state is the pickled messages on the way to end 0 and to end 1."""

    kind = Kind.PIPE

    @property
    def start(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        return (), ()

    def view(self, state: tuple[tuple[bytes, ...], tuple[bytes, ...]]) -> tuple[tuple, tuple]:
        return tuple(map(unpacked, state[0])), tuple(map(unpacked, state[1]))

    def send(self, state: tuple[tuple[bytes, ...], ...], process: int, end: int, parcel: bytes) -> Effect:
        to = 1 - end
        return None, _replaced(state, to, (*state[to], parcel))

    def recv(self, state: tuple[tuple[bytes, ...], ...], process: int, end: int) -> Effect:
        return (state[end][0], _replaced(state, end, state[end][1:])) if state[end] else None

    def poll(self, state: tuple[tuple[bytes, ...], ...], process: int, end: int) -> Effect:
        return bool(state[end]), state

    def text(self, verb: str, arguments: tuple[Any, ...], result: Any) -> str:
        end, *parcels = arguments
        if verb == "send":
            return f"{self.name}[{end}].send({unpacked(parcels[0])!r})"
        answer = unpacked(result) if verb == "recv" else result
        return f"{self.name}[{end}].{verb}()" + ("" if result is None else f": {answer!r}")

    def waits_for(self, verb: str) -> str:
        return f"a message in {self.name}"


def _replaced(state: tuple, index: int, value: Any) -> tuple:
    return (*state[:index], value, *state[index + 1 :])
