"""Probes on `Value` and `Array` through their wrapper: reading and writing are two operations, `+=` is both."""

import functools
from collections.abc import Callable
from multiprocessing import heap, sharedctypes
from typing import Any

from helpers.control.participant import Operation, current, digest_of, here, note, take_back
from helpers.control.probes.locks import identity, name_by
from helpers.control.probes.wrapping import exempt, in_words

__tracebackhide__ = True  # an instrument: never the place where somebody waits


_PLAIN = ("untracked", "plain shared memory")


def install() -> None:
    """Stop before every reading and writing of a `Value` or `Array`, and notice plain shared memory."""
    exempt(heap.Arena, "__init__")
    base = sharedctypes.SynchronizedBase
    base.__init__ = _labelled(base.__init__)
    base.get_obj = _noticed(base.get_obj)
    sharedctypes._new_value = _noticed(sharedctypes._new_value)
    plain_synchronized = sharedctypes.synchronized

    @functools.wraps(plain_synchronized)
    def synchronized(obj: Any, *args: Any, **kwargs: Any) -> Any:
        # its memory was noticed when it was made, but from here on it is under control
        take_back(*_PLAIN)
        return plain_synchronized(obj, *args, **kwargs)

    sharedctypes.synchronized = synchronized
    plain_make = sharedctypes.make_property

    def make_property(name: str) -> property:
        made = plain_make(name)
        return property(_controlled("read", made.fget), _controlled("write", made.fset, is_all=name == "value"))

    sharedctypes.make_property = make_property
    for kind, names in ((sharedctypes.Synchronized, ("value",)), (sharedctypes.SynchronizedString, ("value", "raw"))):
        for name in names:
            setattr(kind, name, make_property(name))
    array = sharedctypes.SynchronizedArray
    for method, verb in (("__getitem__", "read"), ("__getslice__", "read"),
                         ("__setitem__", "write"), ("__setslice__", "write")):  # fmt: skip
        setattr(array, method, _controlled(verb, vars(array)[method]))


def _controlled(verb: str, plain: Callable[..., Any], is_all: bool = False) -> Callable[..., Any]:
    @functools.wraps(plain)
    def controlled(self: Any, *args: Any) -> Any:
        participant = current()
        if participant is None or participant.operation is not None:
            return plain(self, *args)
        who = identity(self._lock)
        thing = f"{self._lock.__dict__.get('_control_label', 'Value')}\t{who}"
        participant.operation = Operation(verb, thing, in_parts=False)
        try:
            result = plain(self, *args)
        finally:
            participant.operation = None
        content = bytes(memoryview(self._obj).cast("B"))
        data = f"{who} data"
        if verb == "read":
            participant.accessed("r", data)
            participant.learn(repr(result).encode())
            participant.add_detail(in_words(result))
        else:
            participant.accessed("w" if is_all else "u", data, digest_of(content))
            participant.add_detail(in_words(args[-1]))
        return result

    return controlled


def _labelled(plain: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        is_array = isinstance(self, sharedctypes.SynchronizedArray)
        if hasattr(self._lock, "_semlock"):
            name_by("Array" if is_array else "Value", self._lock)

    return init


def _noticed(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def noticed(*args: Any, **kwargs: Any) -> Any:
        result = plain(*args, **kwargs)
        if (participant := here()) is None or not participant.exemptions:
            note(*_PLAIN)
        return result

    return noticed
