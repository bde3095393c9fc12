"""Repeats: outcomes are counted, and a share comes with the interval of Wilson (1927)."""

import itertools

import pytest

from helpers.measuring.repeats import Repeats, Share, repeat, wilson


def numbers():
    """Return an experiment whose outcomes are 0, 1, 2, 0, 1, 2, ..."""
    return itertools.cycle([0, 1, 2]).__next__


def test_outcomes_are_counted():
    repeats = repeat(numbers(), 7)
    assert repeats.counts == {0: 3, 1: 2, 2: 2}
    assert repeats.runs == 7 and repeats.seconds > 0


def test_the_commonest_outcome_comes_first():
    assert list(repeat(itertools.chain("abbccc").__next__, 6).counts) == ["c", "b", "a"]


def test_the_share_of_runs_that_fulfil_something():
    share = repeat(numbers(), 6).share(lambda number: number > 0)
    assert share == Share(4, 6)
    assert share.value == pytest.approx(2 / 3)
    assert share.interval == wilson(4, 6)


def test_the_mean_over_all_runs():
    assert Repeats({5: 3, 1: 1}, 1.0).mean(lambda total: 5 - total) == 1.0


def test_progress_is_told_after_each_run():
    told = []
    repeat(numbers(), 4, told.append)
    assert told == [1, 2, 3, 4]


def test_an_error_ends_the_series():
    told = []
    with pytest.raises(StopIteration):
        repeat(iter([1, 2]).__next__, 5, told.append)
    assert told == [1, 2]


@pytest.mark.parametrize(("successes", "trials", "z"), [(5, 10, 1.96), (1, 500, 1.96), (3, 4, 1.0), (70, 100, 2.58)])
def test_the_bounds_are_where_what_was_seen_is_z_standard_deviations_away(successes, trials, z):
    # what defines the interval: |seen - bound| = z * sqrt(bound * (1 - bound) / trials)
    for bound in wilson(successes, trials, z):
        assert abs(successes / trials - bound) == pytest.approx(z * (bound * (1 - bound) / trials) ** 0.5)


@pytest.mark.parametrize("trials", [1, 10, 500])
def test_the_interval_does_not_shrink_to_a_point_at_the_ends(trials):
    width = 1.96**2 / (trials + 1.96**2)  # what is left of the formula
    assert wilson(0, trials) == pytest.approx((0, width))
    assert wilson(trials, trials) == pytest.approx((1 - width, 1))


@pytest.mark.parametrize("trials", [1, 3, 100, 10**6])
def test_the_interval_holds_what_was_seen_and_stays_between_0_and_1(trials):
    for successes in {0, 1, trials // 3, trials}:
        low, high = wilson(successes, trials)
        assert 0 <= low <= successes / trials <= high <= 1


def test_more_trials_make_the_interval_shorter_and_more_certainty_makes_it_longer():
    def length(*arguments):
        low, high = wilson(*arguments)
        return high - low

    assert length(50, 100) < length(5, 10) < length(5, 10, 3.0)


def test_the_interval_covers_the_true_share_about_as_often_as_it_says():
    # exactly, over all outcomes of 30 trials with a true share of 0.2
    from math import comb

    covered = sum(
        comb(30, successes) * 0.2**successes * 0.8 ** (30 - successes)
        for successes in range(31)
        if wilson(successes, 30)[0] <= 0.2 <= wilson(successes, 30)[1]
    )
    assert 0.92 < covered < 0.98


def test_a_share_says_itself():
    assert str(Share(12, 50)) == "12 of 50 runs (95 % interval: 14 % to 37 %)"
    assert str(Share(0, 10_000)) == "0 of 10,000 runs (95 % interval: 0 % to 0.038 %)"
    assert str(Share(5, 5)) == "5 of 5 runs (95 % interval: 57 % to 100 %)"


@pytest.mark.parametrize("runs", [0, -1, 10**6])
def test_runs_out_of_range_are_refused(runs):
    with pytest.raises(ValueError, match=f"runs must be from 1 to 100,000, not {runs}"):
        repeat(numbers(), runs)


@pytest.mark.parametrize("runs", [1.5, "two", None])
def test_runs_that_are_no_number_are_refused(runs):
    with pytest.raises(TypeError, match=f"runs must be a whole number from 1 to 100,000, not {runs!r}"):
        repeat(numbers(), runs)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="experiment must be a function without arguments, not 5"):
        repeat(5, 2)
    with pytest.raises(TypeError, match="progress must be a function .* not 'bar'"):
        repeat(numbers(), 2, "bar")


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_a_share_that_cannot_be_is_refused(successes, trials):
    with pytest.raises(ValueError, match="must be from"):
        wilson(successes, trials)
    with pytest.raises(ValueError, match="must be from"):
        Share(successes, trials)
    with pytest.raises(ValueError, match="z must be from 0 to 10"):
        wilson(1, 2, -1)
