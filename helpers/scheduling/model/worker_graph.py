"""What a worker does, learned by running it alone against scripted results of its accesses.

A generator cannot be copied, but it can be run again: its next access depends only on the results of those before.
So each access is learned once for each result, whatever the other processes do meanwhile; and where two runs of a
worker come to a yield in the same local state, what follows is shared. A run goes on as far as the worker gets alone,
so that a long worker is learned in few runs.
"""

import sys
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, GeneratorType, TracebackType
from typing import Any, NamedTuple

from helpers import compat
from helpers.scheduling.model.local_state import CannotExplore, fingerprint, living_locals, require_visible_loops
from helpers.scheduling.model.patience import LostPatience, within
from helpers.scheduling.program import handles
from helpers.scheduling.program.handles import Handle, SharedObjects
from helpers.scheduling.program.scenario import Worker
from helpers.scheduling.program.semantics import Access, Party

MAX_STEP = 300  # accesses from one yield to the next
MAX_WORK = 2_000_000  # accesses in all runs of a worker
MAX_AHEAD = 200  # accesses that a run goes on beyond what was asked
MAX_SECONDS = 5.0  # that a worker may compute without a yield and without a shared object
_START_OF_RUN = 70  # to start a run and to compare its end takes as long as so many accesses

Ahead = Callable[[Access], tuple[bool, Hashable]]  # makes an access in the model: whether it is possible, its result


class WorkerRaised(CannotExplore):
    """A worker raised what its scenario does not declare; the message names the line."""


class SourceLine(NamedTuple):
    """A line of a worker's code."""

    file: str
    function: str
    first_line: int  # of the function
    line: int


@dataclass(eq=False, slots=True)
class Location:
    """A point between two accesses of a worker."""

    script: tuple[Hashable, ...]  # results of the accesses on one way here
    access: Access | None = None  # what comes next; None: a yield without any access, or the end
    ended: bool = False
    error: str = ""  # what ended the worker, such as "KeyError: 'n'"; empty if nothing did
    mistake: str = ""  # what is wrong with that, if the scenario does not declare it
    source: SourceLine | None = None  # where the next access is made, or the error was raised; None at a good end
    variables: dict[str, str] = field(default_factory=dict)  # those that may still be read, when last at a yield
    depth: int = 0  # accesses since that yield
    branches: dict[Hashable, "Transition"] = field(default_factory=dict)  # by the result of the access


class Transition(NamedTuple):
    """Where a worker gets to by one access."""

    location: Location
    ends_step: bool  # it came to a yield, or to its end
    note: str | None  # the text that it yielded, if any


class WorkerGraph:
    """One worker with its arguments, and all that is known of what it does.

    `raises`: the exceptions that may end it; any other is an error of the scenario.
    `child`: the slot of its process, if another one starts it.

    Raises TypeError for a worker that is no generator function, UnsupportedPython and CannotExplore for a Python that
    lacks what is needed here.
    """

    def __init__(
        self,
        worker: Worker,
        arguments: bytes,
        objects: SharedObjects,
        raises: tuple[type[Exception], ...] = (),
        child: int | None = None,
    ) -> None:
        if not handles.is_worker(worker):
            raise TypeError(f"worker must be a generator function (it yields after each step), not {worker!r}")
        compat.require("scheduling")
        require_visible_loops()
        self.worker = worker
        self.arguments = arguments
        self.raises = raises
        self.child = child
        self.objects = objects
        self._work = 0  # accesses, in all runs so far
        self._known: dict[bytes, Location] = {}
        self._ends: dict[str, Location] = {}
        self.start = self._learn((), None, None).location

    def after(self, location: Location, result: Hashable, ahead: Ahead | None = None) -> Transition:
        """Return where the worker gets to from a location when its access there has this result.

        With `ahead` a run of the worker that is needed for this goes on, as far as it gets alone.
        """
        return location.branches.get(result) or self._learn((*location.script, result), location, ahead)

    def _learn(self, script: tuple[Hashable, ...], origin: Location | None, ahead: Ahead | None) -> Transition:
        first = _Run(self, script, ahead)
        again = _Run(self, script, None, like=first)
        self._work += 2 * (_START_OF_RUN + len(first.script))
        if self._work > 2 * MAX_WORK:
            raise CannotExplore(self._too_much(len(script)))
        if first.points != again.points:
            raise CannotExplore(
                f"{self.worker.__name__} is not deterministic: after the same results ({_shortened(script)}) it did "
                "different things. A worker may depend only on its arguments and on what it reads; take chance and "
                "clocks out of it, use objects.choice(...), or run it free with sample(...)."
            )
        learnt = None
        for number, point in enumerate(first.points, start=len(script)):
            if number > len(script) and self._is_too_deep(point, origin):
                # somebody else may learn this, if anybody ever comes here
                break
            transition = self._transition(first.script[:number], point, origin)
            if origin is not None:
                transition = origin.branches.setdefault(first.script[number - 1], transition)
            learnt = learnt or transition
            origin = transition.location
        assert learnt is not None, "a run comes to one point at least"
        return learnt

    def _transition(self, script: list[Hashable], point: "_Point", origin: Location | None) -> Transition:
        return Transition(self._location(script, point, origin), point.at_yield or point.ended, point.note)

    def _too_much(self, accesses: int) -> str:
        return (
            f"{self.worker.__name__} may never end: after {accesses:,} accesses it still does something new, and "
            f"running it again and again has come to the bound of {MAX_WORK:,} accesses. Make it shorter; or take "
            "samples of its schedules with random_walks(scenario, runs, longest=100)."
        )

    def _location(self, script: list[Hashable], point: "_Point", origin: Location | None) -> Location:
        if point.ended:
            end = Location((), ended=True, error=point.error, mistake=point.mistake, source=point.source)
            return self._ends.setdefault(point.error, end)
        if point.at_yield and point.state in self._known:
            return self._known[point.state]
        if self._is_too_deep(point, origin):
            raise CannotExplore(
                f"{self.worker.__name__} made {MAX_STEP} accesses without a yield; put a yield into its loop."
            )
        if point.at_yield or origin is None:
            variables, depth = point.variables, 0
        else:
            variables, depth = origin.variables, origin.depth + 1
        location = Location(tuple(script), point.access, source=point.source, variables=variables, depth=depth)
        if point.at_yield and point.state is not None:
            self._known[point.state] = location
        return location

    @staticmethod
    def _is_too_deep(point: "_Point", origin: Location | None) -> bool:
        return not (point.at_yield or point.ended) and origin is not None and origin.depth >= MAX_STEP

    def is_known(self, state: bytes | None) -> bool:
        """Tell whether it is known what the worker does next in a local state, at a yield."""
        return state is not None and state in self._known


def party_location(party: Party) -> Location:
    """Return the one location of a party that is no worker: it is always there, and need not go on."""
    location = Location((), party.access, ended=True)
    location.branches[None] = Transition(location, True, None)
    return location


@dataclass
class _Point:
    """What a worker did after one result of its script, up to its next access, yield without any, or end."""

    at_yield: bool = False  # it came to a yield
    note: str | None = None
    state: bytes | None = None
    access: Access | None = None
    ended: bool = False
    error: str = ""
    mistake: str = ""
    # the rest need not be the same in every run
    source: SourceLine | None = field(default=None, compare=False)
    variables: dict[str, str] = field(default_factory=dict, compare=False)


class _Run:
    """One run of a worker, alone: fed with the script, then watched, and with `ahead` led on as far as it gets."""

    def __init__(
        self, graph: WorkerGraph, script: tuple[Hashable, ...], ahead: Ahead | None, like: "_Run | None" = None
    ) -> None:
        self.graph = graph
        self.script: list[Hashable] = list(like.script if like else script)
        self.points: list[_Point] = []  # one for each result from the last of the script on
        self._first = len(script)
        self._ahead = ahead
        self._like = like
        self._used = 0
        self.is_cut = False  # at a yield from where all is known
        self._halted = False
        graph.objects.perform = self._perform
        generator: Any = handles.begin(graph.objects, graph.worker, graph.arguments, graph.child)
        try:
            self._begin_point()
            self._watch(generator)
        finally:
            self._halted = True
            with suppress(_Halt):
                generator.close()

    def _begin_point(self) -> None:
        if self._used >= self._first:
            self.points.append(_Point())

    def _watch(self, generator: GeneratorType) -> None:
        try:
            within(MAX_SECONDS, lambda: self._advance(generator))
        except _Halt:
            pass
        except LostPatience as lost:
            source = _raised_at(lost.__traceback__)
            raise CannotExplore(
                f"{self.graph.worker.__name__} has computed for {MAX_SECONDS:g} seconds without a yield or a shared "
                f"object{_in_words(source)}. A loop that waits must look at a shared object, and yield."
            ) from None
        except StopIteration:
            self._end("")
        except (Exception, SystemExit) as error:
            self._end(f"{type(error).__name__}: {error}", error)

    def _advance(self, generator: GeneratorType) -> None:
        while True:
            used = self._used
            yielded = next(generator)
            if self._used == used:
                # a step that is a yield without any access
                if used == len(self.script) and not self._goes_on(None, generator):
                    return
                self._used += 1
                self._begin_point()
            if self._used >= self._first:
                self._reach_yield(generator, yielded)
                if self._is_enough(self.points[-1]):
                    return

    def _is_enough(self, point: _Point) -> bool:
        if self._like:
            return len(self.points) == len(self._like.points) and self._like.is_cut
        self.is_cut = self.graph.is_known(point.state)
        return self.is_cut

    def _end(self, error: str, raised: BaseException | None = None) -> None:
        if self.points:
            point = self.points[-1]
            point.ended, point.error = True, error
            if raised is not None:
                point.source = _raised_at(raised.__traceback__)
                if not isinstance(raised, self.graph.raises):
                    point.mistake = undeclared(self.graph.worker.__name__, error, point.source)

    def _reach_yield(self, generator: GeneratorType, yielded: Any) -> None:
        point = self.points[-1]
        point.at_yield = True
        point.note = yielded if isinstance(yielded, str) else None
        point.state = fingerprint(generator)
        variables = living_locals(_innermost(generator))
        point.variables = {name: repr(value) for name, value in variables.items() if not isinstance(value, Handle)}

    def _goes_on(self, access: Access | None, at: GeneratorType | FrameType) -> bool:
        """Note what comes next; tell whether the run goes on, with the result in its script."""
        point = self.points[-1]
        point.access = access
        frame = _innermost(at).gi_frame if isinstance(at, GeneratorType) else at
        assert frame is not None, "a generator at a yield has a frame"
        point.source = self._source(frame)
        if self._ahead is None or len(self.points) > MAX_AHEAD:
            return False
        is_possible, result = self._ahead(access) if access else (True, None)
        if is_possible:
            self.script.append(result)
        return is_possible

    def _perform(self, access: Access) -> Hashable:
        if self._halted:
            # a worker that is being ended must not get any further, not even by its `finally`
            raise _Halt
        if self._used == len(self.script) and not self._goes_on(access, sys._getframe(1)):
            self._halted = True
            raise _Halt
        if self._used >= self._first:
            point = self.points[-1]
            point.access, point.source = access, point.source or self._source(sys._getframe(1))
        self._used += 1
        self._begin_point()
        return self.script[self._used - 1]

    def _source(self, frame: FrameType) -> SourceLine:
        while frame.f_code.co_filename == handles.__file__ and frame.f_back:
            frame = frame.f_back
        if frame.f_code.co_filename == __file__:
            # before the first line of a process that another one starts
            code = self.graph.worker.__code__
            return SourceLine(code.co_filename, code.co_name, code.co_firstlineno, code.co_firstlineno)
        return _line(frame, frame.f_lineno)


class _Halt(BaseException):
    """Thrown into a worker at the end of its script."""


def _innermost(generator: GeneratorType) -> GeneratorType:
    """Follow `yield from` to the generator that is at work, save those of the shared objects."""
    inner = generator.gi_yieldfrom
    is_ours = isinstance(inner, GeneratorType) and inner.gi_code.co_filename == handles.__file__
    return _innermost(inner) if isinstance(inner, GeneratorType) and not is_ours else generator


def _line(frame: FrameType, line: int) -> SourceLine:
    code = frame.f_code
    return SourceLine(code.co_filename, code.co_name, code.co_firstlineno, line)


def _raised_at(trace: TracebackType | None) -> SourceLine | None:
    """Return the innermost line of a worker's own code in a traceback."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename not in (handles.__file__, __file__):
            found = _line(trace.tb_frame, trace.tb_lineno)
        trace = trace.tb_next
    return found


def undeclared(worker: str, error: str, source: SourceLine | None = None) -> str:
    """Return what is wrong with an error that a scenario does not declare."""
    kind = error.split(":")[0]
    return (
        f"{worker} raised {error}{_in_words(source)}. Mend it; or if that is an outcome among others, declare it: "
        f"Scenario(..., raises=({kind},))."
    )


def _in_words(source: SourceLine | None) -> str:
    return f" at line {source.line} of {source.function}, in {source.file}" if source else ""


def _shortened(script: tuple[Hashable, ...]) -> str:
    return ", ".join(map(repr, script[-5:])) or "none yet"
