"""Probes on `multiprocessing.connection`: pipes, sockets, `wait`, `Listener` and `Client`."""

import functools
import io
import os
import select
import sys
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

from helpers.control.participant import current, digest_of, here, note
from helpers.control.probes.wrapping import in_words, own_copy, whole

__tracebackhide__ = True  # an instrument: never the place where somebody waits

Channel = Callable[[Any], str]


def install() -> None:
    """Stop before every operation on a connection."""
    kind = connection.Connection
    kind._send, kind._recv = _send_in_steps, _recv_in_steps
    for method in ("send", "send_bytes"):
        own_copy(kind, method)
        whole(kind, method, "send", thing_of, lambda _, value, *more, **named: in_words(value), in_parts=True)
    for method in ("recv", "recv_bytes", "recv_bytes_into"):
        own_copy(kind, method)
        whole(kind, method, "recv", thing_of, lambda result, *_, **named: in_words(result), in_parts=True)
    own_copy(kind, "poll")
    whole(kind, "poll", "poll", thing_of, lambda result, *_, **named: str(result))
    own_copy(kind, "close")
    kind.close = _noted_close(kind.close)
    connection.Pipe = _noted_pipe(connection.Pipe)
    replace_everywhere(connection.wait, _wait)
    connection.wait = _wait
    connection.SocketListener.accept = _awaited_accept(connection.SocketListener.accept)
    whole(connection.Listener, "accept", "accept", lambda self: NETWORK)
    connection.Client = _controlled_client(connection.Client)


NETWORK = "Listener\tnetwork"  # of sockets one does not see which belong together


def thing_of(end: Any) -> str:
    """Return what names an end of a pipe in every process: its inode."""
    return f"Pipe\t{os.fstat(end.fileno()).st_ino}"


_plain_wait = connection.wait
_plain_send, _plain_recv = connection.Connection._send, connection.Connection._recv


def _readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def _writable(fd: int) -> bool:
    return bool(select.select([], [fd], [], 0)[1])


def _send_in_steps(self: Any, buf: Any, write: Callable[..., int] = os.write) -> None:
    participant = current()
    if participant is None:
        _plain_send(self, buf)
        return
    fd, thing, left = self._handle, thing_of(self), memoryview(bytes(buf))
    participant.before("send", thing)
    while left:
        written = _write_what_fits(fd, left)
        participant.accessed(*(("h", f"{thing} >", digest_of(left[:written])) if written else ("r", f"{thing} >")))
        left = left[written:]
        if left:
            can_write = functools.partial(_writable, fd)
            participant.before("send", thing, ("ask", f"{thing} >"), lambda: True, ready=can_write)


def _write_what_fits(fd: int, data: memoryview) -> int:
    """Write what goes in without waiting.

    The mode belongs to the pipe and not to this process, but nobody else runs meanwhile.
    """
    os.set_blocking(fd, False)
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    finally:
        os.set_blocking(fd, True)


def _recv_in_steps(self: Any, size: int, read: Callable[..., bytes] = os.read) -> io.BytesIO:
    participant = current()
    if participant is None:
        return _plain_recv(self, size)
    fd, thing, got = self._handle, thing_of(self), io.BytesIO()
    ready = functools.partial(_readable, fd)
    while got.tell() < size:
        participant.before("recv", thing, ("ask", f"{thing} <"), lambda: not ready(), ready=ready)
        chunk = os.read(fd, size - got.tell())
        participant.accessed("o", f"{thing} <", len(chunk))
        participant.learn(chunk or b"end of file")
        if not chunk:
            raise OSError("got end of file during message") if got.tell() else EOFError
        got.write(chunk)
    return got


def _noted_close(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(plain)
    def close(self: Any) -> None:
        if (participant := here()) and not self.closed:
            thing = thing_of(self)
            for side in "><":
                participant.accessed("h", f"{thing} {side}", b"close")
        plain(self)

    return close


def _noted_pipe(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def pipe(duplex: bool = True) -> Any:
        ends = plain(duplex)
        note("pair", *map(thing_of, ends))
        return ends

    return pipe


def _wait(object_list: Any, timeout: float | None = None) -> list[Any]:
    """Wait till one of the objects is ready (see `multiprocessing.connection.wait`)."""
    participant = current()
    objects = list(object_list)
    if participant is None:
        return _plain_wait(objects, timeout)
    things = [f"{thing_of(each)} <" if isinstance(each, connection.Connection) else "an end" for each in objects]
    label = things[0][:-2] if len(things) == 1 and things[0] != "an end" else f"{len(things)} objects\t"

    def is_ready() -> bool:
        return bool(_plain_wait(objects, 0))

    if timeout is not None and timeout <= 0:
        participant.before("wait", label)
    elif not participant.before("wait", label, ("ask", *things), lambda: not is_ready(), timeout, is_ready):
        return []
    ready = _plain_wait(objects, 0)
    for thing in things:
        participant.accessed("r", thing)
    participant.learn(bytes(each in ready for each in objects))
    return ready


def replace_everywhere(plain: Any, ours: Any) -> None:
    """Put ours in place of a function wherever a module has imported it by name."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is plain and name not in ("_plain_wait", "plain_kill"):
                setattr(module, name, ours)


def _awaited_accept(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def accept(self: Any) -> Any:
        if participant := current():
            ready = functools.partial(_readable, self._socket.fileno())
            participant.before("accept", NETWORK, ("ask", NETWORK), lambda: not ready(), ready=ready)
            participant.accessed("o", NETWORK, b"accept")
        return plain(self)

    return accept


def _controlled_client(plain: Callable[..., Any]) -> Callable[..., Any]:
    class Clients:
        @staticmethod
        def connect(_: None, *args: Any, **kwargs: Any) -> Any:
            return plain(*args, **kwargs)

    whole(Clients, "connect", "connect", lambda _: NETWORK, stops=True, data_of=lambda _: ("s", NETWORK, None))

    @functools.wraps(plain)
    def client(*args: Any, **kwargs: Any) -> Any:
        return Clients.connect(None, *args, **kwargs)

    return client
