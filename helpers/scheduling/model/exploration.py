"""Every schedule of a scenario at once: its state graph, with equal states merged, and what can be counted on it.

A schedule is the list of process numbers in the order of their steps, up to where no process can take another one.
All counts are exact. They grow like factorials, the work only with the number of states.
"""

import math
from array import array
from collections.abc import Callable, Hashable, Iterator
from fractions import Fraction
from functools import cached_property

from helpers import validate
from helpers.scheduling.model.model import Model, State, Step
from helpers.scheduling.model.worker_graph import CannotExplore, Location
from helpers.scheduling.program.scenario import Build, Scenario

MAX_STATES = 1_000_000
MODELS = ("uniform", "coin")

Count = int | float  # an exact number; math.inf where a loop gives infinitely many schedules
Predicate = Callable[[State], bool]

A_PREDICATE = "a test of a state, such as deadlock"  # for errors that say what is needed
_NONE = -1
_HARDLY_ANY = 1e-12
_MAX_ROUNDS = 10_000


def explore(scenario: Scenario | Build, grain: str = "step", max_states: int = MAX_STATES) -> "Exploration":
    """Return the state graph of a scenario (a `Scenario`, or a function that builds one).

    A step goes from yield to yield, or with grain "access" to the next access of a shared object.

    Raises CannotExplore for more than `max_states` states, or a worker that does not do the same every time;
    TypeError or ValueError for what is not a scenario.
    """
    validate.whole_number("max_states", max_states, 1, 100 * MAX_STATES)
    return Exploration(Model(scenario, grain), max_states)


def deadlock(state: State) -> bool:
    """Tell whether the processes wait for ever: for `Exploration.shortest`. Raises TypeError for what is no state."""
    return _checked(state).deadlocked


def violation(state: State) -> bool:
    """Tell whether the invariant was violated: for `Exploration.shortest`. Raises TypeError for what is no state."""
    return _checked(state).violated


def ends_with(outcome: Hashable) -> Predicate:
    """Return a test for the states in which a scenario has ended with this outcome: for `Exploration.shortest`.

    Raises TypeError for what is not hashable.
    """
    validate.hashable("outcome", outcome, "an outcome")
    return lambda state: state.finished and state.outcome == outcome


def as_predicate(name: str, wanted: Hashable | Predicate) -> Predicate:
    """Return the test of a state that is meant by a test, or by an outcome; TypeError for what is neither."""
    if callable(wanted):
        return validate.function(name, wanted, f"an outcome or {A_PREDICATE}", 1)
    validate.hashable(name, wanted, "an outcome")
    return ends_with(wanted)


def _checked(state: State) -> State:
    return validate.instance("state", state, State, "a state of an exploration")


class Exploration:
    """All states of a scenario. A state has a number, in order of distance from the start, which is 0."""

    def __init__(self, model: Model, max_states: int) -> None:
        self.model = model
        self._shared: list[tuple[tuple, bool]] = []  # distinct (values, violated)
        self._shared_numbers: dict[tuple[tuple, bool], int] = {}
        self._states: list[tuple] = []  # (number of the shared values, location of each process)
        self._targets = array("q")  # for each state and process the state after its step, _NONE where there is none
        self._parents = array("q", [_NONE])
        self._build(max_states)

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self._states)

    def __getitem__(self, number: int) -> State:
        """Return the state of this number; TypeError or ValueError for a number that no state has."""
        return self._state(self._checked_number(number))

    def __iter__(self) -> Iterator[State]:
        """Return an iterator over all states."""
        return map(self._state, range(len(self)))

    def _checked_number(self, number: int) -> int:
        return validate.whole_number("number", number, 0, len(self) - 1)

    def _state(self, number: int) -> State:
        shared, *locations = self._states[number]
        values, violated = self._shared[shared]
        return State(self.model, values, tuple(locations), violated)

    def _build(self, max_states: int) -> None:
        start = self.model.start
        first = (self._share(start.values, start.violated), *start.locations)
        numbers = {first: 0}
        states = self._states
        states.append(first)
        known_moves: list[dict] = [{} for _ in start.locations]
        for number, state in enumerate(states):
            for process, moves in enumerate(known_moves, start=1):
                key = state[process], state[0]
                if key in moves:
                    move = moves[key]
                else:
                    move = moves[key] = self._move(process - 1, *key)
                if move is None:
                    self._targets.append(_NONE)
                    continue
                after = (move[1], *state[1:process], move[0], *state[process + 1 :])
                target = numbers.setdefault(after, len(states))
                if target == len(states):
                    states.append(after)
                    self._parents.append(number)
                self._targets.append(target)
            if len(states) > max_states:
                raise CannotExplore(self._too_many(max_states, number))

    def _move(self, process: int, location: Location, shared: int) -> tuple[Location, int] | None:
        values, violated = self._shared[shared]
        move = self.model.move(process, location, values)
        if move is None:
            return None
        if move.values == values:
            return move.location, shared
        return move.location, self._share(move.values, violated or not self.model.is_well(move.values))

    def _share(self, values: tuple, violated: bool) -> int:
        number = self._shared_numbers.setdefault((values, violated), len(self._shared))
        if number == len(self._shared):
            self._shared.append((values, violated))
        return number

    def _too_many(self, max_states: int, number: int) -> str:
        return (
            f"{self.model.scenario.name} has more than max_states={max_states:,} states, and after "
            f"{len(self._path(number))} steps there are still new ones. Make it smaller or give more max_states; "
            "or take samples of its schedules: random_walks(scenario, runs) or pct(scenario, runs)."
        )

    def successors(self, number: int) -> list[int | None]:
        """Return for each process the number of the state after its step, None where it cannot take one.

        Raises TypeError or ValueError for a number that no state has.
        """
        return self._after(self._checked_number(number))

    def _after(self, number: int) -> list[int | None]:
        n = len(self.model.names)
        return [None if target == _NONE else target for target in self._targets[number * n : (number + 1) * n]]

    @cached_property
    def _edges(self) -> list[list[int]]:
        n, targets = len(self.model.names), self._targets
        return [[target for target in targets[at : at + n] if target != _NONE] for at in range(0, len(targets), n)]

    @cached_property
    def _order(self) -> list[int]:
        """The states in an order in which each comes after all that lead to it; without those behind a loop."""
        edges = self._edges
        missing = [0] * len(edges)
        for targets in edges:
            for target in targets:
                missing[target] += 1
        ready = [0] if missing[0] == 0 else []
        for number in ready:
            for target in edges[number]:
                missing[target] -= 1
                if not missing[target]:
                    ready.append(target)
        return ready

    @cached_property
    def _paths(self) -> list[Count]:
        """For each state the number of ways from the start to it."""
        paths: list[Count] = [math.inf] * len(self)
        for number in self._order:
            paths[number] = 0
        paths[0] = 1 if self._order else math.inf
        edges = self._edges
        for number in self._order:
            for target in edges[number]:
                paths[target] += paths[number]
        return paths

    @cached_property
    def _ends(self) -> list[int]:
        return [number for number, targets in enumerate(self._edges) if not targets]

    @cached_property
    def schedules(self) -> Count:
        """How many complete schedules there are, those that end in a deadlock included."""
        return sum(self._paths[number] for number in self._ends)

    @cached_property
    def outcomes(self) -> dict[Hashable, Count]:
        """How many schedules end with each outcome; schedules that end in a deadlock have none."""
        counts: dict[Hashable, Count] = {}
        for number in self._ends:
            state = self._state(number)
            if state.finished:
                counts[state.outcome] = counts.get(state.outcome, 0) + self._paths[number]
        return counts

    @cached_property
    def deadlocks(self) -> Count:
        """How many schedules end in a deadlock."""
        return sum(self._paths[number] for number in self._ends if not self._state(number).finished)

    @cached_property
    def violations(self) -> Count:
        """How many schedules violate the invariant at some time."""
        return sum(self._paths[number] for number in self._ends if self._state(number).violated)

    def probability(self, outcome: Hashable | Predicate, model: str = "uniform") -> Fraction | float:
        """Return the probability of an outcome, or of an end for which a predicate such as `deadlock` holds.

        model "uniform": all schedules are equally likely. model "coin": at each step each process that can take one
        is equally likely to be next. The result is an exact Fraction, save for "coin" in a graph with loops: a float
        that is good to 12 digits.

        Raises TypeError for what is neither an outcome nor a test of a state, ValueError for another model, or for
        "uniform" where there are infinitely many schedules.
        """
        validate.one_of("model", model, MODELS)
        wanted = as_predicate("outcome", outcome)
        ends = [number for number in self._ends if wanted(self._state(number))]
        if model == "coin":
            return sum((self._coin_probabilities[number] for number in ends), start=Fraction(0))
        if self.schedules in (0, math.inf):
            number = "no schedule comes to an end" if self.schedules == 0 else "there are infinitely many schedules"
            raise ValueError(f'model must be "coin" here: {number}')
        return Fraction(sum(self._paths[number] for number in ends), self.schedules)

    @cached_property
    def _coin_probabilities(self) -> list[Fraction | float]:
        """For each state the probability that a coin-tossing scheduler comes to it (for ends: that it ends there)."""
        if len(self._order) < len(self):
            return self._limits()
        probabilities = [Fraction(0)] * len(self)
        probabilities[0] = Fraction(1)
        for number in self._order:
            if targets := self._edges[number]:
                share = probabilities[number] / len(targets)
                for target in targets:
                    probabilities[target] += share
        return probabilities

    def _limits(self) -> list[float]:
        # follows the probability step by step until hardly any is left on the way to an end
        arrived = [0.0] * len(self)
        moving = {0: 1.0}
        for _ in range(_MAX_ROUNDS):
            following: dict[int, float] = {}
            for number, probability in moving.items():
                targets = self._edges[number]
                if not targets:
                    arrived[number] += probability
                for target in targets:
                    if target in self._can_finish:
                        following[target] = following.get(target, 0.0) + probability / len(targets)
            moving = following
            if sum(moving.values()) < _HARDLY_ANY:
                return arrived
        raise CannotExplore(
            f"After {_MAX_ROUNDS:,} steps a coin-tossing scheduler has still not come to an end; "
            "take samples instead: random_walks(scenario, runs)."
        )

    @cached_property
    def _can_finish(self) -> set[int]:
        """The states from which an end can be reached."""
        origins: list[list[int]] = [[] for _ in self._edges]
        for number, targets in enumerate(self._edges):
            for target in targets:
                origins[target].append(number)
        found_before, found = set(self._ends), list(self._ends)
        for number in found:
            for origin in origins[number]:
                if origin not in found_before:
                    found_before.add(origin)
                    found.append(origin)
        return found_before

    @cached_property
    def livelocked_states(self) -> int:
        """How many states there are from which the processes run for ever, with no end and no deadlock in reach."""
        return len(self) - len(self._can_finish)

    def shortest(self, predicate: Predicate) -> list[int] | None:
        """Return the shortest schedule to a state for which the predicate holds, as process numbers.

        Ready-made predicates: `deadlock`, `violation`, `ends_with(outcome)`. None is a proof that no schedule gets
        there. Raises TypeError for what is no function of a state.
        """
        validate.function("predicate", predicate, A_PREDICATE, 1)
        found = (number for number in range(len(self)) if predicate(self._state(number)))
        number = next(found, None)
        return None if number is None else self._path(number)

    def _path(self, number: int) -> list[int]:
        schedule = []
        while number:
            parent = self._parents[number]
            schedule.append(self._after(parent).index(number))
            number = parent
        return schedule[::-1]

    def follow(self, schedule: list[int]) -> list[Step]:
        """Return the steps of a schedule, complete or not, as the model takes them.

        Raises ValueError for a step that is not possible, and says why.
        """
        return self.model.follow(schedule)

    def each_schedule(self) -> Iterator[list[int]]:
        """Return an iterator over every complete schedule, in lexical order; there may be very many.

        Raises ValueError where schedules go round in a loop, so that they cannot be listed.
        """
        if len(self._order) < len(self):
            raise ValueError(f"{self.model.scenario.name} has schedules without end; they cannot be listed")
        return self._listed()

    def _listed(self) -> Iterator[list[int]]:
        schedule: list[int] = []
        untried = [self._ways(0)]
        if not self._edges[0]:
            yield []
        while untried:
            way = next(untried[-1], None)
            if way is None:
                untried.pop()
                del schedule[-1:]
                continue
            process, after = way
            schedule.append(process)
            untried.append(self._ways(after))
            if not self._edges[after]:
                yield list(schedule)

    def _ways(self, number: int) -> Iterator[tuple[int, int]]:
        return ((process, after) for process, after in enumerate(self._after(number)) if after is not None)
