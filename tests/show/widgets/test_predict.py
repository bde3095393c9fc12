"""Predictions: nothing is revealed before, the verdict compares, and without a learner the page still reads well."""

import pytest

from helpers.show import predict


def press(prediction):
    prediction._commit.click()


def test_the_question_and_its_answers_can_be_read_without_a_kernel():
    data = predict("How many?", ["one", "two"])._repr_mimebundle_()
    assert data["text/markdown"] == "**Predict.** How many?\n\n- one\n- two"


def test_no_answer_is_marked_at_first():
    assert predict("How many?", ["one", "two"])._choice.value is None


def test_an_answer_counts_once_it_is_committed():
    question = predict("How many?", ["one", "two"])
    question._choice.value = "two"
    assert question.answer is None
    press(question)
    assert question.answer == "two"
    assert question._choice.disabled and question._commit.disabled


def test_committing_to_nothing_asks_for_an_answer():
    question = predict("How many?", ["one", "two"])
    press(question)
    assert question.answer is None
    assert "Choose an answer first" in question._said.value


@pytest.mark.parametrize(("said", "words"), [("one", "You were right"), ("two", "Not this time")])
def test_the_verdict_compares(said, words):
    question = predict("How many?", ["one", "two"])
    question._choice.value = said
    press(question)
    verdict = question.verdict("one", because="There is one.").data
    assert words in verdict and "What happened: one" in verdict and "There is one." in verdict


def test_the_verdict_without_an_answer_says_what_happened_and_why():
    assert predict("How many?", ["one", "two"]).verdict("one", because="Why.").data == "**What happened: one.** Why."


@pytest.mark.parametrize(("said", "words"), [("2", "right"), ("1.1", "right"), ("0.9", "Not this time"), ("5", "Not")])
def test_a_number_is_right_within_a_factor_of_two(said, words):
    question = predict("How long?", unit="ms")
    question._choice.value = said
    press(question)
    assert words in question.verdict(2.0, because="So.").data


def test_a_number_that_is_none_is_asked_for_again():
    question = predict("How long?", unit="ms")
    question._choice.value = "soon"
    press(question)
    assert question.answer is None and "Type a number" in question._said.value


@pytest.mark.parametrize("answers", [["one"], ["a", "a"], list("abcdef"), []])
def test_a_wrong_number_of_answers_is_refused(answers):
    with pytest.raises(ValueError, match="answers must be"):
        predict("How many?", answers)


@pytest.mark.parametrize("said", ["nan", "inf", "1e300"])
def test_a_number_that_says_nothing_is_asked_for_again(said):
    question = predict("How long?", unit="ms")
    question._choice.value = said
    press(question)
    assert question.answer is None and "Type a number" in question._said.value


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
