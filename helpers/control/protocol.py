"""The link between a participant and the controller: short messages of plain values, one byte for an order.

A participant speaks first; each message is answered by an order when the participant may go on.
"""

import marshal
import os
import socket
import struct
from typing import Any

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_SIZE = struct.Struct("<I")
Address = str | tuple[str, int]  # of a Unix socket, where there are any, else of a port of this machine

# orders of the controller
GO, TIME_IS_UP, ASK, QUIT = b"g", b"t", b"?", b"q"


class Link:
    """One end of the link."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._received = bytearray()

    def send(self, message: Any) -> None:
        """Send a message of plain values (numbers, strings, bytes, None, tuples of them)."""
        data = marshal.dumps(message)
        self.socket.sendall(_SIZE.pack(len(data)) + data)

    def receive(self) -> Any:
        """Return the next message; raises EOFError when the other end is gone, TimeoutError as the socket does."""
        while not self.has_message():
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                raise EOFError
            self._received += more
        end = 4 + _SIZE.unpack_from(self._received)[0]
        message = marshal.loads(memoryview(self._received)[4:end])
        del self._received[:end]
        return message

    def has_message(self) -> bool:
        """Tell whether a whole message has been received already."""
        return len(self._received) >= 4 and len(self._received) >= 4 + _SIZE.unpack_from(self._received)[0]

    def close(self) -> None:
        """Close this end."""
        self.socket.close()


def listen(folder: str) -> tuple[socket.socket, Address]:
    """Return a listening socket and its address; only this user can reach it."""
    if hasattr(socket, "AF_UNIX"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(folder, "controller"))  # noqa: PTH118 (no Path where children import)
    else:
        listener = socket.create_server(("127.0.0.1", 0))
    listener.listen(128)
    return listener, listener.getsockname()


def connect(address: Address) -> Link:
    """Return a link to the controller that listens there."""
    end = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    end.connect(address)
    return Link(end)
