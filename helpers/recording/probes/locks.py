"""Probes on what `multiprocessing.synchronize` offers: Lock, RLock, Semaphore, Condition, Event, Barrier."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from helpers.recording.kinds import EventKind
from helpers.recording.probes import calls
from helpers.recording.probes.calls import Channel, is_inside, new_identity, probe, replace, unseen

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach(synchronize: ModuleType) -> None:
    """See locks taken and given back, and the waiting and waking that is built on them."""
    lock = synchronize.SemLock
    replace(lock, "_make_methods", _seen_methods(lock._make_methods))
    replace(lock, "__getstate__", _state_with_channel(lock.__getstate__))
    replace(lock, "__setstate__", _channel_from_state(lock.__setstate__))
    probe(lock, "__enter__", EventKind.ACQUIRE, channel_of)
    probe(lock, "__exit__", EventKind.RELEASE, channel_of)
    for kind in (synchronize.Condition, synchronize.Event, synchronize.Barrier):
        _name_locks_of(kind)
    for method in ("wait", "wait_for", "notify", "notify_all"):
        what, waits = EventKind(method.split("_")[0]), method.startswith("wait")
        probe(synchronize.Condition, method, what, lambda condition: channel_of(condition._lock), may_time_out=waits)
    for method in ("wait", "set", "clear"):
        waits = method == "wait"
        probe(synchronize.Event, method, EventKind(method), _inner_channel, may_time_out=waits)
    # a barrier raises when time is up; it returns a number, which may be 0
    probe(synchronize.Barrier, "wait", EventKind.WAIT, _inner_channel)


def channel_of(lock: Any) -> Channel | None:
    """Return the channel of a lock, None for one inside something else or made before the probes were attached."""
    return getattr(lock, "_channel", None)


def _inner_channel(of_condition: Any) -> Channel | None:
    return channel_of(of_condition._cond._lock)


def _seen_methods(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(plain)
    def make_methods(self: Any) -> None:
        plain(self)
        if not is_inside():
            self.__dict__.setdefault("_channel", Channel(new_identity(), type(self).__name__))
        # instances hold the C methods; ours stand in front of them while the probes are attached
        acquire, release = self.acquire, self.release
        seen_acquire = calls.stand_in(
            lambda _, *args, **kwargs: acquire(*args, **kwargs), EventKind.ACQUIRE, channel_of, may_time_out=True
        )
        seen_release = calls.stand_in(lambda _: release(), EventKind.RELEASE, channel_of)
        self.acquire, self.release = functools.partial(seen_acquire, self), functools.partial(seen_release, self)

    return make_methods


def _state_with_channel(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def getstate(self: Any) -> Any:
        return channel_of(self), plain(self)

    return getstate


def _channel_from_state(plain: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(plain)
    def setstate(self: Any, state: Any) -> None:
        channel, state = state
        with unseen():  # its identity comes with it
            plain(self, state)
        if channel:
            self._channel = channel

    return setstate


def _name_locks_of(kind: Any) -> None:
    plain = kind.__init__

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        with unseen():
            plain(self, *args, **kwargs)
        lock = self._lock if hasattr(self, "_lock") else self._cond._lock
        if not is_inside() and channel_of(lock) is None:
            lock._channel = Channel(new_identity(), kind.__name__)

    replace(kind, "__init__", init)
