"""Probes on queues: Queue, JoinableQueue, SimpleQueue."""

import functools
from types import ModuleType
from typing import Any

from helpers.recording.kinds import EventKind
from helpers.recording.probes.calls import Channel, probe, replace, unseen
from helpers.recording.probes.connections import identity_of, unidentified

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach(queues: ModuleType) -> None:
    """See what is put into queues and got out of them, as a whole and not as traffic on the pipe behind them."""
    _name_ends_of(queues.Queue)
    _name_ends_of(queues.SimpleQueue)
    for kind in (queues.Queue, queues.JoinableQueue, queues.SimpleQueue):
        for method in ("put", "get", "task_done", "join"):
            if method in vars(kind):
                probe(kind, method, EventKind(method), channel_of)


def channel_of(queue: Any) -> Channel:
    """Return the channel of a queue."""
    end = queue._reader or queue._writer
    channel = end.__dict__.get("_queue")
    if channel is None:
        for end in filter(None, (queue._reader, queue._writer)):
            channel = end._queue = unidentified(end, type(queue).__name__)
    return channel


def _name_ends_of(kind: Any) -> None:
    plain = kind.__init__

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        with unseen():
            plain(self, *args, **kwargs)
        self._reader._queue = self._writer._queue = Channel(identity_of(self._reader), type(self).__name__)

    replace(kind, "__init__", init)
