"""Probes on everything in `multiprocessing.synchronize`, all of which is made of semaphores."""

import functools
from collections.abc import Callable
from multiprocessing import synchronize, util
from typing import Any

from helpers.control.participant import ALWAYS, current, here, new_token, note
from helpers.control.probes.wrapping import own_copy, whole

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def install() -> None:
    """Stop before every operation on a lock, semaphore, condition, event or barrier."""
    lock = synchronize.SemLock
    lock.__init__ = _counted(lock.__init__)
    lock._make_methods = _controlled_methods
    lock.__enter__ = lambda self: self.acquire()
    lock.__exit__ = lambda self, *_: self.release()
    for made_before in list(util._afterfork_registry.values()):
        if isinstance(made_before, lock):
            _controlled_methods(made_before)
    lock.__getstate__ = _state_with_identity(lock.__getstate__)
    lock.__setstate__ = _identity_from_state(lock.__setstate__)
    for method in ("get_value", "locked"):
        for kind in (lock, synchronize.Semaphore):
            if method in vars(kind):
                setattr(kind, method, _look(method, vars(kind)[method]))
    condition, event, barrier = synchronize.Condition, synchronize.Event, synchronize.Barrier
    for method in ("wait", "notify"):
        whole(condition, method, method, lambda self: named("Condition", self._lock))
    for method in ("set", "clear", "is_set", "wait"):
        whole(event, method, method, lambda self: named("Event", self._cond._lock),
              (lambda result, *_, **named: str(result)) if method in ("is_set", "wait") else None)  # fmt: skip
    for method in ("wait", "reset", "abort"):
        own_copy(barrier, method)
        whole(barrier, method, method, lambda self: named("Barrier", self._cond._lock),
              data_of=lambda self: ("s", f"{identity(self._cond._lock)} state", None))  # fmt: skip


def identity(lock: Any) -> str:
    """Return what names a semaphore in every process of a run."""
    known = lock.__dict__.get("_control_id")
    if known is None and (participant := here()):
        participant.refuse(
            f"the program uses a {type(lock).__name__} that was made before it began, and that all runs would share; "
            "make it inside the program, or put the program into a file of its own"
        )
    return known or ""


def named(label: str, lock: Any) -> str:
    """Return the thing that is called by this label and guarded by this lock."""
    return f"{lock.__dict__.get('_control_label', label)}\t{identity(lock)}"


def name_by(label: str, lock: Any) -> None:
    """Call the thing that this lock guards by a label of its own."""
    lock.__dict__.setdefault("_control_label", label)


def _counted(plain: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(plain)
    def init(self: Any, kind: int, value: int, maxvalue: int, *, ctx: Any) -> None:
        plain(self, kind, value, maxvalue, ctx=ctx)
        self._control_id = new_token()
        note("new", self._control_id, value)

    return init


def _controlled_methods(lock: Any) -> None:
    # instances hold the methods in C; ours stand in front of them
    lock.acquire = functools.partial(_acquire, lock, lock._semlock.acquire)
    lock.release = functools.partial(_release, lock, lock._semlock.release)


def _acquire(lock: Any, plain: Callable[..., bool], block: bool = True, timeout: float | None = None) -> bool:
    participant = current()
    if participant is None:
        return plain(block, timeout)
    semaphore, who = lock._semlock, identity(lock)
    thing = named(type(lock).__name__, lock)
    if semaphore.kind == synchronize.RECURSIVE_MUTEX and semaphore._is_mine():
        participant.before("acquire", thing, ALWAYS)
        return plain(block, timeout)
    if block and (timeout is None or timeout > 0):
        if not participant.before("acquire", thing, ("sem", who), semaphore._is_zero, timeout):
            return False
        if not plain(False):
            participant.refuse(f"a {thing.split(chr(9))[0]} is taken by somebody who is not under control")
        participant.accessed("d", who, -1, semaphore.maxvalue)
        return True
    participant.before("acquire", thing, ALWAYS)
    taken = plain(False)
    participant.accessed(*(("d", who, -1, semaphore.maxvalue) if taken else ("z", who)))
    participant.learn(b"taken" if taken else b"not free")
    if participant.operation is None:
        participant.add_detail("gets it" if taken else "it is not free")
    return taken


def _release(lock: Any, plain: Callable[[], None]) -> None:
    participant = current()
    if participant is None:
        plain()
        return
    semaphore, who = lock._semlock, identity(lock)
    participant.before("release", named(type(lock).__name__, lock))
    is_last = semaphore.kind != synchronize.RECURSIVE_MUTEX or semaphore._count() == 1
    try:
        plain()
    except BaseException:
        participant.accessed("r", who)
        raise
    if is_last:
        participant.accessed("d", who, 1, semaphore.maxvalue)


def _look(method: str, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def look(self: Any) -> Any:
        participant = current()
        if participant is None:
            return plain(self)
        participant.before(method, named(type(self).__name__, self))
        result = plain(self)
        participant.accessed("r", identity(self))
        participant.learn(str(result).encode())
        participant.add_detail(str(result))
        return result

    return look


def _state_with_identity(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def getstate(self: Any) -> Any:
        return self.__dict__.get("_control_id"), self.__dict__.get("_control_label"), plain(self)

    return getstate


def _identity_from_state(plain: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(plain)
    def setstate(self: Any, state: Any) -> None:
        known, label, state = state
        plain(self, state)
        if known:
            self._control_id = known
        if label:
            self._control_label = label

    return setstate
