"""Probes on connections: Pipe, its two ends, and `multiprocessing.connection.wait`."""

import functools
import os
import stat
import sys
from collections.abc import Callable
from multiprocessing import reduction
from types import ModuleType
from typing import Any

from helpers.recording.kinds import EventKind
from helpers.recording.probes import calls
from helpers.recording.probes.calls import Channel, probe, replace

__tracebackhide__ = True  # an instrument: never the place where somebody waits

HIDDEN = Channel("", "")  # a connection inside something else that is seen as a whole
_KINDS = {
    "send": EventKind.SEND,
    "send_bytes": EventKind.SEND,
    "recv": EventKind.RECV,
    "recv_bytes": EventKind.RECV,
    "recv_bytes_into": EventKind.RECV,
    "poll": EventKind.POLL,
}


def attach(connection: ModuleType) -> None:
    """See what passes through pipes, and the waiting for it."""
    for kind in filter(None, (getattr(connection, name, None) for name in ("Connection", "PipeConnection"))):
        for method, what in _KINDS.items():
            probe(kind, method, what, channel_of)
        _see_messages(kind)
        _send_identity_along(kind)
    replace(connection, "Pipe", _identified_pipe(connection.Pipe))
    _see_waiting(connection.wait)


def channel_of(end: Any) -> Channel | None:
    """Return the channel of a connection, None when its traffic is not to be seen."""
    channel = end.__dict__.get("_channel")
    if channel is None:
        channel = end.__dict__["_channel"] = guessed_channel(end)
    return channel if channel.label == "Pipe" else None


def guessed_channel(end: Any) -> Channel:
    """Recognise a pipe that was made before the probes were attached by its inode, where there is one."""
    if os.name == "posix" and stat.S_ISFIFO((status := os.fstat(end.fileno())).st_mode):
        return Channel(f"inode {status.st_ino}", "Pipe")
    return HIDDEN


def _identified_pipe(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def pipe(duplex: bool = True) -> Any:
        ends = plain(duplex)
        identity = calls.new_identity()
        for side, end in enumerate(ends):
            end._channel = HIDDEN if calls.is_inside() else Channel(identity, "Pipe", side if duplex else 0)
        return ends

    return pipe


def _see_messages(kind: type) -> None:
    plain_send, plain_receive = kind._send_bytes, kind._recv_bytes

    def send(self: Any, buffer: Any) -> None:
        if calls.instrument:
            calls.instrument.message_enters(self, len(buffer))
        plain_send(self, buffer)

    def receive(self: Any, *args: Any) -> Any:
        buffer = plain_receive(self, *args)
        if calls.instrument:
            calls.instrument.message_left(self, buffer.getbuffer().nbytes)
        return buffer

    replace(kind, "_send_bytes", send)
    replace(kind, "_recv_bytes", receive)


def _send_identity_along(kind: type) -> None:
    reducers = reduction.ForkingPickler._extra_reducers
    plain = reducers[kind]

    def reduce(end: Any) -> Any:
        kept = {name: end.__dict__[name] for name in ("_channel", "_queue") if name in end.__dict__}
        return _rebuilt, (*plain(end), kept)

    reducers[kind] = reduce
    calls.undo.append(functools.partial(reducers.__setitem__, kind, plain))


def _rebuilt(rebuild: Callable[..., Any], args: tuple[Any, ...], kept: dict[str, Channel]) -> Any:
    end = rebuild(*args)
    end.__dict__.update(kept)
    return end


def _see_waiting(plain: Callable[..., Any]) -> None:
    seen = calls.instrument.around(plain, EventKind.WAIT, _channel_of_all, may_time_out=True)

    @functools.wraps(plain)
    def wait(object_list: Any, timeout: float | None = None) -> Any:
        return seen(list(object_list), timeout)

    _swap_everywhere(plain, wait)
    calls.undo.append(functools.partial(_swap_everywhere, wait, plain))


def _swap_everywhere(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Put a function into the place of another, in its own module and in each that has imported it by name."""
    for module in list(sys.modules.values()):
        for name in [name for name, value in list(getattr(module, "__dict__", {}).items()) if value is old]:
            setattr(module, name, new)


def _channel_of_all(objects: list[Any]) -> Channel | None:
    channels = [channel_of(each) for each in objects if hasattr(each, "recv_bytes")]
    if not any(channels):
        return None
    return Channel("", f"{len(objects)} pipes") if len(objects) > 1 else channels[0]
