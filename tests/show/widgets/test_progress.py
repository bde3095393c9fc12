"""The bar of a measurement."""

import pytest

from helpers.show.widgets.progress import progress, tracked


def test_progress_shows_a_bar_and_moves_it(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.show.widgets.progress.display", shown.append)
    advance = progress(3)
    bar, words = shown[0].children
    assert (bar.value, words.value) == (0, "0 of 3 runs")
    advance(2)
    assert (bar.value, words.value) == (2, "2 of 3 runs")


def test_progress_of_many_runs_moves_in_a_hundred_steps(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.show.widgets.progress.display", shown.append)
    advance = progress(1_000)
    advance(9)
    assert shown[0].children[0].value == 0
    advance(10)
    assert shown[0].children[0].value == 10
    advance(1_000)
    assert shown[0].children[1].value == "1,000 of 1,000 runs"


@pytest.mark.parametrize(("total", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("two", TypeError)])
def test_a_bad_total_is_refused(total, error):
    with pytest.raises(error, match=f"total must be .* not {total!r}"):
        progress(total)


def test_things_are_tracked_one_after_the_other(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.show.widgets.progress.display", shown.append)
    seen = []
    for item in tracked(["pipe", "queue"], "ways"):
        seen.append((item, shown[0].children[1].value))
    assert seen == [("pipe", "0 of 2 ways"), ("queue", "1 of 2 ways")]
    assert shown[0].children[1].value == "2 of 2 ways"


@pytest.mark.parametrize("items", [5, None, "text", []])
def test_what_is_no_list_is_refused_before_anything_shows(items):
    with pytest.raises((TypeError, ValueError), match="items must be a list of things to go through"):
        tracked(items)
