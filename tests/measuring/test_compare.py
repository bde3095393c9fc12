"""Comparing: ratios and differences come with intervals that hold what they promise, and noise is called noise."""

import itertools
import math
import random
import re
from collections import Counter

import pytest

from helpers.measuring.compare import MARGIN, Ratio, _rank, _ways, compare_results, ratio
from helpers.measuring.proportion import Proportion, difference
from helpers.measuring.results import Case, Outcomes, Timings

DRAW = random.Random(7)


def rows(scale=1.0, pairs=8, spread=0.1):
    """Return durations of pairs of processes: pairs differ by chance, samples of a pair hardly."""
    pair = [scale * math.exp(DRAW.gauss(0, spread)) for _ in range(pairs)]
    return tuple(tuple(each * math.exp(DRAW.gauss(0, 0.01)) for _ in range(10)) for each in pair)


def timings(machine=None, **scales):
    return Timings("round_trips", {}, machine or {}, {name: rows(scale) for name, scale in scales.items()})


def outcomes(hits, runs=100):
    return Outcomes("crash", {}, {}, {"Queue": Case({"lost": hits, "kept": runs - hits}, "lost a message", hits)})


def test_the_distribution_of_mann_and_whitney_is_counted_exactly():
    ranks = range(5)
    chosen = itertools.combinations(ranks, 2)
    counted = Counter(sum(low < high for low in first for high in set(ranks) - set(first)) for first in chosen)
    assert _ways(2, 3) == [counted[u] for u in range(7)]
    assert sum(_ways(8, 9)) == math.comb(17, 8)


@pytest.mark.parametrize(
    ("first", "second", "error", "rank"),
    # from tables of critical values, which are smaller by one
    [(4, 4, 0.05, 1), (3, 3, 0.05, 0), (8, 8, 0.05, 14), (8, 8, 0.01, 8), (10, 7, 0.05, 15), (20, 20, 0.05, 128)],
)
def test_the_rank_is_that_of_the_tables(first, second, error, rank):
    assert _rank(first, second, error) == rank


def test_many_rows_are_counted_as_few_are():
    exact, near = _rank(50, 50, 0.05), _rank(51, 50, 0.05)
    assert exact < near < exact * 52 / 50 + 10


def test_a_ratio_is_estimated_from_the_medians_of_rows():
    found = ratio([[1.0], [2.0, 2.0, 900.0], [4.0], [8.0]], [[3.0], [6.0], [12.0], [24.0]])
    assert found.estimate == pytest.approx(3.0)
    assert found.low == pytest.approx(3 / 8) and found.high == pytest.approx(24.0)


def test_too_few_rows_say_nothing():
    found = ratio([[1.0]] * 3, [[9.0]] * 3)
    assert (found.estimate, found.low, found.high) == (pytest.approx(9.0), 0, math.inf)
    assert not found.is_more_than_noise


def test_the_interval_holds_the_true_ratio_in_95_of_100_cases():
    holds = [(each := ratio(rows(), rows(1.5))).low <= 1.5 <= each.high for _ in range(300)]
    assert Proportion(sum(holds), 300).interval[1] >= 0.95


@pytest.mark.parametrize(
    ("low", "high", "is_more"),
    [(0.9, 2.2, False), (1.01, 2.3, False), (MARGIN + 0.01, 3.0, True), (0.4, 0.5, True), (0.4, 0.99, False)],
)
def test_more_than_noise_is_an_interval_that_lies_beyond_the_margin(low, high, is_more):
    assert Ratio(math.sqrt(low * high), low, high).is_more_than_noise is is_more


def test_a_known_difference_is_found_and_two_equal_sets_are_not_told_apart():
    names = [f"mechanism {number}" for number in range(20)]
    first = timings(**dict.fromkeys(names, 1.0))
    second = timings(**dict.fromkeys(names, 1.0) | {"mechanism 3": 3.0})
    found = compare_results({"first": {"round_trips": first}, "second": {"round_trips": second}})
    assert [(row.name, name) for row, name in found.different] == [("mechanism 3", "second")]
    assert re.match(r"1 of 20 ratios more than noise; mechanism 3 takes [23]\.?\d? times as long", found.title)
    equal = [_equal_sets(names) for _ in range(40)]
    assert Proportion(sum(equal), 40).interval[1] >= 0.95


def _equal_sets(names):
    first, second = (timings(**dict.fromkeys(names, 1.0)) for _ in range(2))
    return not compare_results({"1": {"round_trips": first}, "2": {"round_trips": second}}).different


def test_a_steadier_machine_may_have_a_smaller_margin():
    names = [f"mechanism {number}" for number in range(3)]
    first, second = (timings(**dict.fromkeys(names, seconds)) for seconds in (1.0, 1.6))
    sets = {"first": {"round_trips": first}, "second": {"round_trips": second}}
    assert not compare_results(sets).different and len(compare_results(sets, margin=1.1).different) == 3
    for margin in (0.9, float("nan")):
        with pytest.raises(ValueError, match="margin must be from 1 to"):
            compare_results(sets, margin)


@pytest.mark.parametrize(("low", "high", "distance"), [(0.9, 1.2, 1), (1.5, 4, 1.5), (0.1, 0.5, 2), (0, 0, math.inf)])
def test_the_distance_of_a_ratio_is_that_of_the_end_of_its_interval_that_is_nearer_to_1(low, high, distance):
    assert Ratio(low, low, high).distance == distance


def test_any_number_of_sets_is_compared_with_the_first_in_what_they_share():
    sets = {"a": {"r": timings(pipe=1.0, queue=1.0)}, "b": {"r": timings(pipe=3.0)}, "c": {"r": timings(other=1.0)}}
    found = compare_results(sets)
    assert [(row.name, list(row.medians), list(row.ratios)) for row in found.rows] == [("pipe", ["a", "b"], ["b"])]
    assert found.left_out == ("other", "queue")
    assert "all others lack it: other; queue" in str(found)


def test_shares_are_compared_with_intervals():
    found = compare_results({"spawn": {"crash": outcomes(2)}, "fork": {"crash": outcomes(60)}})
    (row,) = found.share_rows
    assert row.name == "crash: Queue" and row.differs("fork")
    assert row.differences["fork"][0] > 0.4
    assert "lost a message: 2 % spawn / 60 % fork" in str(row) and "percent points, more than noise" in str(row)
    same = compare_results({"spawn": {"crash": outcomes(2)}, "fork": {"crash": outcomes(3)}})
    assert not same.share_rows[0].differs("fork") and "points, may be noise" in str(same)
    assert found.title == "No series of durations is in the reference and in another set"


def test_newcombes_own_example():
    # table II of the paper, contrast (a): 56/70 - 48/80 is from 0.0524 to 0.3339
    low, high = difference(Proportion(48, 80), Proportion(56, 70), z=1.959964)
    assert (low, high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_a_busy_machine_is_named():
    quiet, busy = ({"load_avg_1min": load, "processors_allowed": 2} for load in (1.5, 9.0))
    found = compare_results({"a": {"r": timings(quiet, pipe=1.0)}, "b": {"r": timings(busy, pipe=1.0)}})
    assert "during b: there a ratio must be farther from 1" in found.caution and found.caution in str(found)
    # 9 programs on 2 processors: each may take 4.5 times as long
    assert found.rows[0].ratios["b"].margin == pytest.approx(MARGIN * 4.5)
    assert not compare_results({"a": {"r": timings(pipe=1.0)}, "b": {"r": timings(quiet, pipe=1.0)}}).caution


def test_a_part_is_chosen_by_words():
    sets = {name: {"r": timings(**{"round trip, Pipe": 1.0, "start-up": 1.0})} for name in "ab"}
    found = compare_results(sets)
    assert [row.name for row in found.only("start").rows] == ["start-up"]
    with pytest.raises(ValueError, match="words must be part of one of the names: round trip, Pipe; start-up, not 'x'"):
        found.only("x")


def test_one_set_is_none_to_compare():
    with pytest.raises(ValueError, match="sets must be a dict of sets of results, two or more, not"):
        compare_results({"a": {"r": timings(pipe=1.0)}})
