"""Probes on managers: the calls of proxies, and the server that answers them."""

import functools
from types import ModuleType
from typing import Any

from helpers.recording.kinds import EventKind
from helpers.recording.probes import calls
from helpers.recording.probes.calls import Channel, clock, hide, probe, replace
from helpers.recording.probes.connections import HIDDEN

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach(managers: ModuleType) -> None:
    """See each call of a proxy, and in the server how long it was served."""
    hide(managers.BaseManager, "start")
    hide(managers.Server, "__init__")  # its listener
    replace(managers, "listener_client", {name: _plain(*pair) for name, pair in managers.listener_client.items()})
    hide(managers.BaseProxy, "_connect")
    probe(managers.BaseProxy, "_callmethod", EventKind.CALL, channel_of, detail=lambda proxy, method, *_: method)
    plain = managers.Server.serve_client

    @functools.wraps(plain)
    def serve_client(self: Any, end: Any) -> None:
        _see_requests(end)
        plain(self, end)

    replace(managers.Server, "serve_client", serve_client)


def channel_of(proxy: Any) -> Channel:
    """Return the channel of a proxy: the object in the server that it stands for."""
    return Channel(str(proxy._token.id), proxy._token.typeid)


def _plain(listener: Any, client: Any) -> tuple[Any, Any]:
    return listener, getattr(client, "__wrapped__", client)


def _see_requests(end: Any) -> None:
    """Turn a request and its reply on this connection of a server into one entry."""
    end._channel = HIDDEN
    plain_receive, plain_send = end.recv, end.send
    pending: list[tuple[int, str, str]] = []

    def recv() -> Any:
        request = plain_receive()
        identity, method, *_ = request
        pending[:] = [(clock(), identity, method)]
        return request

    def send(reply: Any) -> None:
        # a reply that cannot be pickled is followed by another one
        if pending and calls.instrument:
            calls.instrument.served(*pending.pop())
        plain_send(reply)

    end.recv, end.send = recv, send
