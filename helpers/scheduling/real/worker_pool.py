"""The worker processes of a scenario: started once, then given one schedule or one free run after another."""

import os
import pickle
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing import util
from multiprocessing.connection import Connection, wait
from multiprocessing.managers import SyncManager
from typing import Any

from helpers import validate
from helpers.scheduling.model.model import Model
from helpers.scheduling.model.worker_graph import WorkerGraph
from helpers.scheduling.program.scenario import Worker
from helpers.scheduling.real.real_objects import IN_A_MANAGER, RealObject, RealProcess, real_objects
from helpers.scheduling.real.worker_main import ONE_TRY, Assignment, FreeEnd, SharedStatus, serve
from helpers.supervision import interrupts
from helpers.supervision.kept import KeptChildren
from helpers.supervision.supervisor import Supervisor, supervised

MAX_PROCESSES = 64
_LEAVES_WITHIN = 1.0  # seconds


class WorkerPool:
    """One process per worker of a scenario, with their shared objects. Lives inside a supervised block."""

    kept: KeptChildren  # its processes, between two calls

    def __init__(self, model: Model, method: str) -> None:
        context = validate.context_of(method)
        count = len(model.graphs)
        self._manager = SyncManager(ctx=context) if any(one.kind in IN_A_MANAGER for one in model.semantics) else None
        if self._manager:
            self._manager.start()
        self.objects: list[RealObject] = real_objects(model.semantics, context, count, self._manager)
        self.status = SharedStatus(context, count)
        self.lines: list[Connection] = []
        self.processes = []
        self._assignments: dict[int, tuple] = {}  # that have been given to a process but not sent to it
        for number, name in enumerate(model.names[:count]):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(number, theirs, self.objects, self.status), name=name)
            process.start()
            theirs.close()
            self.lines.append(ours)
            self.processes.append(process)
        for line in self.lines:
            line.recv()

    def reset(self) -> None:
        """Put the shared objects back to their start."""
        for real in self.objects:
            real.reset()

    def assign(self, model: Model) -> None:
        """Assign to each process its worker of the model, to be carried out step by step."""
        switches_at_access = model.grain == "access"
        self._assignments = {
            process: (assignment, switches_at_access) for process, assignment in enumerate(_assignments(model))
        }

    def command(self, process: int, patience: float, ends: bool) -> bytes:
        """Return the message that lets a process take its next step, to be sent in the order of its steps.

        The step may wait for `patience` seconds; if it `ends` the worker, the process goes on to the end.
        """
        command = patience, ends
        # the assignment goes with its first command, so that nobody is woken up without a step to take
        assignment = self._assignments.pop(process, None)
        return pickle.dumps(("step", *assignment, command) if assignment else command)

    def send(self, process: int, command: bytes) -> None:
        """Let a process take its next step."""
        self.lines[process].send_bytes(command)

    def receive(self, process: int) -> bytes:
        """Wait for a process to take its step; return what it did, as `Report.received` understands it."""
        return self.lines[process].recv_bytes()

    def abandon(self, process: int) -> None:
        """Make one process abandon the assignment that it has not carried out to the end."""
        if self._assignments.pop(process, None) is None:
            self.lines[process].send_bytes(pickle.dumps(None))

    def run_free(self, model: Model) -> tuple[list[FreeEnd], bool]:
        """Let all run at full speed; return how each ended, and whether they came to a deadlock."""
        status, count = self.status, len(self.lines)
        status.gives_up.value = 0
        for process in range(count):
            status.waits[process] = status.in_vain[process] = 0
        for line, assignment in zip(self.lines, _assignments(model), strict=True):
            line.send(("run free", assignment))
        for _ in self.lines:
            status.ready.acquire()
        for _ in self.lines:
            status.start.release()
        return self._collect_results(model)

    def _collect_results(self, model: Model) -> tuple[list[FreeEnd], bool]:
        ends: list[FreeEnd] = [("", ())] * len(self.lines)
        stuck: set[int] = set()
        running = dict(enumerate(self.lines))
        deadlock = _DeadlockWatch(self.status)
        while running:
            ready = wait(running.values(), timeout=None if deadlock.is_found else 2 * ONE_TRY)
            if not ready and deadlock.look(running):
                stuck = {process for process in running if not self._may_rest(model, process)}
                self.status.gives_up.value = 1
            for process, line in list(running.items()):
                if line in ready:
                    ends[process] = line.recv()
                    del running[process]
        return ends, bool(stuck)

    def _may_rest(self, model: Model, process: int) -> bool:
        """Tell whether a process may wait for ever: it is endless, or nobody has started it."""
        child = model.children[process]
        own = self.objects[child] if child is not None else None
        return model.endless[process] or (isinstance(own, RealProcess) and not own.was_started)

    def close(self) -> None:
        """End the processes, with nothing left."""
        for line in self.lines:
            # one that failed is not there any more; one in the middle of an assignment has to abandon it first
            with suppress(OSError):
                line.send(None)
                line.send(None)
            line.close()
        for process in self.processes:
            process.join(_LEAVES_WITHIN)
        if self._manager:
            self._manager.shutdown()


class _DeadlockWatch:
    """Tells a deadlock from mere slowness, without a guess.

    Between two looks every process that still runs has tried in vain, from begin to end of a try, and none has got
    what it waited for: so nothing has changed meanwhile, and nothing ever will.
    """

    def __init__(self, status: SharedStatus) -> None:
        self.status = status
        self.is_found = False
        self._before: dict[int, tuple[int, int]] = {}

    def look(self, running: dict[int, Any]) -> bool:
        now = {process: (self.status.waits[process], self.status.in_vain[process]) for process in running}
        same = now.keys() == self._before.keys()
        self.is_found = same and all(self._is_stuck(self._before[process], now[process]) for process in now)
        if not (same and all(self._may_be_stuck(self._before[process], now[process]) for process in now)):
            self._before = now
        return self.is_found

    @staticmethod
    def _may_be_stuck(before: tuple[int, int], now: tuple[int, int]) -> bool:
        return before[0] == now[0] and 0 < before[1] <= now[1]

    @staticmethod
    def _is_stuck(before: tuple[int, int], now: tuple[int, int]) -> bool:
        return before[0] == now[0] and before[1] > 0 and now[1] >= before[1] + 2


def keep_workers(deadline: float = 60.0) -> AbstractContextManager[None]:
    """Make the calls of `replay` and `sample` in this block share their worker processes, which end with the block.

    The block is supervised: after `deadline` seconds it ends with `ProcessesFailed`.

    Raises TypeError or ValueError for a deadline as `supervised` does.
    """
    return _kept_workers(supervised(deadline))


@contextmanager
def _kept_workers(block: Supervisor) -> Iterator[None]:
    with block:
        cache = _OfABlock(block)
        _caches.append(cache)
        try:
            yield
        finally:
            _caches.remove(cache)
            for pool in cache.pools.values():
                pool.close()


def known_graphs() -> dict[tuple, WorkerGraph]:
    """Return what is known of workers where worker processes are kept, or an empty dict to be filled."""
    return _caches[-1].graphs if _caches else {}


@contextmanager
def pool_for(model: Model, method: str, deadline: float) -> Iterator[WorkerPool]:
    """Yield a pool that fits the model, with its shared objects at their start, supervised for `deadline` seconds.

    It is kept for the next call where a block or an explorer keeps worker processes, and else ended.

    Raises ValueError for more than 64 processes, TypeError for a worker that a process cannot import.
    """
    validate.whole_number("number of workers", len(model.graphs), 1, MAX_PROCESSES)
    for graph in model.graphs:
        _check_importable(graph.worker)
    key = method, len(model.graphs), tuple(model.semantics)
    cache = _caches[-1] if _caches else None
    with supervised(deadline) as block:
        pool = (cache.take(key, block) if cache else None) or WorkerPool(model, method)
        try:
            pool.reset()
            yield pool
        except BaseException:
            # in the middle of a run it is of no further use
            pool.close()
            raise
        if not (cache and cache.keep(key, pool, block)):
            pool.close()


class _PoolCache:
    """The pools that are kept between calls, and what is known of their workers."""

    def __init__(self) -> None:
        self.pools: dict[tuple, WorkerPool] = {}
        self.graphs: dict[tuple, WorkerGraph] = {}

    @interrupts.in_one_piece
    def take(self, key: tuple, block: Supervisor) -> WorkerPool | None:
        """Return the pool of this key, in charge of the block; None where there is none that can be used."""
        if key not in self.pools or not self._hand_out(key):
            return None
        pool = self.pools.pop(key)
        block.take_in(pool.kept)
        return pool

    @interrupts.in_one_piece
    def keep(self, key: tuple, pool: WorkerPool, block: Supervisor) -> bool:
        """Take a pool over from the block; False when its processes are being ended."""
        kept = block.let_go()
        if kept is None:
            return False
        pool.kept = kept
        self.pools[key] = pool
        self._take_back(pool)
        return True

    def _hand_out(self, key: tuple) -> bool:
        """Prepare that somebody else is in charge of a pool; False when it can be of no more use."""
        raise NotImplementedError

    def _take_back(self, pool: WorkerPool) -> None:
        """See to it that the processes of a pool end when nobody needs them."""
        raise NotImplementedError


class _OfABlock(_PoolCache):
    """The pools of a `keep_workers` block, which is in charge of them between two calls."""

    def __init__(self, block: Supervisor) -> None:
        super().__init__()
        self.block = block

    def _hand_out(self, key: tuple) -> bool:
        return self.block.give_back(self.pools[key].kept)

    def _take_back(self, pool: WorkerPool) -> None:
        self.block.take_in(pool.kept)


class ReadyWorkers(_PoolCache):
    """Worker processes that stay ready from one call of `replay` or `sample` for the next, with no block around them.

    Those of the last pool alone, and for `idle` seconds at most; they end with an error or an interrupt of a call, with
    `close`, and with this process.
    """

    def __init__(self, idle: float = 60.0) -> None:
        super().__init__()
        self.idle = idle
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._at_exit: util.Finalize | None = None

    @interrupts.uninterrupted_block
    def in_use(self) -> Generator[None]:
        """Let the calls in this block take their processes from here, and leave them here."""
        with self._lock:
            self._stop_timer()
        _caches.append(self)
        try:
            yield
        finally:
            _caches.remove(self)
            with self._lock:
                self._wait_idly()

    @interrupts.in_one_piece
    def take(self, key: tuple, block: Supervisor) -> WorkerPool | None:
        """Return the pool of this key, in charge of the block, if it is the one that is there; else end that one."""
        if not (key in self.pools and self.pools[key].kept.are_alive()):
            self._end_all()
        return super().take(key, block)

    def close(self) -> None:
        """End the processes, with nothing left. The next call starts new ones."""
        # in a fork they are the parent's
        if self.pools and self._pid == os.getpid():
            interrupts.uninterrupted(self._end_all)()

    def _end_all(self) -> None:
        with self._lock:
            self._stop_timer()
            while self.pools:
                _, pool = self.pools.popitem()
                pool.close()
                pool.kept.end()

    def _hand_out(self, key: tuple) -> bool:
        return True

    def _take_back(self, pool: WorkerPool) -> None:
        # multiprocessing waits at exit for children that nobody has told to end
        self._at_exit = self._at_exit or util.Finalize(None, self._end_all, exitpriority=100)

    def _wait_idly(self) -> None:
        if self.pools:
            self._timer = threading.Timer(self.idle, self._end_all)
            self._timer.daemon = True
            self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


_caches: list[_PoolCache] = []  # the innermost last


def _assignments(model: Model) -> list[Assignment]:
    return [(graph.worker, graph.arguments, graph.child) for graph in model.graphs]


def _check_importable(worker: Worker) -> None:
    # a notebook's cells are in no file that another process could import
    is_in_a_cell = worker.__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__")
    if is_in_a_cell or "<" in worker.__qualname__:
        raise TypeError(
            f"worker must be a function at the top of a module, which worker processes can import, not {worker!r}; "
            "put it into a file. To explore it here needs no file."
        )
