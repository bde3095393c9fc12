"""The worker processes of a scenario: started once, then given one schedule or one free run after another."""

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.managers import SyncManager
from typing import Any

from helpers import validate
from helpers.scheduling.model.model import Model
from helpers.scheduling.model.worker_graph import Behaviour
from helpers.scheduling.program.scenario import Worker
from helpers.scheduling.real.real_objects import RealObject, real_objects
from helpers.scheduling.real.worker_main import ONE_TRY, Board, serve
from helpers.supervision.supervisor import supervised

MOST_PROCESSES = 64
_LEAVES_WITHIN = 1.0  # seconds


class Crew:
    """One process per worker of a scenario, with their shared objects. Lives inside a supervised block."""

    def __init__(self, model: Model, method: str) -> None:
        context = get_context(method)
        count = len(model.names)
        self._manager = SyncManager(ctx=context) if any(rule.kind == "dict" for rule in model.rules) else None
        if self._manager:
            self._manager.start()
        self.objects: list[RealObject] = real_objects(model.rules, context, count, self._manager)
        self.board = Board(context, count)
        self.lines: list[Connection] = []
        self.processes = []
        self._parts: dict[int, tuple] = {}  # that have been given to a process but not sent to it
        for number, name in enumerate(model.names):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(number, theirs, self.objects, self.board), name=name)
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

    def rehearse(self, model: Model) -> None:
        """Give each process its part of the model, to be played step by step."""
        switches_at_access = model.grain == "access"
        self._parts = {
            process: (behaviour.worker, behaviour.arguments, switches_at_access)
            for process, behaviour in enumerate(model.behaviours)
        }

    def cue(self, process: int, patience: float, ends: bool) -> bytes:
        """Return the message that lets a process take its next step, to be sent in the order of its steps.

        The step may wait for `patience` seconds; if it `ends` the part, the process goes on to the end.
        """
        cue = patience, ends
        # the part goes with its first cue, so that nobody is woken up without a step to take
        part = self._parts.pop(process, None)
        return pickle.dumps(("rehearse", *part, cue) if part else cue)

    def send(self, process: int, cue: bytes) -> None:
        """Let a process take its next step."""
        self.lines[process].send_bytes(cue)

    def receive(self, process: int) -> bytes:
        """Wait for a process to take its step; return what it did, as `Report.received` understands it."""
        return self.lines[process].recv_bytes()

    def dismiss(self, process: int) -> None:
        """Make one process give up the part that it has not played to the end."""
        if self._parts.pop(process, None) is None:
            self.lines[process].send_bytes(pickle.dumps(None))

    def perform(self, model: Model) -> tuple[list[str], bool]:
        """Let all play at full speed; return the error of each ("" for none), and whether they came to a deadlock."""
        board, count = self.board, len(self.lines)
        board.gives_up.value = 0
        for process in range(count):
            board.waits[process] = board.in_vain[process] = 0
        for line, behaviour in zip(self.lines, model.behaviours, strict=True):
            line.send(("perform", behaviour.worker, behaviour.arguments))
        for _ in self.lines:
            board.ready.acquire()
        for _ in self.lines:
            board.start.release()
        return self._curtain()

    def _curtain(self) -> tuple[list[str], bool]:
        errors = [""] * len(self.lines)
        playing = dict(enumerate(self.lines))
        deadlock = _DeadlockWatch(self.board)
        while playing:
            ready = wait(playing.values(), timeout=None if deadlock.is_found else 2 * ONE_TRY)
            if not ready and deadlock.look(playing):
                self.board.gives_up.value = 1
            for process, line in list(playing.items()):
                if line in ready:
                    errors[process] = line.recv()
                    del playing[process]
        return errors, deadlock.is_found

    def close(self) -> None:
        """End the processes, with nothing left."""
        for line in self.lines:
            # one that failed is not there any more; one in the middle of a part has to give it up first
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

    Between two looks every process that still plays has tried in vain, from begin to end of a try, and none has got
    what it waited for: so nothing has changed meanwhile, and nothing ever will.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.is_found = False
        self._before: dict[int, tuple[int, int]] = {}

    def look(self, playing: dict[int, Any]) -> bool:
        now = {process: (self.board.waits[process], self.board.in_vain[process]) for process in playing}
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


@contextmanager
def keep_workers(deadline: float = 60.0) -> Iterator[None]:
    """Make the calls of `replay` and `sample` in this block share their worker processes, which end with the block.

    The block is supervised: after `deadline` seconds it ends with `ProcessesFailed`.
    """
    with supervised(deadline):
        company = Company()
        _companies.append(company)
        try:
            yield
        finally:
            _companies.remove(company)
            for crew in company.crews.values():
                crew.close()


@contextmanager
def company_for(deadline: float) -> "Iterator[Company]":
    """Yield the company of the innermost `keep_workers` block, or one for this block only."""
    if _companies:
        yield _companies[-1]
    else:
        with keep_workers(deadline):
            yield _companies[-1]


class Company:
    """The crews that are kept, and what is known of their workers' behaviour."""

    def __init__(self) -> None:
        self.crews: dict[tuple, Crew] = {}
        self.behaviours: dict[tuple, Behaviour] = {}

    @contextmanager
    def crew(self, model: Model, method: str) -> Iterator[Crew]:
        """Yield a crew that fits the model, with its shared objects at their start.

        Raises ValueError for more than 64 processes, TypeError for a worker that a process cannot import.
        """
        validate.whole_number("number of workers", len(model.names), 1, MOST_PROCESSES)
        for behaviour in model.behaviours:
            _check_importable(behaviour.worker)
        key = method, len(model.names), tuple(model.rules)
        crew = self.crews.pop(key, None) or Crew(model, method)
        try:
            crew.reset()
            yield crew
        except BaseException:
            # in the middle of a play it is of no further use
            crew.close()
            raise
        self.crews[key] = crew


_companies: list[Company] = []


def _check_importable(worker: Worker) -> None:
    # a notebook's cells are in no file that another process could import
    is_in_a_cell = worker.__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__")
    if is_in_a_cell or "<" in worker.__qualname__:
        raise TypeError(
            f"worker must be a function at the top of a module, which worker processes can import, not {worker!r}; "
            "put it into a file. To explore it here needs no file."
        )
