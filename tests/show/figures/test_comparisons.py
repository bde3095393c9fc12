"""The figure of ratios: its title and its words say what the comparison says, for one set and for many."""

import pytest

from helpers.measuring.compare import compare_results
from helpers.measuring.results import Case, Outcomes, Timings
from helpers.show import ratios


def results(*factors):
    """Return sets whose two series take so many times as long as 1 ms."""
    names = [f"a rather long name, {size} bytes" for size in ("100", "100,000")]
    rows = [tuple((0.001 * factor * (1 + pair / 100),) for pair in range(8)) for factor in factors]
    sets = enumerate(dict.fromkeys(names, each) for each in rows)
    return {f"set {number}": {"r": Timings("r", {}, {}, series)} for number, series in sets}


@pytest.mark.parametrize("factors", [(1.0, 3.0), (1.0, 3.0, 1.0, 0.1, 1.0, 1.0, 1.0, 1.0)])
def test_the_title_is_the_comparisons_and_each_ratio_is_told(factors):
    comparison = compare_results(results(*factors))
    picture = ratios(comparison)
    assert picture.title == comparison.title
    (legend,) = picture.figure.legends
    assert len(legend.get_texts()) == len(factors) - 1
    assert "set 1 takes 3 times as long as set 0, more than noise" in picture.words
    assert picture.words.count("as long as set 0,") == 2 * (len(factors) - 1)


def test_a_comparison_without_durations_is_refused():
    case = {"c": Case({"1": 1}, "lost an update", 0)}
    sets = {name: {"crash": Outcomes("crash", {}, {}, case)} for name in "ab"}
    with pytest.raises(ValueError, match="comparison must be one with durations"):
        ratios(compare_results(sets))
