"""The tree of schedules: a way for each, its chance is that of the model, and the title says what they come to."""

import re
from fractions import Fraction

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import deadlock, explore
from helpers.show import tree


def lost(total):
    return total < 2


def test_every_schedule_has_its_end_and_its_chance():
    explored = explore(interleavings.increments(2))
    picture = tree(explored, lost)
    assert picture.title == ("4 of 6 schedules lose an update: 66.7 % when you count, 50 % with a fair coin")
    assert picture.words.startswith("0 0 1 1: ends with 2, 1/4 with a coin. 0 1 0 1: ends with 1, not wanted, 1/8")
    chances = [Fraction(told) for told in re.findall(r"(\d/\d) with a coin", picture.words)]
    assert len(chances) == 6 and sum(chances) == 1


def test_chances_are_those_of_the_model():
    explored = explore(synchronisation.philosophers(2))
    picture = tree(explored, lambda meals: False, "deadlock")
    stuck = sum(Fraction(told) for told in re.findall(r"deadlock, not wanted, (\d+/\d+)", picture.words))
    assert stuck == explored.probability(deadlock, "coin")


def test_no_label_lies_on_another_one():
    figure = tree(explore(interleavings.increments(2)), lost).figure
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not [1 for number, box in enumerate(boxes) if any(box.overlaps(other) for other in boxes[:number])]


def test_too_many_schedules_are_refused():
    with pytest.raises(ValueError, match="explored must have 1 to 24 schedules to draw, not 90"):
        tree(explore(interleavings.increments(3)), lost)
