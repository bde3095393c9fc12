"""Predictions: nothing is revealed before, the verdict compares, and without a learner the page still reads well."""

import pytest

from helpers.show import predict


def answered(question, answer):
    """Commit to an answer as the browser does."""
    question.set_state({"answered": answer})
    return question


def test_the_question_and_its_answers_can_be_read_without_a_kernel():
    data, _ = predict("How many `x`?", ["one", "2 < 3"])._repr_mimebundle_()
    assert data["text/markdown"] == "**Predict.** How many `x`?\n\n- one\n- 2 < 3"
    assert "How many <code>x</code>?</p><ul><li>one</li><li>2 &lt; 3</li></ul>" in data["text/html"]
    assert "Run this cell to answer." in data["text/html"]


def test_no_answer_is_marked_at_first():
    question = predict("How many?", ["one", "two"])
    assert question.answered is None and question.answer is None


def test_an_answer_is_kept_and_the_page_shows_it():
    question = answered(predict("How many?", ["one", "two"]), "two")
    assert question.answer == "two"
    assert "Your answer: two." in question.page()


@pytest.mark.parametrize(("said", "words"), [("one", "You were right"), ("two", "Not this time")])
def test_the_verdict_compares(said, words):
    question = answered(predict("How many?", ["one", "two"]), said)
    verdict = question.verdict("one", because="There is one.").data
    assert words in verdict and "What happened: one" in verdict and "There is one." in verdict
    assert question.settled and question.compared


def test_the_verdict_without_an_answer_says_what_happened_and_why():
    question = predict("How many?", ["one", "two"])
    assert question.verdict("one", because="Why.").data == "**What happened: one.** Why."
    assert question.settled and not question.compared


@pytest.mark.parametrize(("said", "words"), [("2", "right"), ("1.1", "right"), ("0.9", "Not this time"), ("5", "Not")])
def test_a_number_is_right_within_a_factor_of_two(said, words):
    question = answered(predict("How long?", unit="ms"), said)
    assert question.answer == float(said)
    assert words in question.verdict(2.0, because="So.").data


@pytest.mark.parametrize("answers", [["one"], ["a", "a"], list("abcdef"), []])
def test_a_wrong_number_of_answers_is_refused(answers):
    with pytest.raises(ValueError, match="answers must be"):
        predict("How many?", answers)


@pytest.mark.parametrize("happened", [float("nan"), float("inf"), "soon", None])
def test_what_happened_must_be_a_number_where_one_was_asked_for(happened):
    with pytest.raises((TypeError, ValueError), match=f"happened must be .* ms, not {happened!r}"):
        predict("How long?", unit="ms").verdict(happened, because="")


def test_a_unit_must_be_text():
    with pytest.raises(TypeError, match="unit must be text, not 5"):
        predict("How long?", unit=5)


@pytest.mark.parametrize("answers", [None, 5, "abc"])
def test_answers_must_be_a_list(answers):
    with pytest.raises(TypeError, match=f"answers must be a list of two to five .*, not {answers!r}"):
        predict("How many?", answers)


@pytest.mark.parametrize(("question", "answers"), [(None, ["a", "b"]), ("How many?", [1, 2])])
def test_what_is_not_text_is_refused(question, answers):
    with pytest.raises(TypeError, match="must be text"):
        predict(question, answers)


def test_a_verdict_that_was_no_answer_is_refused():
    with pytest.raises(ValueError, match="happened must be one of"):
        predict("How many?", ["one", "two"]).verdict("three", because="")
