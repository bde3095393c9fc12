"""Comparing results: ratios of durations and differences of shares, with intervals, and which are more than noise.

Two measurements of the same code are never equal. Samples of one pair of processes resemble each other: its two
processes share a placement, a layout of memory, a moment. So a pair counts as one observation, its median, and the
spread between the pairs decides.

That spread knows nothing of what changes from one set to the next. A machine has states that last for minutes: where
its scheduler puts two processes that talk, what else its host does. In 18 sets of the same code, one after the other on
a virtual machine with two idle processors, the medians of one series differed by up to 1.83 times. So a ratio counts as
more than noise only if its whole interval lies beyond a margin: 1.75 times, or less where tests/benchmarks/compare.py
has shown that a machine is steadier. Where more programs want a processor than there are, each may take as many times
as long as there are programs for a processor, and the margin is that much larger.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from helpers import validate
from helpers.measuring.proportion import Proportion, difference
from helpers.measuring.results import Outcomes, Result, Timings
from helpers.words import duration, percent, plural

ERROR = 0.05  # the chance that at least one of all intervals of a comparison misses, if all is drawn by chance
MARGIN = 1.75  # times as long: less may come from how a machine is just now
WIDEST = 1e6  # times, of margins
SMALLEST = 1e-9  # chance
MOST_ROWS = 100_000
MOST_LETTERS = 300  # of the names that an error lists

Rows = Sequence[Sequence[float]]
Results = Mapping[str, Mapping[str, Result]]  # by the name of the set, and of the experiment


@dataclass(frozen=True)
class Ratio:
    """How many times as long something takes as in the reference: the estimate, and the interval around it.

    Raises TypeError or ValueError for what are not numbers above 0.
    """

    estimate: float
    low: float
    high: float
    margin: float = MARGIN  # times as long, or as short, that may be noise whatever the interval is

    def __post_init__(self) -> None:
        for name in ("estimate", "low", "high"):
            validate.number(name, getattr(self, name), 0, math.inf)
        validate.number("margin", self.margin, 1, math.inf)

    @property
    def is_more_than_noise(self) -> bool:
        """The whole interval lies farther from 1 than the margin."""
        return self.distance > self.margin

    @property
    def distance(self) -> float:
        """How many times as long, or as short, it takes at least, as far as the interval tells; 1 if it holds 1."""
        return max(1.0, self.low, 1 / self.high if self.high else math.inf)

    def __str__(self) -> str:
        return f"{self.estimate:.3g} ({self.low:.3g} to {self.high:.3g})"


def ratio(before: Rows, after: Rows, error: float = ERROR, margin: float = MARGIN) -> Ratio:
    """Return how many times as long `after` takes as `before`; a row holds the durations (s) of one pair of processes.

    The estimate is that of Hodges and Lehmann for the shift between the logarithms of the medians of the rows. The
    interval is the one that belongs to the test of Mann and Whitney, and misses the true ratio with a chance of `error`
    at most (M. Hollander, D. A. Wolfe, "Nonparametric Statistical Methods", sections 4.2 and 4.3). Of too few rows
    for that it is everything, from 0 to infinity.

    Raises TypeError or ValueError for what are not rows of seconds, an error that is not from 1e-9 to 1, or a
    margin below 1.
    """
    validate.number("error", error, SMALLEST, 1)
    first, second = (_log_medians(name, rows) for name, rows in (("before", before), ("after", after)))
    shifts = sorted(later - earlier for earlier in first for later in second)
    # the interval goes from the k-th smallest of all shifts to the k-th largest
    k = _rank(len(first), len(second), error)
    low, high = (math.exp(shifts[k - 1]), math.exp(shifts[-k])) if k else (0.0, math.inf)
    return Ratio(math.exp(statistics.median(shifts)), low, high, validate.number("margin", margin, 1, math.inf))


def _log_medians(name: str, rows: Rows) -> list[float]:
    medians = []
    for number, row in enumerate(validate.sequence(name, rows, "rows of seconds, one or more", 1, MOST_ROWS)):
        for value in validate.sequence(f"{name}[{number}]", row, "seconds, one or more"):
            validate.seconds(f"{name}[{number}]", value, math.inf)
        medians.append(math.log(statistics.median(row)))
    return medians


def _rank(first: int, second: int, error: float) -> int:
    """Return the largest k for which the k-th smallest and largest shift enclose the true one but for `error`, or 0."""
    if max(first, second) > 50:
        # the normal approximation of the test's distribution
        z = statistics.NormalDist().inv_cdf(error / 2)
        spread = math.sqrt(first * second * (first + second + 1) / 12)
        return max(0, math.floor(first * second / 2 + z * spread))
    ways, allowed, rank = _ways(first, second), error / 2 * math.comb(first + second, first), 0
    below = 0
    while rank < len(ways) and (below := below + ways[rank]) <= allowed:
        rank += 1
    return rank


@cache
def _ways(first: int, second: int) -> list[int]:
    """Return in how many orders of all observations Mann and Whitney's U is 0, 1, 2 and so on.

    Its distribution has the generating function of the Gaussian binomial coefficient: the product over i of
    (1 - q^(second + i)) / (1 - q^i), for i from 1 to `first`.
    """
    ways = [1] + [0] * (first * second)
    for i in range(1, first + 1):
        for power in range(len(ways) - 1, second + i - 1, -1):
            ways[power] -= ways[power - second - i]
        for power in range(i, len(ways)):
            ways[power] += ways[power - i]
    return ways


@dataclass(frozen=True)
class Row:
    """One series of durations in all sets that have it, against the set that is the reference."""

    name: str
    medians: Mapping[str, float]  # s, by set
    ratios: Mapping[str, Ratio]  # by set, without the reference

    def __str__(self) -> str:
        parts = [f"{self.name}: {' / '.join(f'{duration(each)} {name}' for name, each in self.medians.items())}"]
        for name, each in self.ratios.items():
            parts.append(
                f"    {name}: {each} times as long, {'more than noise' if each.is_more_than_noise else 'may be noise'}"
            )
        return "\n".join(parts)


@dataclass(frozen=True)
class ShareRow:
    """The share of runs that have something in common, in all sets that have the program, against the reference."""

    name: str
    what: str  # that they have in common
    shares: Mapping[str, Proportion]  # by set
    differences: Mapping[str, tuple[float, float]]  # how much larger than in the reference, the interval by set

    def differs(self, name: str) -> bool:
        """Tell whether the share of a set is another one than the reference's: the interval does not hold 0."""
        low, high = self.differences[validate.one_of("name", name, self.differences)]
        return low > 0 or high < 0

    def __str__(self) -> str:
        shares = " / ".join(f"{percent(each.share)} {name}" for name, each in self.shares.items())
        parts = [f"{self.name}, {self.what}: {shares}"]
        for name, (low, high) in self.differences.items():
            verdict = "more than noise" if self.differs(name) else "may be noise"
            parts.append(f"    {name}: {100 * low:+.1f} to {100 * high:+.1f} percent points, {verdict}")
        return "\n".join(parts)


@dataclass(frozen=True)
class Comparison:
    """Sets of results against the first of them."""

    sets: tuple[str, ...]  # the first is the reference
    rows: tuple[Row, ...]
    share_rows: tuple[ShareRow, ...]
    left_out: tuple[str, ...]  # what the reference or all others lack
    busy: tuple[str, ...] = ()  # sets that were measured while their machine had more to do than processors

    @property
    def different(self) -> list[tuple[Row, str]]:
        """The rows and sets whose ratio is more than noise, the farthest from 1 first."""
        pairs = [(row, name) for row in self.rows for name, each in row.ratios.items() if each.is_more_than_noise]
        return sorted(pairs, key=lambda pair: -abs(math.log(pair[0].ratios[pair[1]].estimate)))

    @property
    def title(self) -> str:
        """What is to be seen, in a sentence."""
        ratios = sum(len(row.ratios) for row in self.rows)
        if not ratios:
            return "No series of durations is in the reference and in another set"
        if not self.different:
            return f"None of {plural(ratios, 'ratio')} is more than noise"
        row, name = self.different[0]
        most = f"{row.name} takes {row.ratios[name].estimate:.2g} times as long with {name} as with {self.sets[0]}"
        return f"{len(self.different)} of {plural(ratios, 'ratio')} more than noise; {most}"

    @property
    def caution(self) -> str:
        """What else the differences may come from; nothing if nothing is known."""
        if not self.busy:
            return ""
        busy = ", ".join(self.busy)
        return f"The machine had more to do than it has processors during {busy}: there a ratio must be farther from 1"

    def only(self, words: str) -> "Comparison":
        """Return what is compared under a name that holds these words, such as "round trip".

        Raises TypeError for what is no text, ValueError for words that no name holds.
        """
        validate.text("words", words)
        rows = tuple(row for row in self.rows if words in row.name)
        shares = tuple(row for row in self.share_rows if words in row.name)
        if not rows and not shares:
            names = "; ".join([row.name for row in self.rows] + [row.name for row in self.share_rows])
            validate.refuse(ValueError, "words", f"part of one of the names: {names[:MOST_LETTERS]}", words)
        return replace(self, rows=rows, share_rows=shares, left_out=())

    def __str__(self) -> str:
        parts = [f"Against {self.sets[0]}. {self.title}.", *map(str, self.rows), *map(str, self.share_rows)]
        if self.left_out:
            parts.append(f"Not compared, since the reference or all others lack it: {'; '.join(self.left_out)}")
        if self.caution:
            parts.append(f"{self.caution}.")
        return "\n".join(parts)


def compare_results(sets: Results, margin: float = MARGIN) -> Comparison:
    """Compare results by the name of their set, all with the first set.

    The intervals are so wide that with a chance of 1 - ERROR all of them hold what they are for (Bonferroni).
    Raises TypeError or ValueError for fewer than two sets, what are no results, or a margin below 1.
    """
    validate.number("margin", margin, 1, WIDEST)
    for name, results in validate.mapping("sets", sets, "sets of results, two or more", 2).items():
        for experiment, result in validate.mapping(f"sets[{name!r}]", results, "results by experiment").items():
            validate.instance(f"sets[{name!r}][{experiment!r}]", result, Result, "what an experiment returns")
    series = {name: dict(_series(results)) for name, results in sets.items()}
    cases = {name: dict(_cases(results)) for name, results in sets.items()}
    reference, *others = sets
    pairs = sum(len(table[reference].keys() & table[name].keys()) for table in (series, cases) for name in others)
    error = ERROR / max(1, pairs)
    return Comparison(
        tuple(sets),
        tuple(_row(name, series, error, margin) for name in _shared(series)),
        tuple(_share_row(name, cases, error) for name in _shared(cases)),
        tuple(sorted(_alone(series) | _alone(cases))),
        tuple(name for name, results in sets.items() if any(_crowd(each) > 1 for each in results.values())),
    )


def _crowd(result: Result) -> float:
    """Return how many programs there were for each processor when this was measured; 1 if no more, or not known."""
    load, processors = (result.machine.get(name) for name in ("load_avg_1min", "processors_allowed"))
    if not isinstance(load, int | float) or not isinstance(processors, int | float) or processors <= 0:
        return 1.0
    return max(1.0, load / processors)


def _series(results: Mapping[str, Result]) -> Iterator[tuple[str, tuple[Rows, float]]]:
    for result in results.values():
        if isinstance(result, Timings):
            yield from ((name, (rows, _crowd(result))) for name, rows in result.series.items())


def _cases(results: Mapping[str, Result]) -> Iterator[tuple[str, tuple[str, Proportion]]]:
    for experiment, result in results.items():
        if isinstance(result, Outcomes):
            yield from ((f"{experiment}: {name}", (each.what, each.share)) for name, each in result.cases.items())


def _shared(table: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return what the reference and at least one other set have, in the order of the reference."""
    reference, *others = table.values()
    return [name for name in reference if any(name in other for other in others)]


def _alone(table: Mapping[str, Mapping[str, object]]) -> set[str]:
    """Return what is not compared."""
    return {name for each in table.values() for name in each} - set(_shared(table))


def _row(name: str, series: Mapping[str, Mapping[str, tuple[Rows, float]]], error: float, margin: float) -> Row:
    (_, (before, crowd)), *others = there = [(each, rows[name]) for each, rows in series.items() if name in rows]
    medians = {each: math.exp(statistics.median(_log_medians(each, rows))) for each, (rows, _) in there}
    ratios = {each: ratio(before, rows, error, margin * max(crowd, other)) for each, (rows, other) in others}
    return Row(name, medians, ratios)


def _share_row(name: str, cases: Mapping[str, Mapping[str, tuple[str, Proportion]]], error: float) -> ShareRow:
    (_, (what, before)), *others = there = [(each, rows[name]) for each, rows in cases.items() if name in rows]
    z = statistics.NormalDist().inv_cdf(1 - error / 2)
    differences = {each: difference(before, after, z) for each, (_, after) in others}
    return ShareRow(name, what, {each: share for each, (_, share) in there}, differences)
