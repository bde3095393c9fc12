"""Every schedule of a scenario at once: its state graph, with equal states merged, and what can be counted on it.

A schedule is the list of process numbers in the order of their steps, up to where nothing shared can change any more.
All counts are exact. They grow like factorials, the work only with the number of states.
"""

import math
from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from helpers import validate
from helpers.gc_pause import gc_paused
from helpers.scheduling.model.components import components
from helpers.scheduling.model.local_state import CannotExplore
from helpers.scheduling.model.model import Model, State, Step
from helpers.scheduling.model.state_store import NONE, Full, Progress, StateStore
from helpers.scheduling.program.scenario import Build, Scenario

MAX_STATES = 2**31 - 1
MAX_MEMORY = 2_000_000_000  # bytes
MIN_MEMORY = 1_000_000
MODELS = ("uniform", "coin")

Count = int | float  # an exact number; math.inf where a loop gives infinitely many schedules
Touches = tuple[frozenset[int], frozenset[int]]  # the shared objects that a step looks at, and those it may change
Predicate = Callable[[State], bool]
A_PREDICATE = "a test of a state, such as deadlock"  # for errors that say what is needed

_HARDLY_ANY = 1e-12
_MAX_ROUNDS = 10_000
_REPORT_EVERY = 0.2  # seconds


def explore(
    scenario: Scenario | Build,
    grain: str = "step",
    max_states: int | None = None,
    max_memory: int = MAX_MEMORY,
    progress: Callable[[Progress], None] | None = None,
) -> "Exploration":
    """Return the state graph of a scenario (a `Scenario`, or a function that builds one).

    A step goes from yield to yield, or with grain "access" to the next access of a shared object. `max_memory` is in
    bytes, for the states and steps alone. `progress` is called a few times a second, and at the end.

    Raises CannotExplore for more than `max_states` states or than fit into `max_memory`, or a worker that does not do
    the same every time, that fails in a way that its scenario does not declare, or that computes for ever without a
    yield; TypeError or ValueError for what is not a scenario.
    """
    if max_states is not None:
        validate.whole_number("max_states", max_states, 1, MAX_STATES)
    validate.whole_number("max_memory", max_memory, MIN_MEMORY, 2**63)
    if progress is not None:
        validate.function("progress", progress, "a function of a Progress, or None", 1)
    return Exploration(Model(scenario, grain), max_states, max_memory, progress)


def deadlock(state: State) -> bool:
    """Tell whether the processes wait for ever: for `Exploration.shortest`. Raises TypeError for what is no state."""
    return _checked(state).deadlocked


def violation(state: State) -> bool:
    """Tell whether the invariant was violated: for `Exploration.shortest`. Raises TypeError for what is no state."""
    return _checked(state).violated


@dataclass(frozen=True)
class EndsWith:
    """A test for the states in which a scenario has ended with an outcome."""

    wanted: Hashable

    def __call__(self, state: State) -> bool:
        """Tell whether the scenario has ended so."""
        return _checked(state).finished and state.outcome == self.wanted


def ends_with(outcome: Hashable) -> EndsWith:
    """Return a test for the states in which a scenario has ended with this outcome: for `Exploration.shortest`.

    Raises TypeError for what is not hashable.
    """
    validate.hashable("outcome", outcome, "an outcome")
    return EndsWith(outcome)


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

    def __init__(
        self,
        model: Model,
        max_states: int | None = None,
        max_memory: int = MAX_MEMORY,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.model = model
        self._store = StateStore(model)
        try:
            # very many objects are made, and none of them in a circle
            with gc_paused():
                self._store.grow(max_states, max_memory, progress, _REPORT_EVERY)
        except Full:
            raise CannotExplore(self._too_many(max_states, max_memory)) from None

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self._store.states)

    def __getitem__(self, number: int) -> State:
        """Return the state of this number; TypeError or ValueError for a number that no state has."""
        return self._state(self._checked_number(number))

    def __iter__(self) -> Iterator[State]:
        """Return an iterator over all states."""
        return map(self._state, range(len(self)))

    def _checked_number(self, number: int) -> int:
        return validate.whole_number("number", number, 0, len(self) - 1)

    def _state(self, number: int) -> State:
        locations, values, violated = self._store.read(self._store.states[number])
        return State(self.model, values, locations, violated)

    def _too_many(self, max_states: int | None, max_memory: int) -> str:
        store = self._store
        explored = len(store.targets) // store.columns
        is_memory = max_states is None or len(self) <= max_states
        limit = f"states than fit into max_memory={max_memory:,} bytes" if is_memory else f"than {max_states=:,} states"
        more = "max_memory" if is_memory else "max_states"
        return (
            f"{self.model.scenario.name} has more {limit}: {len(self):,} were found, and after "
            f"{len(self._path(max(0, explored - 1)))} steps there are still new ones. Make it smaller or give more "
            f"{more}; or take samples of its schedules: random_walks(scenario, runs) or pct(scenario, runs)."
        )

    def successors(self, number: int) -> list[int | None]:
        """Return for each process the number of the state after its step, None where it cannot take one.

        Where nothing shared can change any more there are none, although processes may go round in loops.
        Raises TypeError or ValueError for a number that no state has.
        """
        return self._after(self._checked_number(number))

    def _after(self, number: int) -> list[int | None]:
        n = self._store.columns
        if number in self._stuck:
            return [None] * n
        return [None if target == NONE else target for target in self._store.targets[number * n : (number + 1) * n]]

    def _following(self, number: int) -> list[int]:
        n = self._store.columns
        if number in self._stuck:
            return []
        return [target for target in self._store.targets[number * n : (number + 1) * n] if target != NONE]

    @property
    def bytes(self) -> int:
        """How much memory the states and the steps between them take, about."""
        return self._store.bytes

    @property
    def has_no_loops(self) -> bool:
        """True when every step leads further from the start, so that each schedule comes to an end."""
        return self._store.goes_forward

    def schedule_to(self, number: int) -> list[int]:
        """Return the shortest schedule to a state; TypeError or ValueError for a number that no state has."""
        return self._path(self._checked_number(number))

    @cached_property
    def distinct_orders(self) -> Count:
        """How many schedules there are when those are counted once that differ only in the order of independent steps.

        Two steps of different processes are independent if neither changes a shared object that the other one looks at.
        Schedules that become equal by swapping such neighbours are one and the same partial order (Mazurkiewicz 1977):
        they have the same outcome. Of each the first in lexical order is counted, by sleep sets (Godefroid 1996).
        """
        count = self._count_orders(math.inf)
        assert count is not None, "there is no limit"
        return count

    def distinct_orders_within(self, cases: int) -> Count | None:
        """Return `distinct_orders`, or None if more than `cases` states with their sleep sets must be looked at.

        Raises TypeError or ValueError for what is no number of cases from 1 to 10**9.
        """
        return self._count_orders(validate.whole_number("cases", cases, 1, 10**9))

    def _count_orders(self, cases: float) -> Count | None:
        if self.schedules == math.inf:
            return math.inf
        counts: dict[tuple[int, frozenset[int]], int] = {}
        todo: list[tuple[int, frozenset[int]]] = [(0, frozenset())]
        while todo:
            if len(counts) >= cases:
                return None
            number, asleep = key = todo[-1]
            # what never ends is no schedule, and may be a loop
            ways = [after for after in self._awake(number, asleep) if self._may_finish(after[0])]
            missing = [after for after in ways if after not in counts]
            if missing:
                todo += missing
                continue
            todo.pop()
            is_end = not self._following(number)
            counts[key] = 1 if is_end else sum(counts[after] for after in ways)
        return counts[0, frozenset()]

    def _may_finish(self, number: int) -> bool:
        return self._store.goes_forward or number in self._can_finish

    def _awake(self, number: int, asleep: frozenset[int]) -> Iterator[tuple[int, frozenset[int]]]:
        """Yield the states after the steps that need to be taken here, each with who need not go next there."""
        tried = set(asleep)
        for process, after in self._ways(number):
            if process not in asleep:
                yield after, frozenset(other for other in tried if self._are_independent(number, process, other))
                tried.add(process)

    def _are_independent(self, number: int, one: int, other: int) -> bool:
        (looked, changed), (others_looked, others_changed) = (
            self._touched(number, process) for process in (one, other)
        )
        return not (changed & (others_looked | others_changed) or others_changed & looked)

    def touches(self, number: int) -> list[Touches | None]:
        """Return for each process which shared objects its step looks at in a state, and which of them it may change.

        None where it cannot take one. Objects are numbered from 0 in the order of their declaration. Raises TypeError
        or ValueError for a number that no state has.
        """
        return [
            None if after is None else self._touched(number, process)
            for process, after in enumerate(self.successors(number))
        ]

    def _touched(self, number: int, process: int) -> Touches:
        key = process, *self._store.depends_on(process, self._store.states[number])
        if key not in self._known_touches:
            state = self._state(number)
            move, slots = self.model.look(process, state.locations[process], state.values)
            assert move is not None, "only steps that can be taken are asked for"
            changed = frozenset(access.slot for access, _ in move.done if not self.model.only_looks(access))
            self._known_touches[key] = slots | changed, changed
        return self._known_touches[key]

    @cached_property
    def _known_touches(self) -> dict[tuple, Touches]:
        return {}

    @cached_property
    def _stuck(self) -> set[int]:
        """The states in which processes go round in loops for ever, and nothing shared can change any more."""
        if self._store.goes_forward:
            return set()
        n, targets, stuck = self._store.columns, self._store.targets, set()

        def following(number: int) -> list[int]:
            return [target for target in targets[number * n : (number + 1) * n] if target != NONE]

        for loop in components([0], following):
            inside = set(loop)
            if len(loop) > 1 and all(target in inside for number in loop for target in following(number)):
                values = {self._store.read(self._store.states[number])[1] for number in loop}
                if len(values) == 1:
                    stuck |= inside
        return stuck

    @cached_property
    def _order(self) -> Sequence[int]:
        """The states in an order in which each comes after all that lead to it; without those behind a loop."""
        if self._store.goes_forward:
            return range(len(self))
        missing = array("i", bytes(4 * len(self)))
        for number in range(len(self)):
            for target in self._following(number):
                missing[target] += 1
        # where loops are cut, the rest of a loop cannot be reached
        ready = [number for number in {0, *self._stuck} if not missing[number]]
        for number in ready:
            for target in self._following(number):
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
        paths[0] = 1 if paths[0] == 0 else math.inf
        for number in self._order:
            for target in self._following(number):
                paths[target] += paths[number]
        return paths

    @cached_property
    def _ends(self) -> list[int]:
        n, targets = self._store.columns, self._store.targets
        nothing = array("i", [NONE] * n)
        return [
            number
            for number in range(len(self))
            if targets[number * n : (number + 1) * n] == nothing or number in self._stuck
        ]

    @cached_property
    def _deadlocks(self) -> list[int]:
        return [number for number in self._ends if number in self._stuck or not self._state(number).finished]

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
        return sum(self._paths[number] for number in self._deadlocks)

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
        # whole numbers, since they are finite
        return Fraction(int(sum(self._paths[number] for number in ends)), int(self.schedules))

    @cached_property
    def _coin_probabilities(self) -> Sequence[Fraction | float]:
        """For each state the probability that a coin-tossing scheduler comes to it (for ends: that it ends there)."""
        if len(self._order) < len(self):
            return self._limits()
        probabilities = [Fraction(0)] * len(self)
        probabilities[0] = Fraction(1)
        for number in self._order:
            if targets := self._following(number):
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
                targets = self._following(number)
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
        origins: list[list[int]] = [[] for _ in range(len(self))]
        for number in range(len(self)):
            for target in self._following(number):
                origins[target].append(number)
        finishing, found = set(self._ends), list(self._ends)
        for number in found:
            for origin in origins[number]:
                if origin not in finishing:
                    finishing.add(origin)
                    found.append(origin)
        return finishing

    @cached_property
    def livelocked_states(self) -> int:
        """How many states there are from which the processes run for ever, with no end and no deadlock in reach."""
        return 0 if self._store.goes_forward else len(self) - len(self._can_finish)

    def shortest(self, predicate: Predicate) -> list[int] | None:
        """Return the shortest schedule to a state for which the predicate holds, as process numbers.

        Ready-made predicates: `deadlock`, `violation`, `ends_with(outcome)`. None is a proof that no schedule gets
        there. Raises TypeError for what is no function of a state.
        """
        validate.function("predicate", predicate, A_PREDICATE, 1)
        number = next((number for number in self._candidates(predicate) if predicate(self._state(number))), None)
        return None if number is None else self._path(number)

    def _candidates(self, predicate: Predicate) -> Iterator[int]:
        """Return the numbers of the states for which a ready-made predicate may hold; all for any other one."""
        if predicate is deadlock:
            return iter(self._deadlocks)
        if predicate is violation:
            return (number for number, state in enumerate(self._store.states) if state & 1)
        return iter(self._ends if isinstance(predicate, EndsWith) else range(len(self)))

    def _path(self, number: int) -> list[int]:
        schedule, (n, targets, parents) = [], (self._store.columns, self._store.targets, self._store.parents)
        while number:
            parent = parents[number]
            schedule.append(targets[parent * n : (parent + 1) * n].index(number))
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
        if not self._following(0):
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
            if not self._following(after):
                yield list(schedule)

    def _ways(self, number: int) -> Iterator[tuple[int, int]]:
        return ((process, after) for process, after in enumerate(self._after(number)) if after is not None)
