"""The chance to miss a bug is computed from what was measured, and the title says what follows from it."""

import pytest

from helpers.control import Result
from helpers.measuring.proportion import Proportion
from helpers.show.figures.search import found, misses

MET = {"free runs": Proportion(0, 500), "coin": Proportion(10, 40), "bounded": 3}


def lines(picture):
    return {line.get_label().split(":")[0]: line for line in picture.figure.axes[0].lines}


def test_the_title_says_how_many_runs_each_way_needs():
    # ln 0.01 / ln 0.75 = 16.01; the interval of 0 of 500 ends at 0.763 %, and ln 0.01 / ln 0.99237 = 601.3
    assert misses(MET).title == (
        "Runs that make it 99 % sure to meet the bug: free runs more than 601, coin about 17, bounded 3"
    )


def test_a_line_is_the_chance_that_all_runs_miss():
    coin = lines(misses(MET))["coin"]
    assert dict(zip(*coin.get_data(), strict=True))[3] == pytest.approx(100 * 0.75**3)


def test_what_is_systematic_misses_until_its_run_and_never_after():
    missed = dict(zip(*lines(misses(MET))["bounded"].get_data(), strict=True))
    assert (missed[1], missed[2], missed[3], missed[1000]) == (100, 100, 0, 0)


def test_the_band_is_the_interval_of_the_share():
    low, high = Proportion(10, 40).interval
    band = misses({"coin": Proportion(10, 40)}).figure.axes[0].collections[0]
    at_one = [y for x, y in band.get_paths()[0].vertices if x == 1]
    assert (min(at_one), max(at_one)) == pytest.approx((100 * (1 - high), 100 * (1 - low)))


def test_lines_differ_in_more_than_colour():
    looks = [(line.get_linestyle(), line.get_marker()) for line in lines(misses(MET)).values()]
    assert len(set(looks)) == len(looks) == 3


def test_what_always_meets_it_needs_one_run():
    assert misses({"coin": Proportion(5, 5)}).title.endswith("coin about 1")


def test_the_words_say_what_was_measured():
    words = misses(MET).words
    assert "coin: 10 of 40 runs met it, the true share lies between 14 % and 40 %" in words
    assert "chance to miss: 75 % after 1, 5.6 % after 10" in words
    assert "bounded: run 3 meets it every time." in words


@pytest.mark.parametrize("met", [{"coin": 0.5}, {"coin": 0}, {}])
def test_what_is_neither_a_share_nor_a_run_is_refused(met):
    with pytest.raises((TypeError, ValueError), match="met"):
        misses(met)


def test_outcomes_are_drawn_when_nothing_failed():
    result = Result("count", 6, {(90, 110): 4, None: 2}, 2, None, "bounded", "operation", 1, 0.1)
    picture = found(result, (90, 110), 20)
    assert picture.title.startswith("count, at most 20 runs: 2 of 6 runs lost updates")
