"""Durations that fall into two groups: then one number for all of them would describe what never happens."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

FEWEST = 100  # samples; of 24 from one wide group, every fifth set looks like two, of 100 one set in seventy
SMALLEST = 0.1  # share of the samples that a group has at least
APART = 1.4  # times as long as the other group's median, at least
VALLEY = 0.2  # samples in the middle between the medians, as a share of the smaller group, at most


class Hump(NamedTuple):
    """One group of samples."""

    share: float  # of all samples, 0 to 1
    median: float  # seconds


def humps(samples: Sequence[int]) -> tuple[Hump, ...]:
    """Return the groups into which durations (ns) fall: all together, or two, the larger one first.

    The logarithms are parted where the variance between the two parts is largest (Otsu, "A threshold selection method
    from gray-level histograms", 1979, on the samples themselves). The parts count as two groups when each is large
    enough, they are far apart, and hardly a sample lies in the middle third between their medians: a long tail is none.
    """
    ranked = sorted(samples)
    whole = (Hump(1.0, statistics.median(ranked) / 1e9),)
    if len(ranked) < FEWEST:
        return whole
    cut = _best_cut([math.log(max(sample, 1)) for sample in ranked])
    low, high = (Hump(len(part) / len(ranked), statistics.median(part) / 1e9) for part in (ranked[:cut], ranked[cut:]))
    smaller = min(low.share, high.share)
    if smaller < SMALLEST or high.median < APART * low.median:
        return whole
    third = (high.median / low.median) ** (1 / 3)
    between = sum(low.median * third < sample / 1e9 < high.median / third for sample in ranked) / len(ranked)
    if between > VALLEY * smaller:
        return whole
    return (low, high) if low.share >= high.share else (high, low)


def _best_cut(ranked: Sequence[float]) -> int:
    """Return how many of the ranked values belong to the lower part, so that the parts' means differ most."""
    count, total, below = len(ranked), sum(ranked), 0.0
    best, best_cut = -1.0, 1
    for cut in range(1, count):
        below += ranked[cut - 1]
        difference = (total - below) / (count - cut) - below / cut
        between = cut * (count - cut) * difference**2
        if between > best:
            best, best_cut = between, cut
    return best_cut
