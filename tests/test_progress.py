"""Progress lasts: first tries count, damage is skipped and said, and starting over loses nothing."""

from helpers import progress, workbook
from helpers.questions import Question
from helpers.show.widgets.predict import Prediction

QUESTION = Question("How many?", "", {"1": "one", "2": "two"}, judge=str)


def asked():
    return Prediction(QUESTION, "shared_memory", "many")


def test_the_first_try_of_a_prediction_counts_and_the_best_of_an_exercise():
    for right in (False, True):
        progress.note("shared_memory", "prediction", "How many?", "5", right)
        progress.note("shared_memory", "exercise", "till", "right" if right else "wrong", right)
    progress.note("shared_memory", "exercise", "till", "wrong", False)
    assert progress.read().predictions("shared_memory") == {"How many?": False}
    assert progress.read().exercises() == {"till": True}


def test_a_prediction_is_noted_when_its_verdict_is_told_and_only_once():
    question = asked()
    question.verdict(1)
    assert progress.read().entries == ()
    question.set_state({"answered": "two"})
    assert progress.read().predictions("shared_memory") == {}
    for _ in range(2):
        question.verdict(1)
    noted = [(each.kind, each.answer, each.right) for each in progress.read().entries]
    assert noted == [("answer", "2", False), ("prediction", "2", False)]


def test_a_damaged_line_is_skipped_and_counted_and_what_comes_after_is_read():
    progress.note("shared_memory", "exercise", "till", "right", True)
    file = workbook.WORKBOOK / progress.FILE
    file.write_bytes(b'\xff\n{"lesson": 5}\n[1]\n' + file.read_bytes() + b'{"lesson": "cut sho')
    progress.note("shared_memory", "exercise", "clock", "right", True)
    assert progress.read().damaged == 4
    assert set(progress.read().exercises()) == {"till", "clock"}


def test_starting_over_keeps_what_was_noted_under_another_name():
    assert progress.start_over() == "Nothing has been noted yet."
    progress.note("shared_memory", "exercise", "till", "right", True)
    assert "progress (kept).jsonl" in progress.start_over()
    assert progress.read().entries == ()
    assert "till" in (workbook.WORKBOOK / "progress (kept).jsonl").read_text(encoding="utf-8")


def test_a_verdict_is_told_where_nothing_can_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(workbook, "WORKBOOK", tmp_path / "file" / "workbook")
    question = asked()
    question.set_state({"answered": "two"})
    assert "Not this time" in question.verdict(1).data
