"""The same experiment many times: how often each outcome came."""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers import validate
from helpers.measuring.proportion import Proportion

MOST = 100_000  # runs


@dataclass(frozen=True)
class Repeats:
    """The outcomes of many runs of one experiment."""

    counts: Mapping[Any, int]  # how many runs had each outcome, the commonest first
    seconds: float  # that all runs took together

    @property
    def runs(self) -> int:
        """The number of runs."""
        return sum(self.counts.values())

    def share(self, predicate: Callable[[Any], bool]) -> Proportion:
        """Return the share of the runs whose outcome fulfils the predicate."""
        return Proportion(sum(count for outcome, count in self.counts.items() if predicate(outcome)), self.runs)

    def mean(self, number: Callable[[Any], float]) -> float:
        """Return the mean over all runs of a number that is computed from the outcome."""
        return sum(count * number(outcome) for outcome, count in self.counts.items()) / self.runs


def repeat(experiment: Callable[[], Hashable], runs: int, progress: Callable[[int], object] | None = None) -> Repeats:
    """Run an experiment so many times, one after the other, and count its outcomes.

    `progress` is called with the number of runs done, after each one. An error of the experiment ends the series.

    Raises TypeError or ValueError for runs that are not from 1 to 100,000, or things to call that cannot be called.
    """
    validate.whole_number("runs", runs, 1, MOST)
    if not callable(experiment):
        raise TypeError(f"experiment must be a function without arguments, not {experiment!r}")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function of the number of runs done, or None, not {progress!r}")
    counts: Counter[Hashable] = Counter()
    begin = time.perf_counter()
    for done in range(1, runs + 1):
        counts[experiment()] += 1
        if progress:
            progress(done)
    return Repeats(dict(counts.most_common()), time.perf_counter() - begin)
