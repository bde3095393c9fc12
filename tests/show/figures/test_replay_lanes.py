"""A replay as a figure: lost updates and endless waiting are named, and no schedule is too short to be drawn."""

import re

import pytest

from helpers.lessons.interleavings import increments
from helpers.lessons.synchronisation import philosophers
from helpers.scheduling import replay
from helpers.show.figures.replay_lanes import replay_lanes
from helpers.show.theme import FAILURE
from tests import scheduled


def colours_of(picture):
    return [patch.get_facecolor()[:3] for patch in picture.figure.axes[0].patches]


def test_lost_updates_are_drawn_in_vermilion_and_named():
    picture = replay_lanes(replay(increments(2), [0, 1, 0, 1]))
    assert picture.title == "4 steps on real processes: the outcome is 1, 1 update lost"
    assert re.search(r"Step 4, at \d+\.\d\d ms: increment 1, write 1, an update is lost\.$", picture.words)
    vermilion = tuple(int(FAILURE[at : at + 2], 16) / 255 for at in (1, 3, 5))
    assert [colour == pytest.approx(vermilion) for colour in colours_of(picture)].count(True) == 1
    assert any("lost update" in text.get_text() for text in picture.figure.axes[0].texts)


def test_an_error_is_no_lost_update():
    picture = replay_lanes(replay(scheduled.of(scheduled.raise_if_set, processes=2, raises=(LookupError,)), [0, 0, 1]))
    assert picture.words.endswith("it raised an error.")
    texts = " ".join(text.get_text() for text in picture.figure.axes[0].texts)
    assert "raised" in texts and "lost update" not in texts


def test_a_deadlock_is_drawn_with_who_waits_for_whom():
    picture = replay_lanes(replay(philosophers(), [0, 1]))
    assert picture.title == "2 steps on real processes: a deadlock"
    assert picture.words.endswith("dine 0 waits for fork 1, held by dine 1. dine 1 waits for fork 0, held by dine 0.")


def test_a_replay_without_a_step_can_be_drawn():
    picture = replay_lanes(replay(increments(2), []))
    assert picture.title == "0 steps on real processes: stopped before the end"
    assert picture.png().startswith(b"\x89PNG")
