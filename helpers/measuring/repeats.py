"""The same experiment many times: how often each outcome came, and how sure a share of the runs is."""

import math
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers import validate

MOST = 100_000  # runs


@dataclass(frozen=True)
class Share:
    """So many of so many runs, with the interval in which the true share lies, 95 times of 100."""

    successes: int
    trials: int

    def __post_init__(self) -> None:
        validate.whole_number("trials", self.trials, 1, 10**12)
        validate.whole_number("successes", self.successes, 0, self.trials)

    @property
    def value(self) -> float:
        """The share that was seen, from 0 to 1."""
        return self.successes / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the true share, from 0 to 1 (see `wilson`)."""
        return wilson(self.successes, self.trials)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.successes:,} of {self.trials:,} runs (95 % interval: {_percent(low)} to {_percent(high)})"


@dataclass(frozen=True)
class Repeats:
    """The outcomes of many runs of one experiment."""

    counts: Mapping[Any, int]  # how many runs had each outcome, the commonest first
    seconds: float  # that all runs took together

    @property
    def runs(self) -> int:
        """The number of runs."""
        return sum(self.counts.values())

    def share(self, predicate: Callable[[Any], bool]) -> Share:
        """Return the share of the runs whose outcome fulfils the predicate."""
        return Share(sum(count for outcome, count in self.counts.items() if predicate(outcome)), self.runs)

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


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval (low, high) for the true share behind so many successes in so many independent trials.

    With the default `z`, a number of standard deviations, it holds the true share in about 95 of 100 cases. Unlike the
    simple formula it does not shrink to a point at none or all of the trials. Source: E. B. Wilson, "Probable
    inference, the law of succession, and statistical inference", J. Amer. Statist. Assoc. 22 (1927), 209-212.

    Raises TypeError or ValueError for no trial, successes that are not from 0 to `trials`, or `z` not from 0 to 10.
    """
    validate.whole_number("trials", trials, 1, 10**12)
    validate.whole_number("successes", successes, 0, trials)
    validate.number("z", z, 0, 10)
    seen, spread = successes / trials, z * z / trials
    centre = (seen + spread / 2) / (1 + spread)
    half = z * math.sqrt(seen * (1 - seen) / trials + spread / (4 * trials)) / (1 + spread)
    # at the two ends the formula gives 0 and 1 exactly, were it not for rounding
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == trials else centre + half)


def _percent(share: float) -> str:
    digits = ".2g" if share < 0.01 else ".0f" if share <= 0.99 or share == 1 else ".1f"
    return f"{100 * share:{digits}} %"
