"""A scenario as a model: its states, and the steps that lead from one to the next.

A step of a process is what it does from one yield to the next, and it is atomic. It ends early before an operation
that may have to wait, which is a step's beginning wherever it stands. What follows the last yield is a step only if it
touches a shared object. A step that has to wait is not possible yet: the process is blocked. So is a process whose step
would change nothing at all, as in a loop that waits for another process.

With the finer grain "access" a step ends at a yield or just before the next access to a shared object, so that
`counter.value += 1` becomes two steps, as on a real machine.

What is said of the end, here and everywhere:

- a scenario has *finished* when every process has ended (those that its scenario calls endless need not);
- it is in a *deadlock* when it has not, and nothing shared can ever change again: each process that has not ended waits
  for an object, or goes round in a loop that only looks;
- it is in a *livelock* when shared objects change for ever, and neither an end nor a deadlock can be reached any more;
- a process *starves* when it can be kept from its end for ever although the others go on, even by a scheduler that
  never passes over a process that could always take a step (see `liveness`).
"""

import inspect
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple

from helpers import validate
from helpers.scheduling.model.worker_graph import (
    MAX_AHEAD,
    Location,
    SourceLine,
    Transition,
    WorkerGraph,
    WorkerRaised,
    party_location,
    undeclared,
)
from helpers.scheduling.program.handles import SharedObjects
from helpers.scheduling.program.scenario import Build, Scenario, Shared, Worker, as_scenario
from helpers.scheduling.program.semantics import Access

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

    location: Location
    values: tuple  # states of the shared objects afterwards
    done: tuple[Done, ...]
    note: str | None


class Model:
    """A scenario made ready to be stepped: its shared objects, its workers, and what is known of them.

    `known` collects what is learned of workers, for use by other models of the same scenario.

    Raises TypeError or ValueError for a scenario that is not one, or an unknown grain.
    """

    def __init__(
        self, scenario: "Scenario | Build", grain: str = "step", known: dict[tuple, WorkerGraph] | None = None
    ) -> None:
        self.scenario = as_scenario(scenario)
        self.grain = validate.one_of("grain", grain, GRAINS)
        known = {} if known is None else validate.instance("known", known, dict, "a dict to fill, or None")
        self.shared_objects = SharedObjects()
        workers = list(_checked_workers(self.scenario.build(self.shared_objects)))
        self.semantics = self.shared_objects.semantics
        self.names = [f"{worker.__name__} {number}" for number, (worker, _) in enumerate(workers)]
        children: list[int | None] = [None] * len(workers)
        for handle, worker, arguments in self.shared_objects.children:
            self.semantics[handle.slot].setting = len(workers)
            workers.append((worker, arguments))
            children.append(handle.slot)
            self.names.append(repr(handle))
        self.endless = tuple(worker.__name__ in self.scenario.endless for worker, _ in workers)
        self.children = tuple(children)  # for each worker the slot of its process, if another one starts it
        self.graphs = self._graphs(_checked_workers(workers), known)
        self.parties = [
            party for slot, semantics in enumerate(self.semantics) for party in semantics.parties(slot, len(workers))
        ]
        self.names += [party.name for party in self.parties]
        self._rests_anyway = not self.parties and not any(self.endless) and not self.shared_objects.children

    def _graphs(self, workers: list[tuple[Worker, tuple]], known: dict[tuple, WorkerGraph]) -> list[WorkerGraph]:
        # equal workers with equal arguments share what is learned of them
        graphs = []
        for (worker, arguments), child in zip(workers, self.children, strict=True):
            packed = self.shared_objects.pack(arguments)
            key = worker, packed, child, self.scenario.raises, tuple(self.semantics)
            if key not in known:
                known[key] = WorkerGraph(worker, packed, self.shared_objects, self.scenario.raises, child)
            graphs.append(known[key])
        return graphs

    @cached_property
    def start(self) -> "State":
        """The state before the first step."""
        values = tuple(declared.start for declared in self.semantics)
        locations = (*(graph.start for graph in self.graphs), *map(party_location, self.parties))
        return State(self, values, locations, not self.is_well(values))

    def shared(self, values: tuple) -> dict[str, Any]:
        """Return the values of the shared objects by name, in plain types."""
        return {one.name: one.view(value) for one, value in zip(self.semantics, values, strict=True)}

    def is_well(self, values: tuple) -> bool:
        """Ask the invariant."""
        return self.scenario.invariant is None or bool(self.scenario.invariant(self.shared(values)))

    def outcome(self, shared: Shared) -> Hashable:
        """Return the outcome of a scenario that ended with these values.

        Raises TypeError if it is not hashable.
        """
        outcome = self.scenario.outcome(shared) if self.scenario.outcome else self._data(shared)
        validate.hashable("the outcome of a scenario (what its outcome=... returns)", outcome, "something")
        return outcome

    def _data(self, shared: Shared) -> Hashable:
        data = [_frozen(shared[declared.name]) for declared in self.semantics if declared.holds_data]
        return data[0] if len(data) == 1 else tuple(data)

    def check_declared(self, process: int, error: str, kinds: tuple[str, ...]) -> None:
        """Accept the error of a worker that the scenario declares; `kinds` names its class and those above.

        Raises WorkerRaised for any other.
        """
        if error and not {kind.__name__ for kind in self.scenario.raises} & set(kinds):
            raise WorkerRaised(undeclared(self.names[process], error))

    def crash(self, errors: list[str]) -> Crashed | None:
        """Return the outcome for the workers' errors ("" for none), None if there are none."""
        crashes = tuple(f"{name}: {error}" for name, error in zip(self.names, errors, strict=True) if error)
        return Crashed(crashes) if crashes else None

    def move(self, process: int, location: Location, values: tuple) -> Move | None:
        """Take one step of a process; None where it is blocked, waits in a loop or has ended."""
        return self.look(process, location, values)[0]

    def look(
        self, process: int, location: Location, values: tuple, locations: tuple[Location, ...] = ()
    ) -> tuple[Move | None, frozenset[int]]:
        """Take one step of a process as `move` does; return it with the slots of all objects that it depends on.

        An object that it overwrites without having looked at it is none of them.
        Where something new is learned of its worker, more is learned if one knows the `locations` of all.
        """
        child = self.children[process] if process < len(self.graphs) else None
        slots = set() if child is None else {child}
        if child is not None and values[child] == "killed":
            return None, frozenset(slots)
        before, origin, done = values, location, []
        overwritten: set[int] = set()
        while location.access or not location.ended:
            access = location.access
            if access and access.slot not in overwritten:
                is_overwriting = access.verb in self.semantics[access.slot].overwrites and access.slot not in slots
                (overwritten if is_overwriting else slots).add(access.slot)
            is_possible, result, values = self._perform(process, access, values)
            if not is_possible:
                return None, frozenset(slots)
            if access:
                done.append(Done(access, result))
            location, ends_step, note = self._after(process, location, result, values, locations)
            if location.mistake:
                raise WorkerRaised(location.mistake)
            if ends_step or self.grain == "access" or self.may_wait(location):
                is_change = location is not origin or values != before
                if location is origin:
                    # whether it is a change depends on what was there
                    slots |= overwritten
                return (Move(location, values, tuple(done), note) if is_change else None), frozenset(slots)
        return None, frozenset(slots | overwritten)

    def only_looks(self, access: Access) -> bool:
        """Tell whether an access changes nothing, whatever it finds."""
        return access.verb in self.semantics[access.slot].looks

    def may_wait(self, location: Location) -> bool:
        """Tell whether what comes next may have to wait: then a step ends before it."""
        access = location.access
        return access is not None and self.semantics[access.slot].may_wait(access.verb, access.arguments)

    def _perform(self, process: int, access: Access | None, values: tuple) -> tuple[bool, Hashable, tuple]:
        """Make an access; return whether it is possible, its result, and the values afterwards."""
        if access is None:
            return True, None, values
        slot, verb, arguments = access
        effect = getattr(self.semantics[slot], verb)(values[slot], process, *arguments)
        if effect is None:
            return False, None, values
        result, value = effect
        return True, result, (*values[:slot], value, *values[slot + 1 :])

    def _after(
        self, process: int, location: Location, result: Hashable, values: tuple, locations: tuple[Location, ...]
    ) -> Transition:
        known = location.branches.get(result)
        if known is None:
            known = self.graphs[process].after(location, result, _Ahead(self, process, values, locations))
        return known

    def at_rest(self, process: int, location: Location, values: tuple) -> bool:
        """Tell whether a process need not go on: it has ended, or is endless, was killed, or never started."""
        if location.ended:
            return True
        child = self.children[process]
        return self.endless[process] or (child is not None and values[child] in ("new", "killed"))

    def text(self, access: Access, result: Hashable = None) -> str:
        """Say an access in words."""
        return self.semantics[access.slot].text(access.verb, access.arguments, result)

    def follow(self, schedule: list[int]) -> "list[Step]":
        """Return the steps of a schedule, complete or not.

        Raises ValueError for a step that is not possible, and says why; TypeError for what is not a list of numbers.
        """
        validate.sequence("schedule", schedule, "process numbers, such as [0, 1, 0, 1]", least=0)
        state, steps = self.start, []
        for index, process in enumerate(schedule):
            validate.whole_number(f"schedule[{index}]", process, 0, len(self.names) - 1)
            try:
                steps.append(state.take(process))
            except ValueError as error:
                raise ValueError(f"schedule[{index}] is not possible: {error}") from None
            state = steps[-1].state
        return steps

    def label(self, note: str | None, done: tuple[Done, ...], error: str) -> str:
        """Say a step in words: the worker's own, or else its accesses; and the error that ended it."""
        label = note or ", ".join(self.text(*one) for one in done) or "go on"
        return f"{label}, then {error}" if error else label

    def must_wait(self, process: int, location: Location, values: tuple) -> bool:
        """Tell whether the next access of a process is not possible now."""
        return not self._perform(process, location.access, values)[0]


class _Ahead:
    """What a run of a worker goes on with: its process in the model, from where it is now.

    It goes on alone until it has to wait. Then the others go on, as far as that is known already.
    """

    def __init__(self, model: Model, process: int, values: tuple, locations: tuple[Location, ...]) -> None:
        self.model = model
        self.process = process
        self.values = values
        self.others = [number for number, location in enumerate(locations) if number != process and not location.ended]
        self.locations = list(locations)
        self.help_left = MAX_AHEAD

    def __call__(self, access: Access) -> tuple[bool, Hashable]:
        while True:
            is_possible, result, self.values = self.model._perform(self.process, access, self.values)
            if is_possible or not (self.help_left and any(map(self._goes_on, self.others))):
                return is_possible, result
            self.help_left -= 1

    def _goes_on(self, other: int) -> bool:
        """Let another process make its next access, if what comes then is known; tell whether it could."""
        location = self.locations[other]
        is_possible, result, values = self.model._perform(other, location.access, self.values)
        known = location.branches.get(result) if is_possible else None
        if known is not None:
            self.values, self.locations[other] = values, known.location
        return known is not None and not known.location.ended


@dataclass(frozen=True)
class Step:
    """One step that a process took."""

    process: int
    label: str  # the text that the worker yielded, or else its accesses in words
    done: tuple[Done, ...]
    saw: tuple[str, ...]  # its accesses in words, with what it read
    source: SourceLine | None  # where the step began; None for what happens without a worker
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
    """One state of a scenario: the values of the shared objects, and the location of each process."""

    model: Model
    values: tuple
    locations: tuple[Location, ...]
    violated: bool  # the invariant did not hold in this state or in one before it

    @property
    def shared(self) -> dict[str, Any]:
        """The values of the shared objects by name, in plain types."""
        return self.model.shared(self.values)

    @property
    def holders(self) -> dict[str, tuple[int, ...]]:
        """By name of each shared object that is held: the processes that hold it."""
        held = {one.name: one.holders(value) for one, value in zip(self.model.semantics, self.values, strict=True)}
        return {name: holders for name, holders in held.items() if holders}

    @cached_property
    def enabled(self) -> tuple[int, ...]:
        """The processes that can take a step."""
        return tuple(process for process in range(len(self.locations)) if self._move(process))

    @property
    def finished(self) -> bool:
        """True when every process has ended, and nothing can happen any more."""
        model = self.model
        at_rest = all(map(model.at_rest, range(len(self.locations)), self.locations, repeat(self.values)))
        return at_rest and (model._rests_anyway or not self.enabled)

    @property
    def deadlocked(self) -> bool:
        """True when nothing shared can ever change again although a process has not ended.

        No process can take a step, or those who can go round in loops that only look.
        """
        return not self.finished and all(
            state.values == self.values and not state.finished for state in self._reachable_unchanged()
        )

    def _reachable_unchanged(self) -> Iterator["State"]:
        """Yield states that can be reached, depth first, until one has other values or is an end."""
        seen, found = {self.locations}, [self]
        while found:
            state = found.pop()
            for process in state.enabled:
                after = state.step(process).state
                yield after
                if after.locations not in seen:
                    seen.add(after.locations)
                    found.append(after)

    @property
    def outcome(self) -> Hashable:
        """The scenario's outcome when every process has ended (`Crashed` where one raised); None before that."""
        if not self.finished:
            return None
        return self.model.crash([location.error for location in self.locations]) or self.model.outcome(self.shared)

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The processes that have not ended and cannot take a step, and why."""
        blocked = [number for number, at in enumerate(self.locations) if not at.ended and not self._move(number)]
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

        Raises ValueError if it cannot, and says why; TypeError or ValueError for what is not its number.
        """
        return self.take(validate.whole_number("process", process, 0, len(self.locations) - 1))

    def take(self, process: int) -> Step:
        """Do as `step` does, for a number that is known to be one of a process."""
        move = self._move(process)
        if move is None:
            raise ValueError(self._refusal(process))
        model = self.model
        violated = self.violated or not model.is_well(move.values)
        locations = (*self.locations[:process], move.location, *self.locations[process + 1 :])
        saw = tuple(model.text(*done) for done in move.done)
        after = State(model, move.values, locations, violated)
        label = model.label(move.note, move.done, move.location.error)
        return Step(process, label, move.done, saw, self.locations[process].source, after)

    def _move(self, process: int) -> Move | None:
        return self.model.move(process, self.locations[process], self.values)

    def _waiting(self, process: int) -> Waiting:
        access = self.locations[process].access
        if access is None:
            return Waiting(process, "", "nothing: it goes round in a loop", ())
        semantics = self.model.semantics[access.slot]
        holders = tuple(holder for holder in semantics.holders(self.values[access.slot]) if holder != process)
        return Waiting(process, semantics.name, semantics.waits_for(access.verb), holders)

    def _refusal(self, process: int) -> str:
        name = self.model.names[process]
        if self.locations[process].ended:
            return f"{name} has ended and cannot take another step"
        wait = self._waiting(process)
        held = " and ".join(self.model.names[holder] for holder in wait.held_by)
        return f"{name} cannot take a step: it waits for {wait.for_what}" + (f", held by {held}" if held else "")


def _checked_workers(workers: Any) -> list[tuple[Worker, tuple]]:
    allowed = "a list of (worker, tuple of arguments)"
    if not isinstance(workers, list) or not workers:
        validate.refuse(TypeError, "what a scenario returns", allowed, workers)
    for entry in workers:
        if isinstance(entry, tuple) and entry and not inspect.isfunction(entry[0]):
            validate.refuse(TypeError, "worker", "a generator function (it yields after each step)", entry[0])
        if not (isinstance(entry, tuple) and len(entry) == 2 and callable(entry[0]) and isinstance(entry[1], tuple)):
            validate.refuse(TypeError, "each entry that a scenario returns", "(worker, tuple of arguments)", entry)
    return workers


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple((key, _frozen(item)) for key, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
