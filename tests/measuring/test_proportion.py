"""Proportions: what was seen, with the interval of Wilson (1927)."""

import pytest

from helpers.measuring.proportion import Proportion, wilson


@pytest.mark.parametrize(("count", "runs", "z"), [(5, 10, 1.96), (1, 500, 1.96), (3, 4, 1.0), (70, 100, 2.58)])
def test_the_bounds_are_where_what_was_seen_is_z_standard_deviations_away(count, runs, z):
    # what defines the interval: |seen - bound| = z * sqrt(bound * (1 - bound) / runs)
    for bound in wilson(count, runs, z):
        assert abs(count / runs - bound) == pytest.approx(z * (bound * (1 - bound) / runs) ** 0.5)


@pytest.mark.parametrize("runs", [1, 10, 500])
def test_the_interval_does_not_shrink_to_a_point_at_the_ends(runs):
    width = 1.96**2 / (runs + 1.96**2)  # what is left of the formula
    assert wilson(0, runs) == pytest.approx((0, width))
    assert wilson(runs, runs) == pytest.approx((1 - width, 1))


@pytest.mark.parametrize("runs", [1, 3, 100, 10**6])
def test_the_interval_holds_what_was_seen_and_stays_between_0_and_1(runs):
    for count in {0, 1, runs // 3, runs}:
        low, high = wilson(count, runs)
        assert 0 <= low <= count / runs <= high <= 1


def test_more_runs_make_the_interval_shorter_and_more_certainty_makes_it_longer():
    def length(*arguments):
        low, high = wilson(*arguments)
        return high - low

    assert length(50, 100) < length(5, 10) < length(5, 10, 3.0)


def test_the_interval_covers_the_true_share_about_as_often_as_it_says():
    # exactly, over all outcomes of 30 runs with a true share of 0.2
    from math import comb

    covered = sum(
        comb(30, count) * 0.2**count * 0.8 ** (30 - count)
        for count in range(31)
        if wilson(count, 30)[0] <= 0.2 <= wilson(count, 30)[1]
    )
    assert 0.92 < covered < 0.98


def test_the_share_is_what_was_seen():
    assert Proportion(3, 4).share == 0.75


# from Newcombe (1998), Two-sided confidence intervals for the single proportion, table I
@pytest.mark.parametrize(
    ("count", "runs", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_of_the_literature(count, runs, low, high):
    assert Proportion(count, runs).interval == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_proportion_says_itself():
    assert str(Proportion(12, 50)) == "12 of 50 runs (95 % interval: 14 % to 37 %)"
    assert str(Proportion(0, 10_000)) == "0 of 10,000 runs (95 % interval: 0 % to 0.038 %)"
    assert str(Proportion(1, 1)) == "1 of 1 run (95 % interval: 21 % to 100 %)"
    assert str(Proportion(5, 5)) == "5 of 5 runs (95 % interval: 57 % to 100 %)"


@pytest.mark.parametrize(("count", "runs"), [(-1, 5), (6, 5), (0, 0)])
def test_a_proportion_that_cannot_be_is_refused(count, runs):
    with pytest.raises(ValueError, match="must be from"):
        wilson(count, runs)
    with pytest.raises(ValueError, match="must be from"):
        Proportion(count, runs)
    with pytest.raises(ValueError, match="z must be from 0 to 10"):
        wilson(1, 2, -1)
