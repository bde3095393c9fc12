"""Compare: the worker that runs in a child process, and the experiments with one pair of processes and with many."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.measuring.compare import MARGIN, Comparison, Ratio, compare_results, ratio
from helpers.measuring.mechanisms import PIPE
from helpers.measuring.results import Result
from helpers.measuring.timing import round_trips
from helpers.questions import Question

SIZE = 100  # bytes a message
BUDGET = 0.05  # s a pair of processes
MOST_PAIRS = 50
FAR = 1000  # times: a difference that nobody would miss


def echo(connection: Connection) -> None:
    """Send every message back, until an empty one comes."""
    while message := connection.recv_bytes():
        connection.send_bytes(message)


def pairs(number: int, method: str = "spawn") -> list[tuple[float, ...]]:
    """Return the round trips (s) of so many fresh pairs of processes through a pipe, a row for each pair.

    Raises TypeError or ValueError for a number that is not from 1 to 50, or an unknown start method.
    """
    validate.whole_number("number", number, 1, MOST_PAIRS)
    validate.start_method(method)
    found = [round_trips(PIPE, [SIZE], pairs=1, budget=BUDGET, method=method) for _ in range(number)]
    return [tuple(sample / 1e9 for sample in each.points[0].samples) for each in found]


def medians(rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the median of each row of durations (s), by the number of the pair.

    Raises TypeError or ValueError for what are no rows of numbers.
    """
    for number, row in enumerate(validate.sequence("rows", rows, "rows of seconds, one or more")):
        for value in validate.sequence(f"rows[{number}]", row, "seconds, one or more"):
            validate.seconds(f"rows[{number}]", value, math.inf)
    return {f"pair {number}": statistics.median(row) for number, row in enumerate(rows, 1)}


def fewest_pairs() -> int:
    """Return how many pairs a side it takes, so that even a huge difference can count as more than noise."""
    number = 1
    while not ratio([[1.0]] * number, [[FAR]] * number).is_more_than_noise:
        number += 1
    return number


def verdict(found: Ratio) -> str:
    """Say in words what a ratio comes to. Raises TypeError for what is none."""
    validate.instance("found", found, Ratio, "what ratio(before, after) returns")
    return f"{found} times as long: {'more than noise' if found.is_more_than_noise else 'may be noise'}"


def chooser(sets: Mapping[str, Mapping[str, Result]]) -> Callable[..., tuple[dict[str, Any], str]]:
    """Return the function for the panel: names of two sets and a part in, what `ratios` draws and a verdict out.

    Raises TypeError or ValueError for fewer than two sets of results.
    """
    validate.mapping("sets", sets, "sets of results, two or more", 2)

    def choose(before: str, after: str, part: str) -> tuple[dict[str, Any], str]:
        # a set and itself are two sets with equal numbers
        two = {before: sets[before], after if after != before else f"{after} again": sets[after]}
        found = compare_results(two).only(part)
        return {"comparison": found}, f"{found.title}."

    return choose


def _farthest(comparison: Comparison) -> str:
    rows = {abs(math.log(each.estimate)): row.name for row in comparison.rows for each in row.ratios.values()}
    return rows[max(rows)].split(",")[0]


def _same_or_other(both: Sequence[float]) -> str:
    return "same" if both[0] == both[1] else "other"


QUESTIONS = {
    "twice": Question(
        "The same code is measured twice, one right after the other. Is the median the same to the last digit?",
        {
            "same": "It was, here and now. With a coarse clock that happens.",
            "other": "Something else was going on each time: other programs, caches, the place in memory.",
        },
        {"same": "yes, it is the same code", "other": "no"},
        judge=_same_or_other,
    ),
    "fewest": Question(
        "How many pairs of processes a side does it take, before any difference can count as more than noise?",
        "With fewer, chance alone puts all of one side above all of the other in more than 5 of 100 cases.",
        unit="pairs",
    ),
    "changes": Question(
        "The same experiments under spawn, forkserver and fork. What lies farthest from equal?",
        {
            "start-up": "The start method decides how a child begins.",
            "round trip": "On that machine, in these sets, round trips differ most.",
            "one way": "On that machine, in these sets, streams differ most.",
        },
        {"start-up": "the start of a process", "round trip": "round trips", "one way": "streams"},
        judge=_farthest,
    ),
}
CARD = Card(
    "A pair of processes is one observation",
    {"pair 1": (0, 0), "pair 2": (0, 1), "pair 3": (0, 2)},
    {"medians": (1, 1), "interval": (2, 1)},
    [("pair 1", "medians", "its trips"), ("pair 2", "medians", "its trips"), ("pair 3", "medians", "its trips"),
     ("medians", "interval", "spread")],
    """\
before = [[2.0], [2.1], [1.9], [2.2]]  # s, a row a pair
after = [[6.0], [6.3], [5.7], [6.6]]
found = ratio(before, after)
print("times as long:", found)
print("more than noise:", found.is_more_than_noise)""",
    "times as long: 3 (2.59 to 3.47)\nmore than noise: True",
    [
        "Samples of one pair are alike. Start fresh pairs, and count them.",
        f"An interval that comes within {MARGIN:g} times of equal shows no difference.",
        "Another load on the machine is a difference too, and not one of the code.",
    ],
    imports="from helpers.measuring.compare import ratio",
)  # fmt: skip
