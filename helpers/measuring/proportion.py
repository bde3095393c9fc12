"""How sure a share of many runs is: the interval in which the true share lies."""

import math
from dataclasses import dataclass

from helpers import validate
from helpers.words import percent, plural

MAX_RUNS = 10**12


@dataclass(frozen=True)
class Proportion:
    """So many of so many runs, with the interval in which the true share lies, 95 times of 100.

    Raises TypeError or ValueError for runs that are not from 1 to 10**12, or a count that is not from 0 to `runs`.
    """

    count: int
    runs: int

    def __post_init__(self) -> None:
        validate.whole_number("runs", self.runs, 1, MAX_RUNS)
        validate.whole_number("count", self.count, 0, self.runs)

    @property
    def share(self) -> float:
        """The share that was seen, from 0 to 1."""
        return self.count / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the true share, from 0 to 1 (see `wilson`)."""
        return wilson(self.count, self.runs)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.of_runs} (95 % interval: {percent(low, 2)} to {percent(high, 2)})"

    @property
    def of_runs(self) -> str:
        """The count in words: "3 of 40 runs"."""
        return f"{self.count:,} of {plural(self.runs, 'run')}"


def wilson(count: int, runs: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval (low, high) for the true share behind `count` of `runs` independent runs.

    With the default `z`, a number of standard deviations, it holds the true share in about 95 of 100 cases. Unlike the
    simple formula it does not shrink to a point at none or all of the runs. Source: E. B. Wilson, "Probable
    inference, the law of succession, and statistical inference", J. Amer. Statist. Assoc. 22 (1927), 209-212.

    Raises TypeError or ValueError for no run, a count that is not from 0 to `runs`, or `z` not from 0 to 10.
    """
    validate.whole_number("runs", runs, 1, MAX_RUNS)
    validate.whole_number("count", count, 0, runs)
    validate.number("z", z, 0, 10)
    seen, spread = count / runs, z * z / runs
    centre = (seen + spread / 2) / (1 + spread)
    half = z * math.sqrt(seen * (1 - seen) / runs + spread / (4 * runs)) / (1 + spread)
    # at the two ends the formula gives 0 and 1 exactly, were it not for rounding
    return (0.0 if count == 0 else centre - half), (1.0 if count == runs else centre + half)


def difference(first: Proportion, second: Proportion, z: float = 1.96) -> tuple[float, float]:
    """Return the interval (low, high) for how much larger the second true share is than the first, from -1 to 1.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17 (1998), 873-890, method 10: both Wilson intervals, put together. `z` as there.

    Raises TypeError for what are no Proportions, TypeError or ValueError for `z` not from 0 to 10.
    """
    for name, each in (("first", first), ("second", second)):
        validate.instance(name, each, Proportion, "a Proportion")
    (low_1, high_1), (low_2, high_2) = (wilson(each.count, each.runs, z) for each in (first, second))
    more = second.share - first.share
    down = math.hypot(second.share - low_2, high_1 - first.share)
    up = math.hypot(high_2 - second.share, first.share - low_1)
    return more - down, more + up
