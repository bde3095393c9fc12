"""The taps of a recording: they wrap multiprocessing's own methods and write one line for each call.

A tap writes into a file of its own process, mapped into memory, as soon as the call returns: that costs no system call,
and what happened survives `kill -9`. What a process is waiting in is kept in a second file until the call returns.

An entry is five numbers (ENTRY): begin, end, order, size and words. `order` is the moment at which a message entered or
left the channel; all three in ns. `size` is in bytes, or -1. `words` is the line in a third file that says the rest,
separated by tabs: kind, outcome, thread, channel, label, side, detail. `side` tells the two ends of a duplex pipe
apart.
"""

import functools
import itertools
import mmap
import os
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from multiprocessing import process, reduction
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.supervision import start_hooks

__tracebackhide__ = True  # an instrument: never the place where somebody waits

ENTRY = struct.Struct("<5q")
WAITING = struct.Struct("<3qb")  # begin, order and words of a call; last 1 while it is under way
ORDER = struct.Struct("<q")
CHUNK = 10_000 * ENTRY.size  # bytes for entries, before another file is begun
clock = time.perf_counter_ns


class Channel:
    """What an entry says of the object that was used: `text` is its columns."""

    def __init__(self, identity: str, label: str, side: int = 0) -> None:
        self.identity = identity  # the same in all processes
        self.label = label  # what the learner calls it: "Pipe", "Queue", "Lock", ...
        self.text = f"{identity}\t{label}\t{side}"


class _ThreadState:
    """What the taps know of one thread."""

    __slots__ = ("inside", "is_main", "name", "order", "request", "serves", "size")

    def __init__(self) -> None:
        self.inside = False  # a tapped call is under way: what it calls in turn is not recorded
        self.order = 0
        self.size = -1
        self.serves = False  # a thread of a manager's server
        self.request: tuple[str, str, int] | None = None  # the object and method that it is asked for, since when
        self.is_main = threading.current_thread() is threading.main_thread()
        self.name = threading.current_thread().name


class _Local(threading.local):
    def __init__(self) -> None:
        self.state = _ThreadState()


class Log:
    """The files of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._words: dict[tuple[str, ...], int] = {}
        self._waiting = self._mapped("waiting", WAITING.size)
        self._chunks = itertools.count()
        self._open_chunk()
        # last: where it exists the others are complete, though the process may be killed at any moment
        self._texts = self._path("words").open("wb", buffering=0)

    def write(self, here: _ThreadState, begin: int, end: int, order: int, *what: str) -> None:
        """Write one entry for the thread that calls; `what` is kind, outcome, thread, channel and detail."""
        words = self._words.get(what) or self._new_number(what)
        with self._lock:
            if self._at == CHUNK:
                self._open_chunk()
            # `words` comes last: an entry without it is not finished
            ENTRY.pack_into(self._entries, self._at, begin, end, order, here.size, words)
            self._at += ENTRY.size

    def wait(self, begin: int, *what: str) -> None:
        """Note in which call the main thread is."""
        WAITING.pack_into(self._waiting, 0, begin, 0, self._words.get(what) or self._new_number(what), 1)

    def enter(self, order: int) -> None:
        """Note that the message of this call begins to enter its channel, since the call may never return."""
        ORDER.pack_into(self._waiting, 8, order)

    def go_on(self) -> None:
        """Note that the call has returned."""
        self._waiting[WAITING.size - 1] = 0

    def _new_number(self, words: tuple[str, ...]) -> int:
        with self._lock:
            # another thread may have been here between the look and the lock; its number is the line of the text
            if words not in self._words:
                self._texts.write(("\t".join(words) + "\n").encode())
                self._words[words] = len(self._words) + 1
            return self._words[words]

    def _open_chunk(self) -> None:
        self._entries = self._mapped(f"{next(self._chunks)}.entries", CHUNK)
        self._at = 0

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self.pid}.{ending}"

    def _mapped(self, ending: str, size: int) -> mmap.mmap:
        with self._path(ending).open("wb+") as file:
            file.truncate(size)
            return mmap.mmap(file.fileno(), size)


_log: Log | None = None
_starts: "_Starts"
_local = _Local()
_numbers = itertools.count()
_undo: list[Callable[[], object]] = []


def open_taps(folder: Path) -> None:
    """Record this process from now on, and each that it starts, into files in `folder`."""
    global _log, _starts
    _local.state = _ThreadState()
    is_fork = _log is not None
    _log, _starts = Log(folder), _Starts(folder)
    start_hooks.install(_starts)
    if is_fork:
        return  # with the taps of its parent
    _tap_processes()
    for name in _TAPS:
        if name in sys.modules:
            _TAPS[name](sys.modules[name])
    finder = _TapOnImport()
    sys.meta_path.insert(0, finder)
    _undo.append(functools.partial(sys.meta_path.remove, finder))


def close_taps() -> dict[int, process.BaseProcess]:
    """Put everything back as it was; return the processes that were started meanwhile, by pid."""
    global _log
    while _undo:
        _undo.pop()()
    start_hooks.remove(_starts)
    _log = None
    return _starts.children


def is_open() -> bool:
    """Tell whether this process is being recorded."""
    return _log is not None


class _Starts:
    """Makes each child record itself, and notes when it was started (start_hooks.StartHook)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: dict[int, process.BaseProcess] = {}
        self._begin = 0

    def before_start(self, child: process.BaseProcess) -> start_hooks.Call:
        self._begin = clock()
        return open_taps, (self.folder,)

    def after_start(self, child: process.BaseProcess) -> None:
        if child._popen is not None:
            self.children[child.pid] = child
            _write("start", self._begin, clock(), self._begin, "ok", Channel(str(child.pid), child.name).text)


class _TapOnImport:
    """Taps a module of multiprocessing when it is imported: a worker that does without it need not load it."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _TAPS or (spec := PathFinder.find_spec(name, path)) is None:
            return None
        plain = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            plain(module)
            if _log is not None:
                _TAPS[name](module)

        spec.loader.exec_module = exec_module
        return spec


def _tap(
    owner: Any, name: str, kind: str, find: Callable[[Any], Channel | None], detail: Callable[..., str] | None = None
) -> None:
    """Replace a method by one that calls it and writes an entry."""
    plain = getattr(owner, name)
    _replace(owner, name, functools.wraps(plain)(_recorded(plain, kind, find, detail)))


def _recorded(plain: Callable[..., Any], kind: str, find: Callable[[Any], Channel | None],
              detail: Callable[..., str] | None = None) -> Callable[..., Any]:  # fmt: skip
    may_fail = kind in ("acquire", "wait")

    def tapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        here, log = _local.state, _log
        if here.inside or log is None or (channel := find(self)) is None:
            return plain(self, *args, **kwargs)
        here.inside, here.size, outcome = True, -1, "failed"
        begin = here.order = clock()
        if here.is_main:
            log.wait(begin, kind, "unfinished", here.name, channel.text, "")
        try:
            result = plain(self, *args, **kwargs)
            outcome = "failed" if result is False and may_fail else "ok"
            return result
        except EOFError:
            outcome = "end"
            raise
        finally:
            here.inside = False
            more = detail(self, *args) if detail else ""
            log.write(here, begin, clock(), here.order, kind, outcome, here.name, channel.text, more)
            if here.is_main:
                log.go_on()

    return tapped


def _write(kind: str, begin: int, end: int, order: int, outcome: str, channel: str, detail: str = "") -> None:
    """Write an entry of something that is no call of its own."""
    here = _local.state
    _log.write(here, begin, end, order, kind, outcome, here.name, channel, detail)


def _replace(owner: Any, name: str, new: Any) -> None:
    """Set an attribute of a class or module; note how to put the old one back."""
    if name in vars(owner):
        _undo.append(functools.partial(setattr, owner, name, vars(owner)[name]))
    else:
        _undo.append(functools.partial(delattr, owner, name))
    setattr(owner, name, new)


def _unrecorded(owner: Any, name: str) -> None:
    """Record nothing of what a method does inside."""
    plain = getattr(owner, name)

    @functools.wraps(plain)
    def tapped(*args: Any, **kwargs: Any) -> Any:
        before, _local.state.inside = _local.state.inside, True
        try:
            return plain(*args, **kwargs)
        finally:
            _local.state.inside = before

    _replace(owner, name, tapped)


def _new_identity() -> str:
    return f"{os.getpid()}.{next(_numbers)}"


# -- connections -----------------------------------------------------------------------------------------------------

HIDDEN = Channel("", "")  # a connection inside something else that is recorded as a whole


def _tap_connections(connection: ModuleType) -> None:
    for kind in filter(None, (getattr(connection, name, None) for name in ("Connection", "PipeConnection"))):
        for method, verb in (("send", "send"), ("send_bytes", "send"), ("recv", "recv"), ("recv_bytes", "recv"),
                             ("recv_bytes_into", "recv"), ("poll", "poll")):  # fmt: skip
            _tap(kind, method, verb, channel_of)
        _note_sizes(kind)
        _note_requests(kind)
        _send_identity_along(kind)
    _replace(connection, "Pipe", _identified_pipe(connection.Pipe))
    _tap_wait(connection.wait)


def channel_of(end: Any) -> Channel | None:
    """Return the channel of a connection, None when its traffic is not to be recorded."""
    channel = end.__dict__.get("_channel")
    if channel is None:
        channel = end.__dict__["_channel"] = _guessed_channel(end)
    return channel if channel.label == "Pipe" else None


def _guessed_channel(end: Any) -> Channel:
    """Recognise a pipe that was made before the recording by its inode, where there is one."""
    if os.name == "posix" and stat.S_ISFIFO((status := os.fstat(end.fileno())).st_mode):
        return Channel(f"inode {status.st_ino}", "Pipe")
    return HIDDEN


def _identified_pipe(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def pipe(duplex: bool = True) -> Any:
        ends = plain(duplex)
        identity = _new_identity()
        for side, end in enumerate(ends):
            end._channel = HIDDEN if _local.state.inside else Channel(identity, "Pipe", side if duplex else 0)
        return ends

    return pipe


def _note_sizes(kind: type) -> None:
    plain_send, plain_receive = kind._send_bytes, kind._recv_bytes

    def send(self: Any, buffer: Any) -> None:
        here = _local.state
        here.order, here.size = clock(), len(buffer)
        if not here.inside and _log and (queue := self.__dict__.get("_queue")):
            # the feeder thread: this is the moment at which an item of a queue enters the pipe
            _write_moment("feed", queue)
        if here.inside and here.is_main and _log:
            _log.enter(here.order)
        plain_send(self, buffer)

    def receive(self: Any, *args: Any) -> Any:
        buffer = plain_receive(self, *args)
        here = _local.state
        here.order, here.size = clock(), buffer.getbuffer().nbytes
        if not here.inside and _log and (queue := self.__dict__.get("_queue")):
            # a pool reads past the queue's own get
            _write_moment("get", queue)
        return buffer

    _replace(kind, "_send_bytes", send)
    _replace(kind, "_recv_bytes", receive)


def _write_moment(kind: str, channel: Channel) -> None:
    now = _local.state.order
    _write(kind, now, now, now, "ok", channel.text)


def _note_requests(kind: type) -> None:
    """In a manager's server, turn a request and its reply into one entry."""
    plain_receive, plain_send = kind.recv, kind.send

    def recv(self: Any) -> Any:
        request = plain_receive(self)
        if _local.state.serves and isinstance(request, tuple) and len(request) == 4 and request[0]:
            _local.state.request = (request[0], request[1], clock())
        return request

    def send(self: Any, reply: Any) -> None:
        if _local.state.request and _log:
            (identity, method, begin), _local.state.request = _local.state.request, None
            _write("serve", begin, clock(), begin, "ok", Channel(identity, "").text, method)
        plain_send(self, reply)

    _replace(kind, "recv", recv)
    _replace(kind, "send", send)


def _send_identity_along(kind: type) -> None:
    reducers = reduction.ForkingPickler._extra_reducers
    plain = reducers[kind]

    def reduce(end: Any) -> Any:
        kept = {name: end.__dict__[name] for name in ("_channel", "_queue") if name in end.__dict__}
        return _rebuilt, (*plain(end), kept)

    reducers[kind] = reduce
    _undo.append(functools.partial(reducers.__setitem__, kind, plain))


def _rebuilt(rebuild: Callable[..., Any], args: tuple[Any, ...], kept: dict[str, Channel]) -> Any:
    end = rebuild(*args)
    end.__dict__.update(kept)
    return end


def _tap_wait(wait: Any) -> None:
    # lessons import `wait` by name before they record, so the function itself changes, not only its name in the module
    code = wait.__code__
    plain = type(wait)(code, wait.__globals__, "wait", wait.__defaults__)
    wait.__globals__["_recorded_wait"] = functools.partial(_recorded_wait, plain)

    def tapped(object_list, timeout=None):
        return _recorded_wait(object_list, timeout)  # found in the globals of multiprocessing.connection

    wait.__code__ = tapped.__code__.replace(co_name="wait")
    _undo.append(functools.partial(wait.__globals__.pop, "_recorded_wait"))
    _undo.append(functools.partial(setattr, wait, "__code__", code))


def _recorded_wait(plain: Callable[..., Any], objects: Any, timeout: float | None = None) -> Any:
    objects = list(objects)
    channels = [channel_of(each) for each in objects if hasattr(each, "recv_bytes")]
    if not any(channels):
        return plain(objects, timeout)
    channel = Channel("", f"{len(objects)} pipes") if len(objects) > 1 else channels[0]
    return _recorded(lambda _: plain(objects, timeout), "wait", lambda _: channel)(None)


# -- queues ----------------------------------------------------------------------------------------------------------


def _tap_queues(queues: ModuleType) -> None:
    _name_ends_of(queues.Queue)
    _name_ends_of(queues.SimpleQueue)
    for kind in (queues.Queue, queues.JoinableQueue, queues.SimpleQueue):
        for method in ("put", "get", "task_done", "join"):
            if method in vars(kind):
                _tap(kind, method, method, _queue_channel)


def _name_ends_of(kind: type) -> None:
    plain = kind.__init__

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        before, _local.state.inside = _local.state.inside, True
        try:
            plain(self, *args, **kwargs)
        finally:
            _local.state.inside = before
        self._reader._queue = self._writer._queue = Channel(_new_identity(), type(self).__name__)

    _replace(kind, "__init__", init)


def _queue_channel(queue: Any) -> Channel:
    end = queue._reader or queue._writer
    channel = end.__dict__.get("_queue")
    if channel is None:
        made_before = Channel(_guessed_channel(end).identity, type(queue).__name__)
        channel = queue._reader._queue = queue._writer._queue = made_before
    return channel


# -- locks -----------------------------------------------------------------------------------------------------------


def _tap_locks(synchronize: ModuleType) -> None:
    lock = synchronize.SemLock
    _replace(lock, "_make_methods", _tapped_methods(lock._make_methods))
    _replace(lock, "__getstate__", _state_with_channel(lock.__getstate__))
    _replace(lock, "__setstate__", _channel_from_state(lock.__setstate__))
    _tap(lock, "__enter__", "acquire", _lock_channel)
    _tap(lock, "__exit__", "release", _lock_channel)
    for kind in (synchronize.Condition, synchronize.Event, synchronize.Barrier):
        _name_locks_of(kind)
    for method in ("wait", "wait_for", "notify", "notify_all"):
        _tap(synchronize.Condition, method, method.split("_")[0], lambda condition: _lock_channel(condition._lock))
    for method in ("wait", "set", "clear"):
        _tap(synchronize.Event, method, method, lambda event: _lock_channel(event._cond._lock))
    _tap(synchronize.Barrier, "wait", "wait", lambda barrier: _lock_channel(barrier._cond._lock))


def _tapped_methods(plain: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(plain)
    def make_methods(self: Any) -> None:
        plain(self)
        if not _local.state.inside:
            self.__dict__.setdefault("_channel", Channel(_new_identity(), type(self).__name__))
        # instances hold the C methods; ours stand in front of them while the recording goes on
        acquire, release = self.acquire, self.release
        tapped_acquire = _recorded(lambda _, *args, **kwargs: acquire(*args, **kwargs), "acquire", _lock_channel)
        tapped_release = _recorded(lambda _: release(), "release", _lock_channel)
        self.acquire, self.release = functools.partial(tapped_acquire, self), functools.partial(tapped_release, self)

    return make_methods


def _lock_channel(lock: Any) -> Channel | None:
    return getattr(lock, "_channel", None)


def _state_with_channel(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(plain)
    def getstate(self: Any) -> Any:
        return _lock_channel(self), plain(self)

    return getstate


def _channel_from_state(plain: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(plain)
    def setstate(self: Any, state: Any) -> None:
        channel, state = state
        before, _local.state.inside = _local.state.inside, True  # its identity comes with it
        try:
            plain(self, state)
        finally:
            _local.state.inside = before
        if channel:
            self._channel = channel

    return setstate


def _name_locks_of(kind: type) -> None:
    plain = kind.__init__

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        before, _local.state.inside = _local.state.inside, True
        try:
            plain(self, *args, **kwargs)
        finally:
            _local.state.inside = before
        lock = self._lock if hasattr(self, "_lock") else self._cond._lock
        if not before and _lock_channel(lock) is None:
            lock._channel = Channel(_new_identity(), kind.__name__)

    _replace(kind, "__init__", init)


# -- shared values, processes, managers --------------------------------------------------------------------------------


def _tap_shared_values(sharedctypes: ModuleType) -> None:
    base = sharedctypes.SynchronizedBase
    plain = base.__init__

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        if channel := _lock_channel(self._lock):
            label = "Array" if isinstance(self, sharedctypes.SynchronizedArray) else "Value"
            self._lock._channel = Channel(channel.identity, label)

    _replace(base, "__init__", init)


def _tap_processes() -> None:
    _tap(process.BaseProcess, "join", "join", lambda child: Channel(str(child.pid), child.name))
    plain = process.BaseProcess.run

    @functools.wraps(plain)
    def run(self: Any) -> None:
        begin = clock()
        outcome = "failed"
        try:
            plain(self)
            outcome = "ok"
        finally:
            if _log:
                _write("run", begin, clock(), begin, outcome, Channel("", self.name).text)

    _replace(process.BaseProcess, "run", run)


def _tap_managers(managers: ModuleType) -> None:
    _unrecorded(managers.BaseManager, "start")
    _tap(managers.BaseProxy, "_callmethod", "call", _proxy_channel, lambda proxy, method, *_: method)
    plain = managers.Server.serve_client

    @functools.wraps(plain)
    def serve_client(self: Any, end: Any) -> None:
        _local.state.serves = True
        plain(self, end)

    _replace(managers.Server, "serve_client", serve_client)


def _proxy_channel(proxy: Any) -> Channel:
    return Channel(str(proxy._token.id), proxy._token.typeid)


_TAPS: dict[str, Callable[[ModuleType], None]] = {
    "multiprocessing.connection": _tap_connections,
    "multiprocessing.queues": _tap_queues,
    "multiprocessing.synchronize": _tap_locks,
    "multiprocessing.sharedctypes": _tap_shared_values,
    "multiprocessing.managers": _tap_managers,
}
