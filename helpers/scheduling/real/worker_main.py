"""What a worker process does: it runs its worker of a scenario step by step on command, or free at full speed."""

import pickle
import time
from collections.abc import Callable, Generator, Hashable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from helpers.scheduling.program.handles import SharedObjects, begin
from helpers.scheduling.program.semantics import Access, Timeout
from helpers.scheduling.real.real_objects import RealObject

ONE_TRY = 0.02  # seconds that a free worker waits before it notes that it has waited in vain

# Messages to a worker process are tuples:
#   ("step", assignment, switches_at_access, command), answered with a `Report` of the first step; then for each
#       further step a `StepCommand`, or None to abandon the worker
#   ("run free", assignment), answered with a `FreeEnd`
#   None: the process may end
# Cues and reports are plain pickles of plain tuples: they take a tenth of the time of Connection.send with instances.
# An assignment is (worker, its packed arguments, slot of its process or None if nobody starts it).
FreeEnd = tuple[str, tuple[str, ...]]  # the error that ended a worker, "" for none; names of its class and those above
Assignment = tuple[Callable[..., Generator], bytes, int | None]
StepCommand = tuple[float, bool]  # seconds that the step may wait; whether the worker ends with the step


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
    note: str | None
    ended: bool
    error: str
    blocked: bool  # it waited in vain

    @classmethod
    def received(cls, message: bytes) -> "Report":
        """Return the report in a worker's message."""
        begin, end, done, *rest = pickle.loads(message)
        timed = tuple(TimedAccess(Access(*access), *more) for access, *more in done)
        return cls(begin, end, timed, *rest)


class SharedStatus:
    """What free workers and the parent tell each other through shared memory."""

    def __init__(self, context: Any, processes: int) -> None:
        self.ready, self.start = context.Semaphore(0), context.Semaphore(0)
        self.waits = context.RawArray("q", processes)  # how often each has got what it waited for
        self.in_vain = context.RawArray("q", processes)  # how often each has tried in vain since then
        self.gives_up = context.RawValue("b")  # set by the parent to end a deadlock


def serve(number: int, line: Connection, objects: list[RealObject], status: SharedStatus) -> None:
    """Say that it is there, then do what the parent says until it lets the process go."""
    shared = SharedObjects([real.semantics for real in objects])
    line.send("here")
    while True:
        match line.recv():
            case "step", assignment, switches_at_access, command:
                _SteppedRun(number, objects, line, switches_at_access).run(shared, assignment, command)
            case "run free", assignment:
                line.send(_FreeRun(number, objects, status).run(shared, assignment))
            case None:
                return


class _Run:
    """Carries out the accesses of a worker on the real objects: their `Runner`."""

    is_free = False

    def __init__(self, number: int, objects: list[RealObject]) -> None:
        self.number = number
        self.objects = objects
        self.is_over = False

    def perform(self, access: Access) -> Hashable:
        if self.is_over:
            # what a `finally` of an abandoned worker does must not reach the shared objects
            raise _Abandoned
        return getattr(self.objects[access.slot], access.verb)(self, *access.arguments)

    def wait(self, attempt: Callable[[float], bool], timeout: Timeout) -> bool:
        raise NotImplementedError

    def stop(self) -> None:
        self.is_over = True
        raise _Abandoned


class _SteppedRun(_Run):
    """Takes one step at a time, and reports each."""

    at_yield: bool  # it has come to the yield that ends its step
    note: str | None  # what it yielded

    def __init__(self, number: int, objects: list[RealObject], line: Connection, switches_at_access: bool) -> None:
        super().__init__(number, objects)
        self.line = line
        self.switches_at_access = switches_at_access

    def run(self, shared: SharedObjects, assignment: Assignment, command: StepCommand) -> None:
        shared.perform = self.perform
        generator = begin(shared, *assignment)
        error = ""
        with suppress(_Abandoned):
            self.begin_step(command)
            try:
                for yielded in generator:
                    self.reach_yield(yielded if isinstance(yielded, str) else None)
            except (Exception, SystemExit) as raised:
                error = f"{type(raised).__name__}: {raised}"
            self.report(ended=True, error=error)
        self.is_over = True
        with suppress(_Abandoned):
            generator.close()

    def perform(self, access: Access) -> Hashable:
        if self.done and (self.switches_at_access or self.may_wait(access)):
            self.report()
            self.await_command()
        begin = time.perf_counter_ns()
        result = super().perform(access)
        self.done.append((tuple(access), result, begin, time.perf_counter_ns()))
        return result

    def may_wait(self, access: Access) -> bool:
        return self.objects[access.slot].semantics.may_wait(access.verb, access.arguments)

    def wait(self, attempt: Callable[[float], bool], timeout: Timeout) -> bool:
        if timeout is not None:
            # how long that is in the schedule, nobody's clock can tell
            return bool(attempt(0))
        if not attempt(self.patience):
            self.report(blocked=True)
            self.stop()
        return True

    def reach_yield(self, note: str | None) -> None:
        is_last = self.ends and not self.at_yield
        self.at_yield, self.note = True, note
        if not is_last:
            self.report()
            self.await_command()

    def await_command(self) -> None:
        command = pickle.loads(self.line.recv_bytes())
        if command is None:
            self.stop()
        self.begin_step(command)

    def begin_step(self, command: StepCommand) -> None:
        self.patience, self.ends = command
        self.done: list[tuple] = []
        self.at_yield, self.note = False, None
        self.begin = time.perf_counter_ns()

    def report(self, ended: bool = False, error: str = "", blocked: bool = False) -> None:
        done = self.begin, time.perf_counter_ns(), self.done, self.note, ended, error, blocked
        self.line.send_bytes(pickle.dumps(done))


class _FreeRun(_Run):
    """Runs a worker from start to end without a stop."""

    is_free = True

    def __init__(self, number: int, objects: list[RealObject], status: SharedStatus) -> None:
        super().__init__(number, objects)
        self.status = status

    def run(self, shared: SharedObjects, assignment: Assignment) -> FreeEnd:
        shared.perform = self.perform
        child = assignment[-1]
        self.process: Any = None if child is None else self.objects[child]
        generator = begin(shared, *assignment)
        self.status.ready.release()
        self.status.start.acquire()
        try:
            for _ in generator:
                pass
            for each in self.objects:
                each.finish()
        except _Abandoned:
            pass
        except (Exception, SystemExit) as error:
            return f"{type(error).__name__}: {error}", tuple(kind.__name__ for kind in type(error).__mro__)
        finally:
            # what a `finally` of the worker does must not reach the shared objects any more
            self.is_over = True
            with suppress(_Abandoned):
                generator.close()
        return "", ()

    def perform(self, access: Access) -> Hashable:
        if self.process and self.process.is_killed:
            self.stop()
        return super().perform(access)

    def wait(self, attempt: Callable[[float], bool], timeout: Timeout) -> bool:
        if timeout is not None:
            return bool(attempt(timeout))
        status, number = self.status, self.number
        while not attempt(ONE_TRY):
            status.in_vain[number] += 1
            if status.gives_up.value or (self.process and self.process.is_killed):
                self.stop()
        status.in_vain[number] = 0
        status.waits[number] += 1
        return True


class _Abandoned(BaseException):
    """Thrown into a worker that is not to go on."""
