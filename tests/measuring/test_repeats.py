"""Repeats: outcomes are counted, and what runs have in common is told as a proportion."""

import itertools

import pytest

from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats, repeat


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
    assert repeat(numbers(), 6).share(lambda number: number > 0) == Proportion(4, 6)


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


def test_an_outcome_that_cannot_be_counted_is_named():
    with pytest.raises(
        TypeError, match=r"what experiment returns must be an outcome that can be counted, .* not \[1\]"
    ):
        repeat(lambda: [1], 2)
