"""Probes on the queues; the thread that feeds a `Queue` is a participant of its own."""

import os
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing import queues
from typing import Any

from helpers.control.participant import Operation, here
from helpers.control.probes.locks import identity, name_by, named
from helpers.control.probes.threads import Overlay, Thread
from helpers.control.probes.wrapping import in_words, whole

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def install() -> None:
    """Stop before every operation on a queue."""
    queues.threading = Overlay(threading, Thread=Thread)
    queue, joinable, simple = queues.Queue, queues.JoinableQueue, queues.SimpleQueue
    for kind in (queue, simple):
        for method in ("put", "get", "empty"):
            whole(kind, method, method, _name, _item if method == "put" else _result)
    for method in ("qsize", "full"):
        whole(queue, method, method, _name, _result, stops=True, data_of=_places)
    for method in ("put", "task_done", "join"):
        detail = _item if method == "put" else None
        whole(joinable, method, method, _name, detail, data_of=None if method == "put" else _unfinished)
    for kind in (queue, joinable):
        kind.put = _buffered(vars(kind)["put"])
    for kind in (queue, joinable, simple):
        kind.__init__ = _named(kind.__init__, kind.__name__)
    queue._start_thread = _named_feeder(queue._start_thread)
    queue._feed = staticmethod(_feed)
    queue._finalize_close = staticmethod(_noted_end(queue._finalize_close))


def _item(_: None, item: Any = None, *more: Any, **named: Any) -> str:
    return in_words(named.get("obj", item))


def _result(result: Any, *_: Any, **named: Any) -> str:
    return in_words(result)


def _name(queue: Any) -> str:
    return named("Queue", queue._rlock)


def _places(queue: Any) -> tuple:
    return "v", identity(queue._sem)


def _unfinished(queue: Any) -> tuple:
    return "v", identity(queue._unfinished_tasks)


def _named(plain: Callable[..., None], label: str) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        name_by(type(self).__name__, self._rlock)

    init.__name__ = f"{label}.__init__"
    return init


_feeds: dict[str, str] = {}  # items that wait -> the queue they wait for


def _named_feeder(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    def start_thread(self: Any) -> None:
        if here():
            _feeds[_waiting_items(self._buffer)] = _name(self)
        plain(self)

    return start_thread


def _buffered(plain: Callable[..., None]) -> Callable[..., None]:
    def put(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        if participant := here():
            participant.accessed("h", _waiting_items(self._buffer), None)

    put.__name__ = "put"
    return put


def _noted_end(plain: Callable[..., None]) -> Callable[..., None]:
    def finalize_close(buffer: deque, notempty: threading.Condition) -> None:
        plain(buffer, notempty)
        if participant := here():
            participant.accessed("h", _waiting_items(buffer), b"close")

    return finalize_close


def _waiting_items(buffer: deque) -> str:
    # a buffer never leaves its process, and no participant has two threads that feed from one
    return f"items {os.getpid()}.{id(buffer)}"


def _feed(
    buffer: deque, notempty: threading.Condition, send_bytes: Callable[[bytes], None], writelock: Any,
    reader_close: Callable[[], None], writer_close: Callable[[], None], ignore_epipe: bool,
    onerror: Callable[[Exception, Any], None], queue_sem: Any,
) -> None:  # fmt: skip
    """Be the thread that feeds: take the items one by one and send them, each in one step.

    Stands in for `Queue._feed`, and does what that does.
    """
    participant, items = here(), _waiting_items(buffer)
    while True:
        if participant:
            participant.operation = None
            participant.stop("feed", _feeds[items], ("ask", items), ready=lambda: bool(buffer))
            participant.accessed("o", items, b"feed")
            participant.operation = Operation("feed", _feeds[items])
            participant.operation.begun = True
        with notempty:
            while not buffer:
                notempty.wait()
        item = buffer.popleft()
        if item is queues._sentinel:
            reader_close()
            writer_close()
            return
        try:
            parcel = queues._ForkingPickler.dumps(item)
            with writelock:
                send_bytes(parcel)
            if participant:
                participant.add_detail(in_words(item))
        except Exception as error:
            if ignore_epipe and getattr(error, "errno", 0) == queues.errno.EPIPE:
                return
            if queues.is_exiting():
                return
            queue_sem.release()
            onerror(error, item)
