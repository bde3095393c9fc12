"""The review asks one question after another, judges by what the machine did then, and notes each answer."""

from datetime import UTC, datetime, timedelta

from helpers import progress, workbook
from helpers.lessons import choosing, interleavings
from helpers.show.widgets.review import NOTHING_YET, Review

NAME, ASKED = next((name, asked) for name, asked in interleavings.QUESTIONS.items() if asked.answers)
RIGHT, WRONG = list(ASKED.answers)[:2]
NUMBER = next(name for name, asked in choosing.QUESTIONS.items() if not asked.answers)


def tomorrow():
    return datetime.now(UTC) + timedelta(days=1, minutes=1)


def noted():
    return [(each.name, each.answer, each.right) for each in progress.read().entries if each.kind == "review"]


def answer_wrong(lesson="interleavings", name=NAME, happened=RIGHT):
    progress.note(lesson, "prediction", name, WRONG, False, happened)


def test_it_reads_well_where_nobody_has_answered():
    asked = Review()
    assert asked.words() == NOTHING_YET and NOTHING_YET in asked.page()
    assert workbook.WORKBOOK.exists() is False


def test_what_is_not_due_is_named_with_its_day():
    answer_wrong()
    assert "The next one comes on" in Review().words()


def test_a_right_answer_goes_up_and_the_next_question_follows():
    answer_wrong()
    answer_wrong("choosing", NUMBER, "4")
    asked = Review(tomorrow)
    assert asked.asked["question"] == ASKED.asks and "2 questions to ask" in asked.asked["why"]
    asked.perform("answer", {"answer": ASKED.answers[RIGHT]})
    assert "You were right" in asked.told and "box 2, after 2 days" in asked.told
    asked.perform("next", {})
    assert asked.told == "" and asked.asked["unit"]
    asked.perform("answer", {"answer": "100"})
    assert "Not this time" in asked.told and "box 1, after 1 day" in asked.told
    assert noted() == [(NAME, RIGHT, True), (NUMBER, "100.0", False)]


def test_an_answer_is_noted_once_however_often_it_is_sent():
    answer_wrong()
    asked = Review(tomorrow)
    for _ in range(2):
        asked.perform("answer", {"answer": ASKED.answers[WRONG]})
    assert noted() == [(NAME, WRONG, False)]


def test_questions_that_are_gone_are_left_out():
    progress.note("interleavings", "prediction", "no such question", "x", False, "x")
    progress.note("no_such_lesson", "prediction", "x", "x", False, "x")
    answer_wrong(happened="no such answer")
    assert Review(tomorrow).words() == NOTHING_YET
