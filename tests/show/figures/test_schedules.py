"""Pictures of schedules: the titles are computed from the exact counts, and nothing is told by colour alone."""

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import deadlock, ends_with, explore, violation
from helpers.scheduling.real.free_runs import Sample
from helpers.show.figures.schedules import BAR, compare, growth, story, strips, switches, wait_for
from helpers.show.theme import FAILURE


def hatched(picture):
    return [patch for patch in picture.figure.axes[0].patches if patch.get_hatch()]


def below(due):
    return lambda total: total < due


def stuck(number):
    explored = explore(synchronisation.philosophers(number))
    return explored.follow(explored.shortest(deadlock))[-1].state


def marks(picture):
    labels = picture.figure.axes[0].get_xticklabels()
    return {label.get_text().removesuffix(" ✗"): "✗" in label.get_text() for label in labels}


def test_both_models_and_what_was_seen_stand_side_by_side():
    seen = Sample(50, {2: 40, 1: 10}, 0)
    picture = compare(explore(interleavings.increments()), seen, below(2))
    assert picture.title == "66.7 % of all schedules lose an update, 50 % with a fair coin, 10 of 50 runs here"
    bars = [patch for patch in picture.figure.axes[0].patches if patch.get_width() == pytest.approx(BAR)]
    assert [bar.get_height() for bar in bars] == pytest.approx([200 / 3, 50, 20, 100 / 3, 50, 80])
    assert marks(picture) == {"1": True, "2": False}
    assert len(hatched(picture)) == 4


def test_unwanted_outcomes_are_told_in_words():
    picture = compare(explore(interleavings.increments()), Sample(50, {2: 50}, 0), below(2))
    assert picture.words == (
        "Outcome 1 (not wanted): 66.7 % of all schedules, 50 % with a coin, observed 0 %, interval 0 % to 7.1 %. "
        "Outcome 2: 33.3 % of all schedules, 50 % with a coin, observed 100 %, interval 92.9 % to 100 %."
    )


def test_a_title_without_a_losing_schedule_speaks_of_a_proof():
    picture = compare(explore(interleavings.locked_increments()), Sample(20, {2: 20}, 0), below(2))
    assert picture.title == "Proof: 0 of 2 schedules lose an update; 0 of 20 runs here"


def test_a_deadlock_is_an_outcome_that_nobody_wants():
    explored, seen = explore(synchronisation.philosophers()), Sample(10, {2: 9}, 1)
    picture = compare(explored, seen, lambda outcome: False, what="deadlock")
    assert picture.title == "33.3 % of all schedules deadlock, 50 % with a fair coin, 1 of 10 runs here"
    assert marks(picture) == {"2": False, "deadlock": True}


def test_a_few_and_many_outcomes_can_be_drawn():
    for scenario in [interleavings.increments(1), interleavings.increments(5), interleavings.increments(2, 5)]:
        explored = explore(scenario)
        most = max(explored.outcomes)
        assert compare(explored, Sample(10, {most: 10}, 0), below(most)).png().startswith(b"\x89PNG")


def test_what_cannot_be_compared_is_refused():
    explored, seen = explore(interleavings.increments()), Sample(1, {2: 1}, 0)
    with pytest.raises(TypeError, match="explored must be what explore returns, not 5"):
        compare(5, seen, below(2))
    with pytest.raises(TypeError, match="seen must be what sample returns, not 5"):
        compare(explored, 5, below(2))
    with pytest.raises(TypeError, match="broken must be a function of an outcome, not 5"):
        compare(explored, seen, 5)
    with pytest.raises(ValueError, match="at most 40 outcomes to draw, not 99"):
        compare(explored, Sample(98, dict.fromkeys(range(3, 100), 1), 0), below(2))


def test_growth_names_the_largest_case():
    picture = growth({times: explore(interleavings.increments(2, times)) for times in (1, 2, 4)}, "increments each")
    assert picture.title == "4 increments each: 12,870 schedules, but only 541 states"
    assert "1: 6 and 12, 2: 70 and 57, 4: 12,870 and 541." in picture.words
    assert picture.png().startswith(b"\x89PNG")


def test_growth_needs_two_cases_without_loops():
    one = explore(interleavings.increments())
    with pytest.raises(ValueError, match="a dict of two explorations or more by size, not {1: <"):
        growth({1: one}, "increments each")
    with pytest.raises(ValueError, match="finite number of schedules"):
        growth({1: one, 2: explore(synchronisation.peterson(), "access")}, "processes")


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_deadlock_is_drawn_as_a_circle(number):
    picture = wait_for(stuck(number))
    assert picture.title == f"{number} processes wait in a circle: none of them can ever go on"
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert texts.count("waits for") == texts.count("held by") == number
    assert {f"dine {i}" for i in range(number)} | {f"fork {i}" for i in range(number)} <= set(texts)
    assert picture.png().startswith(b"\x89PNG")


def test_a_circle_is_told_in_words_and_its_waiting_is_vermilion():
    picture = wait_for(stuck(2))
    assert picture.words == "dine 0 waits for fork 1, which dine 1 holds. dine 1 waits for fork 0, which dine 0 holds."
    arrows = [patch for patch in picture.figure.axes[0].patches if hasattr(patch, "get_arrowstyle")]
    red = (0xD5 / 255, 0x5E / 255, 0, 1)
    assert [arrow.get_edgecolor() == pytest.approx(red) for arrow in arrows] == [True, False, True, False]
    assert [arrow.get_linestyle() for arrow in arrows] == ["-", "--", "-", "--"]
    assert FAILURE == "#D55E00"


def test_without_a_circle_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="circle of 1 to 6 waiting processes, not 0"):
        wait_for(explore(synchronisation.philosophers())[0])
    with pytest.raises(TypeError, match="state must be a state of an exploration, not 5"):
        wait_for(5)


@pytest.mark.parametrize(("schedule", "times"), [([0], 0), ([0, 0, 1, 1], 1), ([0, 1, 0, 1], 3), ([], 0)])
def test_switches_are_counted(schedule, times):
    assert switches(schedule) == times


def test_strips_count_the_switches_and_number_the_steps():
    picture = strips({"real run": [0, 0, 1, 1], "fair coin": [0, 1, 0, 1]})
    assert picture.title == "Switches to another process: 1 (real run), 3 (fair coin)"
    assert [text.get_text() for text in picture.figure.axes[0].texts] == list("00110101")
    assert picture.words == "real run: 0 0 1 1. fair coin: 0 1 0 1."
    assert strips({"long": [0, 1] * 100}).png().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("schedules", "words"),
    [({}, "schedules must be a dict of schedules, one or more, by name, not {}"),
     ({"a": []}, r"schedules\['a'\] must be a list of process numbers"),
     ({"a": [0, -1]}, "schedules.'a'.* not -1"),
     ({"a": [0, 1.5]}, "schedules.'a'.* not 1.5"), ({"a": ["two"]}, "schedules.'a'.* not 'two'")],
)  # fmt: skip
def test_strips_of_anything_else_are_refused(schedules, words):
    with pytest.raises((TypeError, ValueError), match=words):
        strips(schedules)


def test_a_story_has_a_line_for_each_turn():
    explored = explore(interleavings.increments(2, 10))
    told = story(explored.follow(explored.shortest(ends_with(2)))).splitlines()
    assert told[:3] == [
        "      1  increment 0: read 0",
        "      2  increment 1: read 0",
        "   3-19  increment 0: write 1, read 1, … write 9",
    ]
    assert told[-1] == "     40  increment 0: write 2"


def test_a_short_turn_is_told_in_full():
    explored = explore(interleavings.check_then_act())
    assert "3-4  sell 0: takes one of 1, sells it" in story(explored.follow(explored.shortest(violation)))


def test_a_story_needs_a_step():
    with pytest.raises(ValueError, match="steps, one or more"):
        story([])
