"""Predictions: nothing is revealed before, the verdict compares, and without a learner the page still reads well."""

import importlib
import math
from pathlib import Path
from types import ModuleType

import pytest

from helpers import lessons, progress
from helpers.lessons import pipe
from helpers.questions import Question
from helpers.show import question
from helpers.show.widgets import frontend
from helpers.show.widgets.frontend import Client
from helpers.show.widgets.predict import CLOSE, Prediction, html_of, questions_of

HOW_MANY = Question("How many `x`?", {"1": "There is one."}, {"1": "one", "2": "2 < 3"}, judge=str)
HOW_LONG = Question("How long?", "So.", unit="ms", judge=lambda seconds: 1000 * seconds)
# a review asks the questions of the others
MODULES = sorted({path.stem for path in Path(lessons.__path__[0]).glob("[a-z]*.py")} - {"review"})


def lesson(**questions):
    """Return a module with these questions."""
    module = ModuleType("lesson")
    module.QUESTIONS = questions
    return module


def answered(asked, answer):
    """Ask, and commit to an answer as the browser does."""
    shown = question(lesson(it=asked), "it")
    shown.set_state({"answered": answer})
    return shown


def test_the_question_and_its_answers_can_be_read_without_a_kernel():
    data, _ = Prediction(HOW_MANY)._repr_mimebundle_()
    assert data["text/markdown"] == "**Predict.** How many `x`?\n\n- one\n- 2 < 3"
    assert "How many <code>x</code>?</p><ul><li>one</li><li>2 &lt; 3</li></ul>" in data["text/html"]
    assert "Run this cell to answer." in data["text/html"]


def test_no_answer_is_marked_at_first():
    shown = Prediction(HOW_MANY)
    assert shown.answered is None and shown.answer is None


def test_what_is_kept_of_an_answer_is_its_key_and_the_page_shows_its_words():
    shown = answered(HOW_MANY, "2 < 3")
    assert shown.answer == "2"
    assert "Your answer: 2 &lt; 3." in shown.page()


def test_a_page_without_cells_is_told_from_a_notebook(monkeypatch):
    assert Prediction(HOW_MANY).has_cells
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert not Prediction(HOW_MANY).has_cells


@pytest.mark.parametrize(("said", "words"), [("one", "You were right"), ("2 < 3", "Not this time")])
def test_the_verdict_compares(said, words):
    shown = answered(HOW_MANY, said)
    verdict = shown.verdict(1).data
    assert words in verdict and "What happened: one" in verdict and "There is one." in verdict
    assert "<details>" not in verdict
    assert shown.settled and shown.compared


def test_the_verdict_without_an_answer_is_folded_and_says_what_happened_and_why():
    shown = Prediction(HOW_MANY)
    verdict = shown.verdict(1).data
    assert verdict.startswith("<details><summary>") and verdict.endswith("</details>")
    assert "**What happened: one.** There is one." in verdict
    assert shown.settled and not shown.compared


def test_the_reason_is_the_one_for_what_happened_and_what_nobody_expected_is_not_explained():
    assert "There is one." not in Prediction(HOW_MANY).verdict(2).data
    assert "did not expect this" in Prediction(HOW_MANY).verdict(2).data
    assert "So." in Prediction(HOW_LONG).verdict(1).data


@pytest.mark.parametrize(("said", "words"), [("2", "right"), ("1.1", "right"), ("0.9", "Not this time"), ("5", "Not")])
def test_a_number_is_right_within_a_factor_of_two(said, words):
    shown = answered(HOW_LONG, said)
    assert CLOSE == 2 and shown.answer == float(said)
    assert words in shown.verdict(0.002).data


@pytest.mark.parametrize(
    "answers", [{"a": "one"}, {"a": "a", "b": "a"}, dict(zip("abcdef", "abcdef", strict=True)), {}]
)
def test_a_wrong_number_of_answers_is_refused(answers):
    with pytest.raises(ValueError, match="answers must be"):
        question(lesson(it=Question("How many?", "", answers)), "it")


@pytest.mark.parametrize(
    "asked", [Question(None, "", {"a": "a", "b": "b"}), Question("How many?", "", {"a": 1, "b": 2}), "How many?"]
)
def test_what_is_no_question_is_refused(asked):
    with pytest.raises(TypeError, match="must be (text|a Question)"):
        question(lesson(it=asked), "it")


def test_answers_must_be_a_dict_and_a_unit_must_be_text():
    for asked in (Question("Why?", "", "abc"), Question("How long?", "", unit=5)):
        with pytest.raises(TypeError, match="must be"):
            question(lesson(it=asked), "it")


def test_a_lesson_without_questions_and_a_key_that_it_lacks_are_refused():
    with pytest.raises(TypeError, match="lesson must be a module with a dict QUESTIONS"):
        question(math, "it")
    with pytest.raises(ValueError, match="key must be one of it, not 'that'"):
        question(lesson(it=HOW_MANY), "that")


def test_questions_are_found_by_the_name_of_the_lesson_and_nothing_else_is_imported():
    assert questions_of("pipe") is pipe.QUESTIONS
    # a name may come from a file that others wrote
    assert [questions_of(name) for name in ("", "no_such_lesson", "..exercises.pipe", "pipe.x", "os")] == [{}] * 5


def test_a_question_that_is_asked_again_has_the_last_answer_which_may_be_changed():
    first = answered(HOW_MANY, "2 < 3")
    first.verdict(1)
    again = question(lesson(it=HOW_MANY), "it")
    assert again.answer == "2" and again.compared and again.reopened
    assert "Your answer: 2 &lt; 3." in again.page()
    assert "you said 2 < 3" in again.verdict(1).data
    # once she has been told, it is as closed as after the first time
    assert not again.reopened
    again.set_state({"answered": "one", "reopened": False})
    assert again.settled and not again.compared
    # the first one that was judged counts
    assert progress.read().predictions("lesson") == {"it": False}
    assert question(lesson(it=HOW_MANY), "it").answer == "1"


@pytest.mark.parametrize(("said", "shown"), [("2.50", "2.5"), ("0", "0"), ("12", "12")])
def test_a_number_is_there_again_before_and_after_its_verdict(said, shown):
    first = answered(HOW_LONG, said)
    again = question(lesson(it=HOW_LONG), "it")
    assert (again.answered, again.compared) == (shown, False)
    first.verdict(0.002)
    assert question(lesson(it=HOW_LONG), "it").compared


def test_an_answer_that_the_question_has_no_more_is_not_there_again():
    answered(HOW_MANY, "2 < 3").verdict(1)
    again = question(lesson(it=HOW_MANY._replace(answers={"1": "one", "3": "three"})), "it")
    assert again.answer is None and not again.reopened and not again.compared
    assert question(lesson(it=HOW_LONG._replace(unit="days")), "it").answer == 2


@pytest.mark.parametrize("client", [Client.LAB, Client.WIDGETS, Client.RUNNER])
def test_a_page_that_is_made_for_everybody_shows_nobody_s_answer(client, monkeypatch):
    answered(HOW_MANY, "one")
    monkeypatch.setattr(frontend, "client", lambda: client)
    assert question(lesson(it=HOW_MANY), "it").answer == (None if client is Client.RUNNER else "1")


@pytest.mark.parametrize("happened", [math.nan, math.inf, None, "soon"])
def test_what_happened_must_be_a_number_where_one_was_asked_for(happened):
    with pytest.raises((TypeError, ValueError), match="measured must be .* ms, not "):
        Prediction(HOW_LONG._replace(judge=lambda measured: measured)).verdict(happened)


def test_a_verdict_that_was_no_answer_is_refused():
    with pytest.raises(ValueError, match="measured must be one of"):
        Prediction(HOW_MANY).verdict(3)


@pytest.mark.parametrize("name", MODULES)
def test_every_question_of_a_lesson_can_be_asked_and_its_reasons_belong_to_its_answers(name):
    module = importlib.import_module(f"helpers.lessons.{name}")
    assert module.QUESTIONS
    for key, asked in module.QUESTIONS.items():
        question(module, key)
        reasons = {"": asked.because} if isinstance(asked.because, str) else asked.because
        assert reasons and all(reasons.values())
        assert isinstance(asked.because, str) or set(reasons) <= set(asked.answers)


def test_words_are_bold_between_stars_and_code_keeps_its_own():
    assert html_of("**one** `f(**a, **b)`") == "<b>one</b> <code>f(**a, **b)</code>"
