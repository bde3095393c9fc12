"""A scenario on real processes, free and at full speed, many times: how often each outcome came."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.scheduling.model.model import Model
from helpers.scheduling.program.scenario import Build, Scenario
from helpers.scheduling.real.worker_pool import WorkerPool, known_graphs, pool_for

MAX_RUNS = 1_000_000


@dataclass(frozen=True)
class Sample:
    """What free runs of a scenario on real processes came to.

    Who goes first is decided by the machine, so that a share of the runs says how often it happens there. A deadlocked
    run has no outcome, unlike a run of `helpers.measuring.repeats.Repeats`.
    """

    runs: int
    outcomes: dict[Hashable, int]  # how many runs ended with each outcome, most first
    deadlocks: int  # how many runs came to a deadlock
    # how many runs ended with values that break the invariant: nobody can look at them while a run is going on, so what
    # broke it on the way and was well again at the end is not seen; 0 where there is no invariant
    violations: int = 0

    def frequency(self, outcome: Hashable) -> Proportion:
        """Return how often an outcome was seen, 0 times included; TypeError for what is not hashable."""
        validate.hashable("outcome", outcome, "an outcome")
        return Proportion(self.outcomes.get(outcome, 0), self.runs)

    @property
    def frequencies(self) -> dict[Hashable, Proportion]:
        """How often each outcome was seen."""
        return {outcome: self.frequency(outcome) for outcome in self.outcomes}


def sample(scenario: Scenario | Build, runs: int, method: str = "spawn", deadline: float = 30.0) -> Sample:
    """Run a scenario `runs` times on real processes, which start together and go as fast as they can.

    A run in which all wait for one another is ended as soon as that is certain, and counts as a deadlock. The invariant
    is asked of the values at the end of each run, and cannot be asked on the way. The processes end with the call, or
    with the `keep_workers` block around it.

    Raises ValueError or TypeError for an unknown start method, less than one run, or a worker that other processes
    cannot import; WorkerRaised for an error that the scenario does not declare; ProcessesFailed (see
    `helpers.supervision.supervisor`) after `deadline` seconds, within a `keep_workers` block too, which then goes on.
    """
    validate.whole_number("runs", runs, 1, MAX_RUNS)
    validate.start_method(method)
    model = Model(scenario, known=known_graphs())
    with pool_for(model, method, deadline) as pool:
        ends = Counter(_run(model, pool) for _ in range(runs))
    outcomes: Counter[Hashable] = Counter()
    for end, count in ends.items():
        if not end.is_deadlock:
            outcomes[end.outcome] += count
    deadlocks = sum(count for end, count in ends.items() if end.is_deadlock)
    violations = sum(count for end, count in ends.items() if end.is_violation)
    return Sample(runs, dict(outcomes.most_common()), deadlocks, violations)


class _End(NamedTuple):
    """How one run ended."""

    outcome: Hashable
    is_violation: bool
    is_deadlock: bool


def _run(model: Model, pool: WorkerPool) -> _End:
    pool.reset()
    ends, is_deadlocked = pool.run_free(model)
    for process, (error, kinds) in enumerate(ends):
        model.check_declared(process, error, kinds)
    shared = {real.semantics.name: real.view() for real in pool.objects}
    is_violation = model.scenario.invariant is not None and not model.scenario.invariant(shared)
    errors = [error for error, _ in ends] + [""] * len(model.parties)
    outcome = None if is_deadlocked else model.crash(errors) or model.outcome(shared)
    return _End(outcome, is_violation, is_deadlocked)
