"""Samples of the schedules of a scenario that has too many states to explore: in the model, by chance, from a seed."""

import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from helpers import validate
from helpers.scheduling.model.exploration import A_PREDICATE, Predicate
from helpers.scheduling.model.model import Model, State
from helpers.scheduling.program.scenario import Build, Scenario

MAX_WALK = 10_000  # steps
MAX_RUNS = MAX_STEPS = 1_000_000
MAX_SEED = 2**64 - 1

Choose = Callable[[int, State], int]  # number of the step, state -> process that takes it


@dataclass(frozen=True)
class Walks:
    """What came of schedules that were chosen by chance, in the model.

    Who goes first is decided by the rule of the walk, so that a share of these schedules says nothing about how often
    something happens on a machine, unlike a share of a `helpers.scheduling.real.free_runs.Sample`: there is none here.
    A walk may also be given up.
    """

    runs: int
    outcomes: dict[Hashable, int]  # how many schedules ended with each outcome
    deadlocks: int
    violations: int
    unfinished: int  # how many were given up after `longest` steps
    found: list[int] | None  # the shortest schedule seen to a state for which `until` holds


def random_walks(
    scenario: Scenario | Build,
    runs: int,
    seed: int = 0,
    until: Predicate | None = None,
    grain: str = "step",
    longest: int = MAX_WALK,
) -> Walks:
    """Walk through a scenario `runs` times: at each step each process that can take one is equally likely to be next.

    `until` is a predicate such as `deadlock`; the shortest way seen to a state for which it holds is kept in `found`.

    Raises TypeError or ValueError for what is no scenario, no number in its range, or no test of a state; CannotExplore
    for a worker that does not do the same every time.
    """
    _check(runs, seed, until, longest)
    rng = random.Random(seed)
    return _walks(Model(scenario, grain), runs, lambda: lambda _, state: rng.choice(state.enabled), until, longest)


def pct(
    scenario: Scenario | Build,
    runs: int,
    depth: int = 2,
    seed: int = 0,
    until: Predicate | None = None,
    grain: str = "step",
    longest: int = MAX_WALK,
) -> Walks:
    """Walk through a scenario `runs` times by probabilistic concurrency testing; else like `random_walks`.

    Each process gets a random priority, and of those that can take a step the highest does. At depth - 1 random
    steps the process that was to take it falls below all others. With n processes and k steps, a bug that takes
    `depth` events in a certain order is hit by each run with probability at least 1 / (n * k ** (depth - 1))
    (Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding bugs, ASPLOS 2010). The length
    of one walk that favours the first process serves as k.

    Raises as `random_walks`, and ValueError for a depth below 1.
    """
    _check(runs, seed, until, longest)
    validate.whole_number("depth", depth, 1, MAX_STEPS)
    model, rng = Model(scenario, grain), random.Random(seed)
    length = sum(1 for _ in _walk(model, lambda _, state: state.enabled[0], longest))
    return _walks(model, runs, lambda: _by_priority(len(model.names), rng, depth, length), until, longest)


def _check(runs: int, seed: int, until: Predicate | None, longest: int) -> None:
    validate.whole_number("runs", runs, 1, MAX_RUNS)
    validate.whole_number("seed", seed, 0, MAX_SEED)
    validate.whole_number("longest", longest, 1, MAX_STEPS)
    if until is not None:
        validate.function("until", until, f"{A_PREDICATE}, or None", 1)


def _by_priority(processes: int, rng: random.Random, depth: int, length: int) -> Choose:
    """Return the scheduler of one walk, with priorities and steps of change of its own."""
    priorities = [depth + rank for rank in rng.sample(range(processes), processes)]
    changes = rng.sample(range(length), min(depth - 1, length))
    low_priorities = dict(zip(changes, range(1, depth), strict=False))

    def choose(step: int, state: State) -> int:
        highest = max(state.enabled, key=priorities.__getitem__)
        if step in low_priorities:
            priorities[highest] = low_priorities[step]
        return max(state.enabled, key=priorities.__getitem__)

    return choose


def _walks(model: Model, runs: int, scheduler: Callable[[], Choose], until: Predicate | None, longest: int) -> Walks:
    ends: list[State] = []
    found: list[int] | None = [] if until and until(model.start) else None
    for _ in range(runs):
        schedule: list[int] = []
        state = model.start
        for process, state in _walk(model, scheduler(), longest):
            schedule.append(process)
            if until and until(state) and (found is None or len(schedule) < len(found)):
                found = list(schedule)
        ends.append(state)
    outcomes = Counter(state.outcome for state in ends if state.finished)
    return Walks(
        runs,
        dict(outcomes.most_common()),
        deadlocks=sum(state.deadlocked for state in ends),
        violations=sum(state.violated for state in ends),
        unfinished=sum(bool(state.enabled) and not state.deadlocked for state in ends),
        found=found,
    )


def _walk(model: Model, choose: Choose, longest: int) -> Iterator[tuple[int, State]]:
    """Yield each process that takes a step, and the state after it."""
    state = model.start
    for step in range(longest):
        if not state.enabled:
            return
        process = choose(step, state)
        state = state.take(process).state
        yield process, state
