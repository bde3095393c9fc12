"""Probes on connections: Pipe, its two ends, Listener and Client, and `multiprocessing.connection.wait`."""

import functools
import os
import socket
import stat
import sys
from collections import Counter
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
_PEER_PID_ON_MACOS = (0, 2)  # SOL_LOCAL, LOCAL_PEERPID


def attach(connection: ModuleType) -> None:
    """See what passes through pipes and between Listener and Client, and the waiting for it."""
    for kind in filter(None, (getattr(connection, name, None) for name in ("Connection", "PipeConnection"))):
        for method, what in _KINDS.items():
            probe(kind, method, what, channel_of)
        _see_messages(kind)
        _send_identity_along(kind)
    _see_everywhere(connection.Pipe, _identified_pipe(connection.Pipe))
    _see_everywhere(connection.Client, _seen_client(connection.Client))
    _see_listener(connection.Listener)
    _see_everywhere(connection.wait, _seen_wait(connection.wait))


def channel_of(end: Any) -> Channel | None:
    """Return the channel of a connection, None when its traffic is not to be seen."""
    channel = end.__dict__.get("_channel")
    if channel is None:
        channel = end.__dict__["_channel"] = unidentified(end, "Pipe")
    return channel if channel.identity else None


def identity_of(*ends: Any) -> str:
    """Return a new identity, with the numbers that the system has for these ends.

    By these an end is recognised that came to another process without its identity (see `unidentified`).
    """
    return " ".join([calls.new_identity(), *(number for end in ends if (number := _inode(end)[1]))])


def unidentified(end: Any, label: str) -> Channel:
    """Return the channel of an end of which only the system's number is known.

    It was pickled by others than multiprocessing, or made before the probes were attached.
    """
    kind, number = _inode(end)
    return Channel(f"{kind} {number}", label) if number else HIDDEN


def _inode(end: Any) -> tuple[str, str]:
    """Return "fifo" or "socket" and the number of the inode, which is "" where there is none."""
    if os.name != "posix" or not (status := os.fstat(end.fileno())).st_ino:
        return "", ""
    return "fifo" if stat.S_ISFIFO(status.st_mode) else "socket", str(status.st_ino)


def _identified_pipe(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def pipe(duplex: bool = True) -> Any:
        ends = plain(duplex)
        identity = "" if calls.is_inside() else identity_of(*(ends if duplex else ends[:1]))
        for side, end in enumerate(ends):
            end._channel = Channel(identity, "Pipe", side if duplex else 0) if identity else HIDDEN
        return ends

    return pipe


def _see_messages(kind: Any) -> None:
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
    reducers = vars(reduction.ForkingPickler)["_extra_reducers"]
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


def _seen_client(plain: Callable[..., Any]) -> Callable[..., Any]:
    connected: Counter[str] = Counter()

    def connect(address: Any, *args: Any, **kwargs: Any) -> Any:
        with calls.unseen():
            end = plain(address, *args, **kwargs)
        end._channel = _meeting(end, 1, connected)
        return end

    seen = calls.stand_in(connect, EventKind.CONNECT, lambda address: Channel("", str(address)))

    @functools.wraps(plain)
    def client(address: Any, *args: Any, **kwargs: Any) -> Any:
        return plain(address, *args, **kwargs) if calls.is_inside() else seen(address, *args, **kwargs)

    return client


def _see_listener(kind: Any) -> None:
    plain_init, plain_accept = kind.__init__, kind.accept
    accepted: Counter[str] = Counter()

    @functools.wraps(plain_init)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain_init(self, *args, **kwargs)
        self._is_seen = not calls.is_inside()

    def accept(self: Any) -> Any:
        with calls.unseen():
            end = plain_accept(self)
        end._channel = _meeting(end, 0, accepted)
        return end

    def address_of(listener: Any) -> Channel:
        return Channel("", str(listener.address))

    seen = calls.stand_in(accept, EventKind.ACCEPT, address_of)

    @functools.wraps(plain_accept)
    def seen_accept(self: Any) -> Any:
        return seen(self) if getattr(self, "_is_seen", False) and not calls.is_inside() else plain_accept(self)

    replace(kind, "__init__", init)
    replace(kind, "accept", seen_accept)


def _meeting(end: Any, side: int, met: Counter[str]) -> Channel:
    """Return the channel of a connection between Listener (side 0) and Client (side 1): both sides find the same.

    Over TCP both know both addresses. A local socket has one address, so that both count the connections of the
    client's process to it. There is no way for the named pipes of Windows.
    """
    try:
        own_socket = socket.socket(fileno=end.fileno())
    except OSError:
        return HIDDEN
    try:
        own, other = own_socket.getsockname(), own_socket.getpeername()
        address = f"{own} {other}" if side == 0 else f"{other} {own}"
        if own_socket.family == getattr(socket, "AF_UNIX", None):
            address = f"{own if side == 0 else other} {os.getpid() if side else _peer_pid(own_socket)}"
            met[address] += 1
            address += f" {met[address]}"
        return Channel(f"meeting {address}", "Connection", side)
    finally:
        own_socket.detach()


def _peer_pid(local: socket.socket) -> int:
    if hasattr(socket, "SO_PEERCRED"):
        credentials = local.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[:4], sys.byteorder)
    return local.getsockopt(*_PEER_PID_ON_MACOS)


def _seen_wait(plain: Callable[..., Any]) -> Callable[..., Any]:
    seen = calls.stand_in(plain, EventKind.WAIT, _channel_of_all, may_time_out=True)

    @functools.wraps(plain)
    def wait(object_list: Any, timeout: float | None = None) -> Any:
        return seen(list(object_list), timeout)

    return wait


def _channel_of_all(objects: list[Any]) -> Channel | None:
    channels = [channel_of(each) for each in objects if hasattr(each, "recv_bytes")]
    if not any(channels):
        return None
    return Channel("", f"{len(objects)} pipes") if len(objects) > 1 else channels[0]


def _see_everywhere(plain: Callable[..., Any], seen: Callable[..., Any]) -> None:
    """Put a function into the place of another, in its own module and in each that has imported it by name."""
    _swap(plain, seen)
    calls.undo.append(functools.partial(_swap, seen, plain))


def _swap(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    for module in list(sys.modules.values()):
        for name in [name for name, value in list(getattr(module, "__dict__", {}).items()) if value is old]:
            setattr(module, name, new)
