"""The figure of a failing run shows each step where it was taken, and what went wrong in more than colour."""

import os
from functools import cache

import pytest

from helpers.control import check
from helpers.lessons import check as programs
from helpers.show.figures.turns import turns
from helpers.show.theme import FAILURE

pytestmark = pytest.mark.skipif(os.name == "nt", reason="controlled programs are forked")


@cache
def failure_of(program):
    return check(program, lambda outcome: outcome == programs.RIGHT[program]).failure


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def hatched(picture):
    return [patch for patch in picture.figure.axes[0].patches if patch.get_hatch()]


def test_the_title_says_what_came_of_the_run():
    assert turns(failure_of(programs.count)).title == "27 steps, 1 preemption: the outcome is 4"
    assert turns(failure_of(programs.transfers)).title == "7 steps, 1 preemption: a deadlock"
    assert turns(failure_of(programs.transfers), "Stuck").title == "Stuck"


def test_there_is_a_lane_for_each_process_and_a_box_for_each_step():
    picture = turns(failure_of(programs.count_in_dict))
    assert [label.get_text() for label in picture.figure.axes[0].get_yticklabels()] == ["main", "child 1", "child 2"]
    boxes = [patch for patch in picture.figure.axes[0].patches if patch.get_width() == pytest.approx(0.9)]
    assert len(boxes) == len(failure_of(programs.count_in_dict).schedule)
    # one process at a time: no two boxes begin at the same place
    assert len({box.get_x() for box in boxes}) == len(boxes)


def test_steps_say_what_was_done_with_what():
    assert "acquire\nLock 1" in texts(turns(failure_of(programs.transfers)))
    assert {"get\ndict 1", "setitem\ndict 1"} <= set(texts(turns(failure_of(programs.count_in_dict))))
    assert {"read 3", "write 4"} <= set(texts(turns(failure_of(programs.count))))


def test_the_write_that_undoes_another_one_has_a_cross():
    picture = turns(failure_of(programs.count))
    crosses = [text for text in picture.figure.axes[0].texts if text.get_text() == "✗"]
    assert len(crosses) == 1 and crosses[0].get_color() == FAILURE


def test_who_waits_for_ever_is_hatched_and_named():
    picture = turns(failure_of(programs.transfers))
    assert {"✗ acquire Lock 1", "✗ acquire Lock 2", "✗ join child 1"} <= set(texts(picture))
    assert len(hatched(picture)) == 3


def test_who_waits_for_a_while_is_hatched_in_its_own_colour():
    picture = turns(failure_of(programs.count_in_dict))
    assert len(hatched(picture)) == 1  # main joins


def test_the_story_stands_for_the_picture():
    failure = failure_of(programs.tea)
    assert turns(failure).words == failure.story
