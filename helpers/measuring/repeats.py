"""The same experiment many times: how often each outcome came."""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers import validate
from helpers.measuring.proportion import Proportion

MOST = 100_000  # runs
LONGEST = 10**6  # s


@dataclass(frozen=True)
class Repeats:
    """The outcomes of many runs of one experiment, whatever it is: each run has exactly one.

    Runs of a scenario may have none, for they may come to a deadlock: `helpers.scheduling.real.free_runs.Sample`.

    Raises TypeError or ValueError for counts that are not a dict of numbers of runs, or seconds that are no number.
    """

    counts: Mapping[Any, int]  # how many runs had each outcome, the commonest first
    seconds: float  # that all runs took together

    def __post_init__(self) -> None:
        for outcome, count in validate.mapping("counts", self.counts, "numbers of runs by outcome").items():
            validate.whole_number(f"counts[{outcome!r}]", count, 0, MOST)
        validate.number("seconds", self.seconds, 0, LONGEST, "seconds")

    @property
    def runs(self) -> int:
        """The number of runs."""
        return sum(self.counts.values())

    def share(self, predicate: Callable[[Any], bool]) -> Proportion:
        """Return the share of the runs whose outcome fulfils the predicate, a function of an outcome."""
        validate.function("predicate", predicate, "a function of an outcome", 1)
        return Proportion(sum(count for outcome, count in self.counts.items() if predicate(outcome)), self.runs)

    def mean(self, number: Callable[[Any], float]) -> float:
        """Return the mean over all runs of a number that is computed from the outcome."""
        validate.function("number", number, "a function of an outcome that returns a number", 1)
        return sum(count * number(outcome) for outcome, count in self.counts.items()) / self.runs


def repeat(experiment: Callable[[], Hashable], runs: int, progress: Callable[[int], object] | None = None) -> Repeats:
    """Run an experiment so many times, one after the other, and count its outcomes.

    `progress` is called with the number of runs done, after each one. An error of the experiment ends the series.

    Raises TypeError or ValueError for runs that are not from 1 to 100,000, things to call that cannot be called so, or
    an outcome that cannot be counted.
    """
    validate.whole_number("runs", runs, 1, MOST)
    validate.function("experiment", experiment, "a function without arguments", 0)
    if progress is not None:
        validate.function("progress", progress, "a function of the number of runs done, or None", 1)
    counts: Counter[Hashable] = Counter()
    begin = time.perf_counter()
    for done in range(1, runs + 1):
        counts[validate.hashable("what experiment returns", experiment(), "an outcome")] += 1
        if progress:
            progress(done)
    return Repeats(dict(counts.most_common()), time.perf_counter() - begin)
