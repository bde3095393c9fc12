"""Review: a question goes from box to box as Leitner's rule says, whatever the clock says."""

from datetime import UTC, datetime, timedelta

import pytest

from helpers.lessons.review import WAITS, plan
from helpers.progress import Entry, Progress

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def day(number):
    return BEGIN + timedelta(days=number)


def answered(*answers, lesson="pipe", name="echo", happened="yes"):
    """Return entries from (kind, right, day)."""
    return [
        Entry(lesson, kind, name, "no", right, day(number).isoformat(), happened) for kind, right, number in answers
    ]


def boxes(entries, now):
    planned = plan(Progress(tuple(entries), 0), day(now))
    return [(item.lesson, item.box) for item in planned.due], [(item.lesson, item.box) for item in planned.later]


def test_what_was_right_at_once_is_never_asked_again():
    assert boxes(answered(("prediction", True, 0)), 100) == ([], [])


def test_what_was_wrong_is_asked_a_day_later_and_not_before():
    wrong = answered(("prediction", False, 0))
    assert boxes(wrong, 0.9) == ([], [("pipe", 1)])
    assert boxes(wrong, 1) == ([("pipe", 1)], [])


def test_each_right_answer_goes_one_box_up_and_waits_longer_until_it_is_known():
    entries, now = answered(("prediction", False, 0)), 0
    for box, wait in enumerate(WAITS, 1):
        assert boxes(entries, now + wait - 0.1) == ([], [("pipe", box)])
        now += wait
        assert boxes(entries, now) == ([("pipe", box)], [])
        entries += answered(("review", True, now))
    assert boxes(entries, 1000) == ([], [])


def test_a_wrong_answer_leads_back_to_the_first_box():
    entries = answered(("prediction", False, 0), ("review", True, 1), ("review", True, 3), ("review", False, 7))
    assert boxes(entries, 8) == ([("pipe", 1)], [])


def test_a_lesson_that_is_run_again_moves_nothing_up():
    assert boxes(answered(("prediction", False, 0), ("prediction", True, 0.1)), 1) == ([("pipe", 1)], [])


def test_two_of_a_lesson_come_in_a_row_only_where_no_other_is_left():
    entries = [
        *answered(("prediction", False, 0), name="one"),
        *answered(("prediction", False, 0.1), name="two"),
        *answered(("prediction", False, 0.2), name="three"),
        *answered(("prediction", False, 0.3), lesson="queues"),
    ]
    due, _ = boxes(entries, 2)
    assert [lesson for lesson, _ in due] == ["pipe", "queues", "pipe", "pipe"]


def test_what_cannot_be_judged_or_dated_is_left_out():
    nobody_knows = answered(("prediction", False, 0), happened="")
    no_date = [Entry("pipe", "prediction", "echo", "no", False, "yesterday", "yes")]
    assert boxes([*nobody_knows, *no_date], 100) == ([], [])


def test_a_result_that_was_noted_later_makes_an_old_question_judgeable():
    entries = answered(("prediction", False, 0), happened="") + answered(("prediction", True, 1))
    assert boxes(entries, 2) == ([("pipe", 1)], [])


def test_a_moment_without_its_time_zone_is_refused():
    with pytest.raises(ValueError, match="now must be a moment with a time zone"):
        plan(Progress((), 0), datetime(2026, 1, 1))
