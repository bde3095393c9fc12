"""What a worker does, learned by running it alone against scripted results of its accesses.

A generator cannot be copied, but it can be run again: its next access depends only on the results of those before.
So each access is learned once for each result, whatever the other processes do meanwhile; and where two runs of a
worker come to a yield in the same local state, what follows is shared.
"""

import inspect
import sys
from collections.abc import Generator, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, GeneratorType
from typing import Any, NamedTuple

from helpers import compat
from helpers.scheduling.model.local_state import CannotExplore, fingerprint, living_locals, require_visible_loops
from helpers.scheduling.program import handles
from helpers.scheduling.program.handles import Handle, SharedObjects
from helpers.scheduling.program.scenario import Worker
from helpers.scheduling.program.semantics import Access

MAX_STEP = 300  # accesses from one yield to the next
MAX_WORK = 2_000_000  # accesses in all runs of a worker
_START_OF_RUN = 70  # to start a run and to compare its end takes as long as so many accesses


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
    access: Access | None  # what comes next; None: a yield without any access, or the end
    ended: bool
    error: str  # what ended the worker, such as "KeyError: 'n'"; empty if nothing did
    source: SourceLine | None  # where the next access is made; None at the end
    variables: dict[str, str]  # those that may still be read, as text, when the worker last stood at a yield
    depth: int  # accesses since that yield
    branches: dict[Hashable, "Transition"] = field(default_factory=dict)  # by the result of the access


class Transition(NamedTuple):
    """Where a worker gets to by one access."""

    location: Location
    ends_step: bool  # it came to a yield, or to its end
    note: str | None  # the text that it yielded, if any


class WorkerGraph:
    """One worker with its arguments, and all that is known of what it does."""

    def __init__(self, worker: Worker, arguments: bytes, objects: SharedObjects) -> None:
        if not (inspect.isfunction(worker) and inspect.isgeneratorfunction(worker)):
            raise TypeError(f"worker must be a generator function (it yields after each step), not {worker!r}")
        compat.require("scheduling")
        require_visible_loops()
        self.worker = worker
        self.arguments = arguments
        self._objects = objects
        self._work = 0  # accesses, in all runs so far
        self._known: dict[bytes, Location] = {}
        self._ends: dict[str, Location] = {}
        self.start = self._transition((), None).location

    def after(self, location: Location, result: Hashable) -> Transition:
        """Return where the worker gets to from a location when its access there has this result."""
        transition = location.branches.get(result)
        if transition is None:
            transition = location.branches[result] = self._transition((*location.script, result), location)
        return transition

    def _transition(self, script: tuple[Hashable, ...], origin: Location | None) -> Transition:
        self._work += _START_OF_RUN + len(script)
        if self._work > MAX_WORK:
            raise CannotExplore(self._too_much(len(script)))
        run, again = _Run(self, self._objects, script), _Run(self, self._objects, script)
        if run != again:
            raise CannotExplore(
                f"{self.worker.__name__} is not deterministic: after the same results ({_shortened(script)}) it did "
                "different things. A worker may depend only on its arguments and on what it reads; take chance and "
                "clocks out of it, or run it free with sample(...)."
            )
        return Transition(self._location(run, origin), run.at_yield or run.ended, run.note)

    def _too_much(self, accesses: int) -> str:
        return (
            f"{self.worker.__name__} may never end: after {accesses:,} accesses it still does something new, and "
            f"running it again and again has come to the bound of {MAX_WORK:,} accesses. Make it shorter; or take "
            "samples of its schedules with random_walks(scenario, runs, longest=100)."
        )

    def _location(self, run: "_Run", origin: Location | None) -> Location:
        if run.ended:
            return self._ends.setdefault(run.error, Location((), None, True, run.error, None, {}, 0))
        if run.at_yield and run.state in self._known:
            return self._known[run.state]
        depth = 0 if run.at_yield or origin is None else origin.depth + 1
        if depth > MAX_STEP:
            raise CannotExplore(
                f"{self.worker.__name__} made {MAX_STEP} accesses without a yield; put a yield into its loop."
            )
        variables = run.variables if run.at_yield or origin is None else origin.variables
        location = Location(run.script, run.access, False, "", run.source, variables, depth)
        if run.at_yield and run.state is not None:
            self._known[run.state] = location
        return location


class _Run:
    """One run of a worker, alone: fed with the script, then watched up to its next access, yield or end."""

    def __init__(self, graph: WorkerGraph, objects: SharedObjects, script: tuple[Hashable, ...]) -> None:
        self.script = script
        self.at_yield = False  # at a yield, after the last result of the script
        self.note: str | None = None
        self.state: bytes | None = None
        self.variables: dict[str, str] = {}
        self.access: Access | None = None
        self.source: SourceLine | None = None
        self.ended = False
        self.error = ""
        self._used = 0
        self._halted = False
        objects.perform = self._perform
        generator = graph.worker(*objects.unpack(graph.arguments))
        try:
            self._watch(generator)
        finally:
            self._halted = True
            with suppress(_Halt):
                generator.close()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Run) and self._what_happened() == other._what_happened()

    def _what_happened(self) -> tuple:
        return self.at_yield, self.note, self.state, self.access, self.ended, self.error

    def _watch(self, generator: Generator) -> None:
        try:
            while True:
                used = self._used
                yielded = next(generator)
                if self._used == used:
                    if used == len(self.script):
                        # the next step is a yield without any access
                        self.source = _source(_innermost(generator).gi_frame)
                        return
                    self._used += 1
                if self._used == len(self.script):
                    self._reach_yield(generator, yielded)
        except _Halt:
            pass
        except StopIteration:
            self.ended = True
        except Exception as error:
            self.ended = True
            self.error = f"{type(error).__name__}: {error}"

    def _reach_yield(self, generator: Generator, yielded: Any) -> None:
        self.at_yield = True
        self.note = yielded if isinstance(yielded, str) else None
        self.state = fingerprint(generator)
        variables = living_locals(_innermost(generator))
        self.variables = {name: repr(value) for name, value in variables.items() if not isinstance(value, Handle)}

    def _perform(self, access: Access) -> Hashable:
        if self._halted:
            # a worker that is being ended must not get any further, not even by its `finally`
            raise _Halt
        if self._used < len(self.script):
            self._used += 1
            return self.script[self._used - 1]
        self.access = access
        self.source = _source(sys._getframe(1))
        self._halted = True
        raise _Halt


class _Halt(BaseException):
    """Thrown into a worker at the end of its script."""


def _innermost(generator: Generator) -> Generator:
    """Follow `yield from` to the generator that is at work, save those of the shared objects."""
    inner = generator.gi_yieldfrom
    if isinstance(inner, GeneratorType) and inner.gi_code.co_filename != handles.__file__:
        return _innermost(inner)
    return generator


def _source(frame: FrameType) -> SourceLine:
    while frame.f_code.co_filename == handles.__file__:
        frame = frame.f_back
    code = frame.f_code
    return SourceLine(code.co_filename, code.co_name, code.co_firstlineno, frame.f_lineno)


def _shortened(script: tuple[Hashable, ...]) -> str:
    return ", ".join(map(repr, script[-5:])) or "none yet"
