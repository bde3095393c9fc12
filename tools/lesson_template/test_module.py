"""New lesson: its workers do what the lesson says of them, under every start method."""

import time
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.lessons import new_lesson
from helpers.show import lanes
from helpers.supervision import expect_failure, supervised

each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])


def start(ctx, worker, *arguments):
    """Start a child that holds the only other end of a line; return our end."""
    ours, theirs = ctx.Pipe()
    ctx.Process(target=worker, args=(theirs, *arguments)).start()
    theirs.close()
    return ours


@each_method
def test_a_number_is_doubled_and_then_nothing_comes(ctx):
    with supervised():
        ours = start(ctx, new_lesson.double)
        ours.send(21)
        assert ours.recv() == 42
        with pytest.raises(EOFError):
            ours.recv()


@each_method
def test_a_slow_child_answers_no_sooner_than_it_was_told(ctx):
    with supervised():
        ours = start(ctx, new_lesson.double_slowly, 0.1)
        begin = time.perf_counter()
        ours.send(21)
        assert ours.recv() == 42
        assert time.perf_counter() - begin >= 0.1


@each_method
def test_every_number_is_doubled(ctx):
    with supervised():
        ours = start(ctx, new_lesson.double_all)
        for number in [0, 1, 2, None]:
            ours.send(number)
        assert [ours.recv() for _ in range(3)] == [0, 2, 4]


def test_whoever_waits_for_an_answer_that_never_comes_is_told_where():
    with expect_failure(deadline=1) as failure:
        ours = start(get_context("spawn"), new_lesson.forget_to_answer)
        ours.send(21)
        ours.recv()
    assert "recv" in str(failure)


def test_the_panel_draws_the_questions_and_says_how_long_an_answer_took():
    data, verdict = new_lesson.ask(messages=3, thinking_ms=1)
    assert verdict.startswith("3 answers came, one every ")
    assert "9 messages" in lanes(**data).title


@pytest.mark.parametrize("value", [0, -1, 10**6])
def test_a_number_of_questions_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=f"messages must be from 1 to 1,000, not {value}"):
        new_lesson.ask(value, 1)


@pytest.mark.parametrize(("measured", "answer"), [(21, "21"), (42, "42")])
def test_the_question_is_settled_by_what_was_measured(measured, answer):
    assert new_lesson.QUESTIONS["copied"].judge(measured) == answer


@pytest.mark.parametrize("measured", ["error", "same", "waits"])
def test_the_other_question_is_settled_by_what_was_measured(measured):
    asked = new_lesson.QUESTIONS["again"]
    assert asked.judge(measured) == measured and measured in asked.answers
