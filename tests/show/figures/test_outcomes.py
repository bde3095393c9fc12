"""Pictures of outcomes: lost updates are told by words and hatching too, the titles are computed."""

import pytest

from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats
from helpers.show.figures.outcomes import HATCH, halves, outcomes, shares
from helpers.show.theme import FAILURE
from tests.recorded_updates import recording


def below_five(total):
    return total < 5


def hatched(picture):
    return [patch for patch in picture.figure.axes[0].patches if patch.get_hatch()]


def test_the_title_says_how_many_runs_lost_and_how_sure_that_is():
    assert outcomes(Repeats({5: 40, 4: 10}, 1.0), below_five).title == (
        "10 of 50 runs lost updates; the true share is between 11 % and 33 %"
    )


def test_the_scale_ends_at_all_runs():
    picture = outcomes(Repeats({5: 3}, 1.0), below_five)
    assert picture.figure.axes[0].spines["bottom"].get_bounds() == (0, 100)


def test_a_title_without_a_loss_stays_honest():
    assert outcomes(Repeats({5: 10}, 1.0), below_five).title == (
        "0 of 10 runs lost updates; the true share may be up to 28 %"
    )


def test_a_title_with_nothing_but_losses_stays_honest():
    assert outcomes(Repeats({1: 100}, 1.0), below_five).title == (
        "100 of 100 runs lost updates; the true share is at least 96 %"
    )


def test_lost_outcomes_are_vermilion_hatched_and_say_so():
    picture = outcomes(Repeats({5: 40, 4: 6, 1: 4}, 1.0), below_five)
    assert [patch.get_hatch() for patch in hatched(picture)] == [HATCH, HATCH]
    assert all(patch.get_facecolor()[:3] == pytest.approx((0xD5 / 255, 0x5E / 255, 0)) for patch in hatched(picture))
    assert FAILURE == "#D55E00"
    assert "outcome 5: 40 of 50 runs, the true" in picture.words
    assert "outcome 4: 6 of 50 runs, lost, the true" in picture.words


def test_many_different_numbers_are_drawn_in_ranges_that_hold_every_run():
    picture = outcomes(Repeats({5: 10, **{number / 100: 1 for number in range(90)}}, 1.0), below_five)
    labels = [text.get_text() for text in picture.figure.axes[0].get_yticklabels()]
    assert labels[0] == "5" and len(labels) == 9
    assert labels[1] == "0.78 to 0.89"
    assert len(hatched(picture)) == 8
    assert sum(patch.get_width() for patch in picture.figure.axes[0].patches) == pytest.approx(100)


def test_many_different_words_are_drawn_with_the_rarest_together():
    picture = outcomes(Repeats({**{letter: 2 for letter in "abcdefgh"}, "x": 1, "y": 1}, 1.0), lambda word: False)
    assert "2 others: 2 of 18 runs" in picture.words
    assert hatched(picture) == []


@pytest.mark.parametrize("counts", [{5: 10}, {1: 10}, {5: 1, 1: 1}, {"deadlock": 3, 5: 1}])
def test_outcomes_can_be_drawn(counts):
    assert outcomes(Repeats(counts, 1.0), lambda outcome: outcome == 1).png().startswith(b"\x89PNG")


def test_shares_name_the_first_case_that_loses_more_often_than_not():
    losing = {"0 ms": Proportion(0, 40), "1 ms": Proportion(30, 40), "5 ms": Proportion(40, 40)}
    picture = shares(losing, "window of")
    assert picture.title == "With a window of 1 ms, 30 of 40 runs lost updates"
    assert len(hatched(picture)) == 2
    assert "window of 0 ms: 0 of 40 runs, the true share may be up to 8.8 %." in picture.words


def test_shares_name_the_worst_case_when_most_runs_lose_nothing():
    losing = {"0 ms": Proportion(0, 40), "1 ms": Proportion(3, 40)}
    assert shares(losing, "window of").title == "With a window of 1 ms, 3 of 40 runs lost updates"


def test_the_title_of_halves_counts_what_was_lost():
    assert halves(recording([10, 20], [30, 40])).title == "2 updates, and the counter says 2: none lost"
    assert halves(recording([10, 40], [20, 30])).title == "2 updates, and the counter says 1: 1 lost"


def test_halves_are_told_in_words_and_by_hatching():
    picture = halves(recording([1_000_000, 4_000_000], [2_000_000, 3_000_000]))
    assert picture.words == (
        "child 2 reads 0 at 1.0 ms and writes 1 at 2.0 ms. "
        "child 1 reads 0 at 0.0 ms and writes 1 at 3.0 ms, over what another wrote meanwhile."
    )
    assert len(hatched(picture)) == 1
    assert picture.png().startswith(b"\x89PNG")


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="repeats must be what repeat returns, not 5"):
        outcomes(5, below_five)
    with pytest.raises(TypeError, match="lost must be a function of an outcome, not 5"):
        outcomes(Repeats({5: 1}, 1.0), 5)
    with pytest.raises(ValueError, match="losing must be a dict of proportions, one or more, by case, not {}"):
        shares({}, "window of")
    with pytest.raises(TypeError, match="run must be a recording"):
        halves(5)
    with pytest.raises(ValueError, match="children that read and write a Value"):
        halves(recording([]))
    with pytest.raises(ValueError, match="children that read and write a Value"):
        halves(recording([10]))
