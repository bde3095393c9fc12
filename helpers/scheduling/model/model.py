"""A scenario as a model: its states, and the steps that lead from one to the next.

A step of a process is what it does from one yield to the next, and it is atomic. What follows the last yield is a
step only if it touches a shared object. A step that has to wait is not possible yet: the process is blocked. So is a
process whose step would change nothing at all, as in a loop that waits for another process.

With the finer grain "access" a step ends at a yield or just before the next access to a shared object, so that
`counter.value += 1` becomes two steps, as on a real machine.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from helpers import validate
from helpers.scheduling.model.worker_graph import Behaviour, CannotExplore, Place, SourceLine
from helpers.scheduling.program.handles import Memory
from helpers.scheduling.program.scenario import Build, Scenario, Shared, Worker, as_scenario
from helpers.scheduling.program.semantics import READS, WRITES, Access

GRAINS = ("step", "access")


@dataclass(frozen=True)
class Crashed:
    """The outcome of a schedule in which workers raised."""

    errors: tuple[str, ...]  # such as "seller 1: KeyError: 'seat 7'"


class Done(NamedTuple):
    """An access that was made, and its result."""

    access: Access
    result: Hashable


class Move(NamedTuple):
    """One step of one process, as the model takes it."""

    place: Place
    values: tuple  # states of the shared objects afterwards
    done: tuple[Done, ...]
    said: str | None


class Model:
    """A scenario made ready to be stepped: its shared objects, its workers, and what is known of them.

    `known` collects what is learned of workers, for use by other models of the same scenario.

    Raises TypeError or ValueError for a scenario that is not one, or an unknown grain.
    """

    def __init__(
        self, scenario: "Scenario | Build", grain: str = "step", known: dict[tuple, Behaviour] | None = None
    ) -> None:
        self.scenario = as_scenario(scenario)
        self.grain = validate.one_of("grain", grain, GRAINS)
        self.memory = Memory()
        workers = _checked_workers(self.scenario.build(self.memory))
        self.rules = self.memory.rules
        self.behaviours = self._behaviours(workers, {} if known is None else known)
        self.names = [f"{worker.__name__} {number}" for number, (worker, _) in enumerate(workers)]

    def _behaviours(self, workers: list[tuple[Worker, tuple]], known: dict[tuple, Behaviour]) -> list[Behaviour]:
        # equal workers with equal arguments share what is learned of them
        behaviours = []
        for worker, arguments in workers:
            packed = self.memory.pack(arguments)
            key = worker, packed, tuple(self.rules)
            if key not in known:
                known[key] = Behaviour(worker, packed, self.memory)
            behaviours.append(known[key])
        return behaviours

    @cached_property
    def start(self) -> "State":
        """The state before the first step."""
        values = tuple(declared.start for declared in self.rules)
        places = tuple(behaviour.start for behaviour in self.behaviours)
        return State(self, values, places, not self.is_well(values))

    def shared(self, values: tuple) -> dict[str, Any]:
        """Return the values of the shared objects by name, in plain types."""
        return {declared.name: declared.view(value) for declared, value in zip(self.rules, values, strict=True)}

    def is_well(self, values: tuple) -> bool:
        """Ask the invariant."""
        return self.scenario.invariant is None or bool(self.scenario.invariant(self.shared(values)))

    def outcome(self, shared: Shared) -> Hashable:
        """Return the outcome of a scenario that ended with these values.

        Raises TypeError if it is not hashable.
        """
        outcome = self.scenario.outcome(shared) if self.scenario.outcome else self._data(shared)
        try:
            hash(outcome)
        except TypeError:
            raise TypeError(f"an outcome must be hashable, not {outcome!r}; give the scenario an outcome=...") from None
        return outcome

    def _data(self, shared: Shared) -> Hashable:
        data = [_frozen(shared[declared.name]) for declared in self.rules if declared.holds_data]
        return data[0] if len(data) == 1 else tuple(data)

    def crash(self, errors: list[str]) -> Crashed | None:
        """Return the outcome for the workers' errors ("" for none), None if there are none."""
        said = tuple(f"{name}: {error}" for name, error in zip(self.names, errors, strict=True) if error)
        return Crashed(said) if said else None

    def move(self, process: int, place: Place, values: tuple) -> Move | None:
        """Take one step of a process; None where it is blocked, waits in a loop or has ended."""
        if place.ended:
            return None
        origin, before, done = place, values, []
        while True:
            result, values, waits = self._perform(process, place.access, values)
            if waits:
                self._check_first(process, place, done)
                return None
            if place.access:
                done.append(Done(place.access, result))
            place, ends_step, said = self.behaviours[process].after(place, result)
            if ends_step or self.grain == "access":
                break
        if place is origin and values == before:
            return None
        return Move(place, values, tuple(done), said)

    def _perform(self, process: int, access: Access | None, values: tuple) -> tuple[Hashable, tuple, bool]:
        if access is None:
            return None, values, False
        slot, verb, arguments = access
        effect = getattr(self.rules[slot], verb)(values[slot], process, *arguments)
        if effect is None:
            return None, values, True
        result, value = effect
        return result, (*values[:slot], value, *values[slot + 1 :]), False

    def _check_first(self, process: int, place: Place, done: list[Done]) -> None:
        if done:
            raise CannotExplore(
                f"{self.names[process]} may have to wait in the middle of a step, at line {place.source.line} of "
                f"{place.source.function}: {self.text(place.access)}. Put a yield before it, so that its step begins "
                'with the waiting, or use grain="access".'
            )

    def text(self, access: Access, result: Hashable = None) -> str:
        """Say an access in words."""
        return self.rules[access.slot].text(access.verb, access.arguments, result)

    def follow(self, schedule: list[int]) -> "list[Step]":
        """Return the steps of a schedule, complete or not.

        Raises ValueError for a step that is not possible, and says why; TypeError for what is not a list of numbers.
        """
        if not isinstance(schedule, list | tuple):
            raise TypeError(f"schedule must be a list of process numbers, such as [0, 1, 0, 1], not {schedule!r}")
        state, steps = self.start, []
        for index, process in enumerate(schedule):
            try:
                steps.append(state.step(process))
            except ValueError as error:
                raise ValueError(f"schedule[{index}] is not possible: {error}") from None
            state = steps[-1].state
        return steps

    def label(self, said: str | None, done: tuple[Done, ...], error: str) -> str:
        """Say a step in words: the worker's own, or else its accesses; and the error that ended it."""
        label = said or ", ".join(self.text(*one) for one in done) or "go on"
        return f"{label}, then {error}" if error else label

    def must_wait(self, process: int, place: Place, values: tuple) -> bool:
        """Tell whether the next access of a process is not possible now."""
        return self._perform(process, place.access, values)[2]


@dataclass(frozen=True)
class Step:
    """One step that a process took."""

    process: int
    label: str  # the text that the worker yielded, or else its accesses in words
    done: tuple[Done, ...]
    saw: tuple[str, ...]  # its accesses in words, with what it read
    source: SourceLine  # where the step began
    state: "State"  # the state afterwards


@dataclass(frozen=True)
class Waiting:
    """Why a process cannot take a step."""

    process: int
    channel: str  # name of the shared object that it waits for, or that it reads first in a loop
    for_what: str  # in words, such as "an item in jobs"
    held_by: tuple[int, ...]  # processes that hold the object


@dataclass(frozen=True)
class State:
    """One state of a scenario: the values of the shared objects, and the place of each process."""

    model: Model
    values: tuple
    places: tuple[Place, ...]
    violated: bool  # the invariant did not hold in this state or in one before it

    @property
    def shared(self) -> dict[str, Any]:
        """The values of the shared objects by name, in plain types."""
        return self.model.shared(self.values)

    @property
    def holders(self) -> dict[str, tuple[int, ...]]:
        """By name of each shared object that is held: the processes that hold it."""
        held = {rule.name: rule.holders(value) for rule, value in zip(self.model.rules, self.values, strict=True)}
        return {name: holders for name, holders in held.items() if holders}

    @cached_property
    def enabled(self) -> tuple[int, ...]:
        """The processes that can take a step."""
        return tuple(process for process in range(len(self.places)) if self._move(process))

    @property
    def finished(self) -> bool:
        """True when every process has ended."""
        return all(place.ended for place in self.places)

    @property
    def deadlocked(self) -> bool:
        """True when no process can take a step although one has not ended."""
        return not self.finished and not self.enabled

    @property
    def outcome(self) -> Hashable:
        """The scenario's outcome when every process has ended (`Crashed` where one raised); None before that."""
        if not self.finished:
            return None
        return self.model.crash([place.error for place in self.places]) or self.model.outcome(self.shared)

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The processes that have not ended and cannot take a step, and why."""
        blocked = [number for number, place in enumerate(self.places) if not place.ended and not self._move(number)]
        return tuple(map(self._waiting, blocked))

    @property
    def cycle(self) -> tuple[Waiting, ...]:
        """Processes that wait for one another in a circle; empty if none do."""
        waiting = {wait.process: wait for wait in self.waiting}
        for first in waiting:
            circle = [first]
            while following := [h for h in getattr(waiting.get(circle[-1]), "held_by", ()) if h in waiting]:
                if following[0] in circle:
                    return tuple(waiting[process] for process in circle[circle.index(following[0]) :])
                circle.append(following[0])
        return ()

    def step(self, process: int) -> Step:
        """Let one process take a step.

        Raises ValueError if it cannot, and says why.
        """
        move = self._move(process) if process in range(len(self.places)) else None
        if move is None:
            raise ValueError(self._refusal(process))
        model = self.model
        violated = self.violated or not model.is_well(move.values)
        places = (*self.places[:process], move.place, *self.places[process + 1 :])
        saw = tuple(model.text(*done) for done in move.done)
        after = State(model, move.values, places, violated)
        label = model.label(move.said, move.done, move.place.error)
        return Step(process, label, move.done, saw, self.places[process].source, after)

    def _move(self, process: int) -> Move | None:
        return self.model.move(process, self.places[process], self.values)

    def _waiting(self, process: int) -> Waiting:
        access = self.places[process].access
        if access is None:
            return Waiting(process, "", "nothing: it goes round in a loop", ())
        rule = self.model.rules[access.slot]
        holders = tuple(holder for holder in rule.holders(self.values[access.slot]) if holder != process)
        return Waiting(process, rule.name, rule.hope(access.verb), holders)

    def _refusal(self, process: int) -> str:
        if process not in range(len(self.places)):
            return f"process must be a number from 0 to {len(self.places) - 1}, not {process!r}"
        name = self.model.names[process]
        if self.places[process].ended:
            return f"{name} has ended and cannot take another step"
        wait = self._waiting(process)
        held = " and ".join(self.model.names[holder] for holder in wait.held_by)
        return f"{name} cannot take a step: it waits for {wait.for_what}" + (f", held by {held}" if held else "")


def lost_updates(steps: list[Step]) -> list[int]:
    """Return the indices of the steps that overwrote what another process had written since the writer last read it."""
    lost: list[int] = []
    read_at: dict[tuple, int] = {}  # by process and variable
    written_at: dict[tuple, tuple[int, int]] = {}  # by variable: when, and by whom
    accesses = [(index, step.process, access) for index, step in enumerate(steps) for access, _ in step.done]
    for time, (index, process, access) in enumerate(accesses):
        variable = access.variable
        if access.verb in READS:
            read_at[process, variable] = time
        if access.verb in WRITES:
            last_write, writer = written_at.get(variable, (-1, process))
            if writer != process and read_at.get((process, variable), time) < last_write:
                lost.append(index)
            written_at[variable] = time, process
    return lost


def _checked_workers(workers: Any) -> list[tuple[Worker, tuple]]:
    if not isinstance(workers, list) or not workers:
        raise TypeError(f"a scenario must return a list of (worker, arguments), not {workers!r}")
    for entry in workers:
        if not (isinstance(entry, tuple) and len(entry) == 2 and callable(entry[0]) and isinstance(entry[1], tuple)):
            raise TypeError(f"a scenario must return a list of (worker, tuple of arguments), not {entry!r}")
    return workers


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
