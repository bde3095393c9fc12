"""A scenario on real processes, free and at full speed, many times: how often each outcome came."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.scheduling.model.model import Model
from helpers.scheduling.program.scenario import Build, Scenario
from helpers.scheduling.real.worker_pool import WorkerPool, known_graphs, pool_cache

MAX_RUNS = 1_000_000


@dataclass(frozen=True)
class Sample:
    """What free runs of a scenario on real processes came to."""

    runs: int
    outcomes: dict[Hashable, int]  # how many runs ended with each outcome, most first
    deadlocks: int  # how many runs came to a deadlock

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

    A run in which all wait for one another is ended as soon as that is certain, and counts as a deadlock. The
    processes end with the call, or with the `keep_workers` block around it.

    Raises ValueError or TypeError for an unknown start method, less than one run, or a worker that other processes
    cannot import; ProcessesFailed (see `helpers.supervision.supervisor`) after `deadline` seconds, or those of the
    `keep_workers` block around it.
    """
    validate.whole_number("runs", runs, 1, MAX_RUNS)
    validate.start_method(method)
    model = Model(scenario, known=known_graphs())
    with pool_cache(deadline) as cache, cache.pool(model, method) as pool:
        ends = Counter(_run(model, pool) for _ in range(runs))
    deadlocks = ends.pop(_DEADLOCK, 0)
    return Sample(runs, dict(ends.most_common()), deadlocks)


_DEADLOCK = object()


def _run(model: Model, pool: WorkerPool) -> Hashable:
    pool.reset()
    errors, is_deadlocked = pool.run_free(model)
    if is_deadlocked:
        return _DEADLOCK
    shared = {real.semantics.name: real.view() for real in pool.objects}
    return model.crash(errors) or model.outcome(shared)
