"""How often identical code, measured twice, is told apart: the rule of `compare_results` allows one pair of sets in 20.

    python tests/benchmarks/compare.py [PAIRS] [NAME=VALUE ...]

Each set is compared with the one that was measured just before. Exit code 1: the rule fails more often than it may.
"""

import sys

from helpers.experiments import plan
from helpers.measuring.compare import ERROR, MARGIN, Comparison, compare_results
from helpers.measuring.proportion import Proportion
from helpers.measuring.results import Result

DURATIONS = ("round_trips", "streams", "start_up")
LITTLE = {"mechanisms": "Pipe,Queue,shared memory", "sizes": "100", "budget": "0.03", "starts": "3"}


def measured(given: dict[str, str]) -> dict[str, Result]:
    """Return a set of durations."""
    return {each.experiment.name: each.experiment.run(**each.settings) for each in plan(DURATIONS, given)}


def main(pairs: int, given: dict[str, str]) -> int:
    """Measure, print how many pairs of sets were told apart, and return the exit code."""
    sets, compared = [measured(given)], list[Comparison]()
    for number in range(1, pairs + 1):
        sets.append(measured(given))
        compared.append(compare_results({"before": sets[-2], "after": sets[-1]}))
        if compared[-1].different:
            print(f"pair {number}: {compared[-1].title}", flush=True)
    told_apart = Proportion(sum(bool(each.different) for each in compared), pairs)
    ratios = sum(len(each.rows) for each in compared)
    apart = Proportion(sum(len(each.different) for each in compared), ratios)
    busy = sum(bool(each.caution) for each in compared)
    print(f"pairs of sets told apart: {told_apart}; ratios: {apart}; margin {MARGIN}; {busy} pairs on a busy machine")
    return int(told_apart.interval[0] > ERROR)


if __name__ == "__main__":
    words = sys.argv[1:]
    count = int(words.pop(0)) if words and words[0].isdigit() else 20
    sys.exit(main(count, LITTLE | dict(word.split("=", 1) for word in words)))
