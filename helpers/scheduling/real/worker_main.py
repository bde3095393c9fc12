"""What runs in a worker process: it plays its part of a scenario step by step on command, or free at full speed."""

import pickle
import time
from collections.abc import Callable, Generator, Hashable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from helpers.scheduling.program.handles import Memory
from helpers.scheduling.program.semantics import Access
from helpers.scheduling.real.real_objects import RealObject

ONE_TRY = 0.02  # seconds that a free worker waits before it notes that it has waited in vain

# Messages to a worker process are tuples:
#   ("rehearse", worker, arguments, switches_at_access, cue), answered with a `Report` of the first step; then for each
#       further step a `Cue`, or None to give the part up
#   ("perform", worker, arguments), answered with the error that ended the worker ("" for none)
#   None: the process may end
# Cues and reports are plain pickles of plain tuples: they take a tenth of the time of Connection.send with instances.
Cue = tuple[float, bool]  # seconds that the step may wait; whether the worker ends with the step


class TimedAccess(NamedTuple):
    """An access of a real worker, with its times in ns."""

    access: Access
    result: Hashable
    begin: int
    end: int


class Report(NamedTuple):
    """What a real worker did in one step."""

    begin: int  # ns
    end: int  # ns
    done: tuple[TimedAccess, ...]
    said: str | None
    ended: bool
    error: str
    blocked: bool  # it waited in vain

    @classmethod
    def received(cls, message: bytes) -> "Report":
        """Return the report in a worker's message."""
        begin, end, done, *rest = pickle.loads(message)
        timed = tuple(TimedAccess(Access(*access), *more) for access, *more in done)
        return cls(begin, end, timed, *rest)


class Board:
    """What free workers and the parent tell each other through shared memory."""

    def __init__(self, context: Any, processes: int) -> None:
        self.ready, self.start = context.Semaphore(0), context.Semaphore(0)
        self.waits = context.RawArray("q", processes)  # how often each has got what it waited for
        self.in_vain = context.RawArray("q", processes)  # how often each has tried in vain since then
        self.gives_up = context.RawValue("b")  # set by the parent to end a deadlock


def serve(number: int, line: Connection, objects: list[RealObject], board: Board) -> None:
    """Say that it is there, then do what the parent says until it lets the process go."""
    memory = Memory([real.rules for real in objects])
    line.send("here")
    while True:
        match line.recv():
            case "rehearse", worker, arguments, switches_at_access, cue:
                _Rehearsal(number, objects, line, switches_at_access).play(memory, worker, arguments, cue)
            case "perform", worker, arguments:
                line.send(_Performance(number, objects, board).play(memory, worker, arguments))
            case None:
                return


class _Player:
    """Carries out the accesses of a worker on the real objects."""

    def __init__(self, number: int, objects: list[RealObject]) -> None:
        self.number = number
        self.objects = objects
        self.is_over = False

    def perform(self, access: Access) -> Hashable:
        if self.is_over:
            # what a `finally` of an abandoned worker does must not reach the shared objects
            raise _Over
        return getattr(self.objects[access.slot], access.verb)(self.number, self.take, *access.arguments)

    def take(self, attempt: Callable[[float], bool]) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self.is_over = True
        raise _Over


class _Rehearsal(_Player):
    """Takes one step at a time, and reports each."""

    def __init__(self, number: int, objects: list[RealObject], line: Connection, switches_at_access: bool) -> None:
        super().__init__(number, objects)
        self.line = line
        self.switches_at_access = switches_at_access

    def play(self, memory: Memory, worker: Callable[..., Generator], arguments: bytes, cue: Cue) -> None:
        memory.perform = self.perform
        generator = worker(*memory.unpack(arguments))
        error = ""
        with suppress(_Over):
            self.begin_step(cue)
            try:
                for said in generator:
                    self.stand(said if isinstance(said, str) else None)
            except Exception as raised:
                error = f"{type(raised).__name__}: {raised}"
            self.report(ended=True, error=error)
        self.is_over = True
        with suppress(_Over):
            generator.close()

    def perform(self, access: Access) -> Hashable:
        if self.switches_at_access and self.done:
            self.report()
            self.await_cue()
        begin = time.perf_counter_ns()
        result = super().perform(access)
        self.done.append((tuple(access), result, begin, time.perf_counter_ns()))
        return result

    def take(self, attempt: Callable[[float], bool]) -> None:
        if not attempt(self.patience):
            self.report(blocked=True)
            self.stop()

    def stand(self, said: str | None) -> None:
        is_last = self.ends and not self.stood
        self.stood, self.said = True, said
        if not is_last:
            self.report()
            self.await_cue()

    def await_cue(self) -> None:
        cue = pickle.loads(self.line.recv_bytes())
        if cue is None:
            self.stop()
        self.begin_step(cue)

    def begin_step(self, cue: Cue) -> None:
        self.patience, self.ends = cue
        self.done: list[tuple] = []
        self.stood, self.said = False, None
        self.begin = time.perf_counter_ns()

    def report(self, ended: bool = False, error: str = "", blocked: bool = False) -> None:
        done = self.begin, time.perf_counter_ns(), self.done, self.said, ended, error, blocked
        self.line.send_bytes(pickle.dumps(done))


class _Performance(_Player):
    """Plays a part from start to end without a stop."""

    def __init__(self, number: int, objects: list[RealObject], board: Board) -> None:
        super().__init__(number, objects)
        self.board = board

    def play(self, memory: Memory, worker: Callable[..., Generator], arguments: bytes) -> str:
        memory.perform = self.perform
        generator = worker(*memory.unpack(arguments))
        self.board.ready.release()
        self.board.start.acquire()
        try:
            for _ in generator:
                pass
        except _Over:
            pass
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def take(self, attempt: Callable[[float], bool]) -> None:
        board, number = self.board, self.number
        while not attempt(ONE_TRY):
            board.in_vain[number] += 1
            if board.gives_up.value:
                self.stop()
        board.in_vain[number] = 0
        board.waits[number] += 1


class _Over(BaseException):
    """Thrown into a worker that is not to go on."""
