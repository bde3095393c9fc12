"""Questions and exercises tell the class what was answered and how it went."""

import pytest

from helpers.classroom import join, read_class, sharing
from helpers.exercises.form import court, desk
from helpers.exercises.form.finding import Finding, Kind
from helpers.exercises.shared_memory import till
from helpers.lessons import shared_memory
from helpers.show import question


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Join a class; return a function that says what it has been told."""
    monkeypatch.setenv(sharing.FOLDER, str(tmp_path))
    join("Ada")
    return lambda: [(line.kind, line.name, line.answer, line.right) for line in read_class(tmp_path).people[0].lines]


def test_an_answer_is_told_when_it_is_given_and_again_with_its_verdict(told):
    asked = question(shared_memory, "torn")
    assert told() == []
    asked.answered = "9:59"
    assert told() == [("answer", "torn", "9:59", False)]
    # after the discussion the cell is run again
    again = question(shared_memory, "torn")
    # that her first answer is there again is nothing new
    assert len(told()) == 1
    again.answered = "10:59"
    again.verdict("10:59")
    assert told()[1:] == [("answer", "torn", "10:59", False), ("verdict", "torn", "10:59", True)]


def test_a_check_is_told_with_the_usual_mistake(told, tmp_path, monkeypatch):
    mistake = till.mistakes[0]
    at = desk.Desk(till)
    at.keep_module(till.with_part(mistake.source))
    monkeypatch.setattr(court, "judged", lambda *_: Finding(Kind.WRONG, "It comes to 10."))
    at.check()
    monkeypatch.setattr(court, "judged", lambda *_: Finding(Kind.RIGHT, ""))
    at.check()
    assert told() == [("exercise", "till", "wrong", False), ("exercise", "till", "right", True)]
    (standing,) = read_class(tmp_path).standings
    assert (standing.tried, standing.solved, standing.mistake) == (1, 1, "")
    assert [line.mistake for line in read_class(tmp_path).people[0].lines] == [mistake.words, ""]
