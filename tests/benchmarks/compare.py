"""How often identical code, measured twice, is told apart: the rule of `compare_results` allows one pair of sets in 20.

    python tests/benchmarks/compare.py [SETS] [NAME=VALUE ...]

All pairs of the sets are compared, so that one was measured up to some minutes after the other. Exit code 1: more
pairs are told apart than may be. The smallest margin that would do on this machine is said too.
"""

import math
import sys
from itertools import combinations

from helpers.experiments import plan
from helpers.measuring.compare import ERROR, MARGIN, Comparison, compare_results
from helpers.measuring.proportion import Proportion
from helpers.measuring.results import Result

DURATIONS = ("round_trips", "streams", "start_up")
LITTLE = {"mechanisms": "Pipe,Queue,shared memory", "sizes": "100", "budget": "0.03"}


def measured(given: dict[str, str]) -> dict[str, Result]:
    """Return a set of durations."""
    return {each.experiment.name: each.experiment.run(**each.settings) for each in plan(DURATIONS, given)}


def smallest_margin(comparison: Comparison) -> float:
    """Return the smallest margin with which these two sets come out as equal, on a machine that is not busy."""
    ratios = [each for row in comparison.rows for each in row.ratios.values()]
    return max(each.distance * MARGIN / each.margin for each in ratios)


def main(number: int, given: dict[str, str]) -> int:
    """Measure, print how many pairs of sets were told apart, and return the exit code."""
    sets = []
    for each in range(number):
        sets.append(measured(given))
        print(f"{each + 1} of {number} sets", end="\r", file=sys.stderr, flush=True)
    compared = [compare_results({"before": before, "after": after}) for before, after in combinations(sets, 2)]
    different = [each for each in compared if each.different]
    for each in different:
        print(each.title)
    apart = Proportion(len(different), len(compared))
    busy = sum(bool(each.caution) for each in compared)
    print(f"pairs of sets told apart: {apart}; margin {MARGIN}; {busy} pairs on a busy machine")
    margins = sorted(map(smallest_margin, compared))
    # one of 20 pairs may be told apart
    enough = margins[math.ceil((1 - ERROR) * len(margins)) - 1]
    print(f"with a margin of {enough:.2f}, {1 - ERROR:.0%} of the pairs come out as equal")
    return int(apart.share > ERROR)


if __name__ == "__main__":
    words = sys.argv[1:]
    count = int(words.pop(0)) if words and words[0].isdigit() else 20
    sys.exit(main(count, LITTLE | dict(word.split("=", 1) for word in words)))
