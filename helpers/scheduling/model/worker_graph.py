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

from helpers.scheduling.model.local_state import fingerprint, living_locals
from helpers.scheduling.program import handles as memory_module
from helpers.scheduling.program.handles import Handle, Memory
from helpers.scheduling.program.scenario import Worker
from helpers.scheduling.program.semantics import Access

LONGEST_STEP = 300  # accesses from one yield to the next
MOST_WORK = 2_000_000  # accesses in all runs of a worker
_START_OF_RUN = 70  # to start a run and to compare its end takes as long as so many accesses


class CannotExplore(Exception):
    """A scenario that has too many states, or does not do the same every time; the message says what to do."""


class SourceLine(NamedTuple):
    """A line of a worker's code."""

    file: str
    function: str
    first_line: int  # of the function
    line: int


@dataclass(eq=False, slots=True)
class Place:
    """A point between two accesses of a worker."""

    script: tuple[Hashable, ...]  # results of the accesses on one way here
    access: Access | None  # what comes next; None: a yield without any access, or the end
    ended: bool
    error: str  # what ended the worker, such as "KeyError: 'n'"; empty if nothing did
    source: SourceLine | None  # where the next access is made; None at the end
    variables: dict[str, str]  # those that may still be read, as text, when the worker last stood at a yield
    depth: int  # accesses since that yield
    branches: dict[Hashable, "Arrival"] = field(default_factory=dict)  # by the result of the access


class Arrival(NamedTuple):
    """Where a worker gets to by one access."""

    place: Place
    ends_step: bool  # it came to a yield, or to its end
    said: str | None  # the text that it yielded, if any


class Behaviour:
    """One worker with its arguments, and all that is known of what it does."""

    def __init__(self, worker: Worker, arguments: bytes, memory: Memory) -> None:
        if not (inspect.isfunction(worker) and inspect.isgeneratorfunction(worker)):
            raise TypeError(f"worker must be a generator function (it yields after each step), not {worker!r}")
        self.worker = worker
        self.arguments = arguments
        self._memory = memory
        self._work = 0  # accesses, in all runs so far
        self._known: dict[bytes, Place] = {}
        self._end_places: dict[str, Place] = {}
        self.start = self._arrival((), None).place

    def after(self, place: Place, result: Hashable) -> Arrival:
        """Return where the worker gets to from a place when its access there has this result."""
        arrival = place.branches.get(result)
        if arrival is None:
            arrival = place.branches[result] = self._arrival((*place.script, result), place)
        return arrival

    def _arrival(self, script: tuple[Hashable, ...], origin: Place | None) -> Arrival:
        self._work += _START_OF_RUN + len(script)
        if self._work > MOST_WORK:
            raise CannotExplore(self._too_much(len(script)))
        run, again = _Run(self, self._memory, script), _Run(self, self._memory, script)
        if run != again:
            raise CannotExplore(
                f"{self.worker.__name__} is not deterministic: after the same results ({_shortened(script)}) it did "
                "different things. A worker may depend only on its arguments and on what it reads; take chance and "
                "clocks out of it, or run it free with sample(...)."
            )
        return Arrival(self._place(run, origin), run.stood or run.ended, run.said)

    def _too_much(self, accesses: int) -> str:
        return (
            f"{self.worker.__name__} may never end: after {accesses:,} accesses it still does something new, and "
            f"running it again and again has come to the bound of {MOST_WORK:,} accesses. Make it shorter; or take "
            "samples of its schedules with random_walks(scenario, runs, longest=100)."
        )

    def _place(self, run: "_Run", origin: Place | None) -> Place:
        if run.ended:
            return self._end_places.setdefault(run.error, Place((), None, True, run.error, None, {}, 0))
        if run.stood and run.state in self._known:
            return self._known[run.state]
        depth = 0 if run.stood or origin is None else origin.depth + 1
        if depth > LONGEST_STEP:
            raise CannotExplore(
                f"{self.worker.__name__} made {LONGEST_STEP} accesses without a yield; put a yield into its loop."
            )
        variables = run.variables if run.stood or origin is None else origin.variables
        place = Place(run.script, run.access, False, "", run.source, variables, depth)
        if run.stood and run.state is not None:
            self._known[run.state] = place
        return place


class _Run:
    """One run of a worker, alone: fed with the script, then watched up to its next access, yield or end."""

    def __init__(self, behaviour: Behaviour, memory: Memory, script: tuple[Hashable, ...]) -> None:
        self.script = script
        self.stood = False  # at a yield, after the last result of the script
        self.said: str | None = None
        self.state: bytes | None = None
        self.variables: dict[str, str] = {}
        self.access: Access | None = None
        self.source: SourceLine | None = None
        self.ended = False
        self.error = ""
        self._used = 0
        self._halted = False
        memory.perform = self._perform
        generator = behaviour.worker(*memory.unpack(behaviour.arguments))
        try:
            self._watch(generator)
        finally:
            self._halted = True
            with suppress(_Halt):
                generator.close()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Run) and self._what_happened() == other._what_happened()

    def _what_happened(self) -> tuple:
        return self.stood, self.said, self.state, self.access, self.ended, self.error

    def _watch(self, generator: Generator) -> None:
        try:
            while True:
                used = self._used
                said = next(generator)
                if self._used == used:
                    if used == len(self.script):
                        # the next step is a yield without any access
                        self.source = _source(_innermost(generator).gi_frame)
                        return
                    self._used += 1
                if self._used == len(self.script):
                    self._stand(generator, said)
        except _Halt:
            pass
        except StopIteration:
            self.ended = True
        except Exception as error:
            self.ended = True
            self.error = f"{type(error).__name__}: {error}"

    def _stand(self, generator: Generator, said: Any) -> None:
        self.stood = True
        self.said = said if isinstance(said, str) else None
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
    if isinstance(inner, GeneratorType) and inner.gi_code.co_filename != memory_module.__file__:
        return _innermost(inner)
    return generator


def _source(frame: FrameType) -> SourceLine:
    while frame.f_code.co_filename == memory_module.__file__:
        frame = frame.f_back
    code = frame.f_code
    return SourceLine(code.co_filename, code.co_name, code.co_firstlineno, frame.f_lineno)


def _shortened(script: tuple[Hashable, ...]) -> str:
    return ", ".join(map(repr, script[-5:])) or "none yet"
