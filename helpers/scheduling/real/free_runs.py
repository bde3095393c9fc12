"""A scenario on real processes, free and at full speed, many times: how often each outcome came."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from helpers import validate
from helpers.measuring.repeats import wilson
from helpers.scheduling.model.model import Model
from helpers.scheduling.program.scenario import Build, Scenario
from helpers.scheduling.real.worker_pool import Crew, company_for

MOST_RUNS = 1_000_000


@dataclass(frozen=True)
class Frequency:
    """How often something was seen, with the 95 % interval in which its probability lies."""

    count: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Sample:
    """What free runs of a scenario on real processes came to."""

    runs: int
    outcomes: dict[Hashable, int]  # how many runs ended with each outcome, most first
    deadlocks: int  # how many runs came to a deadlock

    def frequency(self, outcome: Hashable) -> Frequency:
        """Return how often an outcome was seen, 0 times included."""
        return frequency(self.outcomes.get(outcome, 0), self.runs)

    @property
    def frequencies(self) -> dict[Hashable, Frequency]:
        """How often each outcome was seen."""
        return {outcome: self.frequency(outcome) for outcome in self.outcomes}


def frequency(count: int, runs: int) -> Frequency:
    """Return the share of `count` in `runs` with its interval; raises TypeError and ValueError as `wilson` does."""
    low, high = wilson(count, runs)
    return Frequency(count, count / runs, low, high)


def sample(scenario: Scenario | Build, runs: int, method: str = "spawn", deadline: float = 30.0) -> Sample:
    """Run a scenario `runs` times on real processes, which start together and go as fast as they can.

    A run in which all wait for one another is ended as soon as that is certain, and counts as a deadlock. The
    processes end with the call, or with the `keep_workers` block around it.

    Raises ValueError or TypeError for an unknown start method, less than one run, or a worker that other processes
    cannot import; ProcessesFailed (see `helpers.supervision.supervisor`) after `deadline` seconds, or those of the
    `keep_workers` block around it.
    """
    validate.whole_number("runs", runs, 1, MOST_RUNS)
    validate.start_method(method)
    with company_for(deadline) as company:
        model = Model(scenario, known=company.behaviours)
        with company.crew(model, method) as crew:
            ends = Counter(_run(model, crew) for _ in range(runs))
    deadlocks = ends.pop(_DEADLOCK, 0)
    return Sample(runs, dict(ends.most_common()), deadlocks)


_DEADLOCK = object()


def _run(model: Model, crew: Crew) -> Hashable:
    crew.reset()
    errors, is_deadlocked = crew.perform(model)
    if is_deadlocked:
        return _DEADLOCK
    shared = {real.rules.name: real.view() for real in crew.objects}
    return model.crash(errors) or model.outcome(shared)
