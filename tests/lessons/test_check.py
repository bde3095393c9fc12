"""The programs of this lesson fail and hold as the lesson says of them, under every start method."""

import os
from functools import partial
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.control import check, rerun
from helpers.lessons import check as programs
from helpers.measuring.proportion import Proportion
from helpers.show import found, question
from helpers.supervision import supervised

pytestmark = pytest.mark.skipif(os.name == "nt", reason="controlled programs are forked")
each_method = pytest.mark.parametrize(
    "ctx", [get_context(name) for name in get_all_start_methods()], ids=get_all_start_methods()
)

WRONG = {
    programs.count: "outcome",
    programs.count_after_sleep: "outcome",
    programs.count_in_dict: "outcome",
    programs.transfers: "deadlock",
    programs.tea: "deadlock",
}
REPAIRED = [program for program in programs.RIGHT if program not in WRONG]


def checked(program, ctx, **options):
    right = programs.RIGHT[program]
    return check(partial(program, ctx), lambda outcome: outcome == right, **options)


@each_method
def test_the_repaired_programs_end_as_they_should_when_they_run_free(ctx):
    with supervised(60):
        assert {program: program(ctx) for program in REPAIRED} == {each: programs.RIGHT[each] for each in REPAIRED}


@each_method
@pytest.mark.parametrize("program", WRONG, ids=lambda program: program.__name__)
def test_a_wrong_program_fails_with_a_single_preemption(program, ctx):
    result = checked(program, ctx)
    assert result.failure.reason == WRONG[program]
    assert result.failure.preemptions == 1
    assert result.runs <= 20


@each_method
@pytest.mark.parametrize("program", REPAIRED, ids=lambda program: program.__name__)
def test_a_repaired_program_does_not_fail_with_up_to_two(program, ctx):
    result = checked(program, ctx)
    assert result and result.exhausted == 2


def test_the_textbook_fails_again_each_time():
    schedule = check(programs.count, lambda total: total == 5).failure.schedule
    assert rerun(programs.count, schedule, times=10).outcomes == {4: 10}


@each_method
def test_the_letters_take_turns_only_with_more_than_two_preemptions(ctx):
    def holds(page):
        return page != "ababab"

    shallow = check(partial(programs.letters, ctx), holds)
    assert shallow and shallow.exhausted == 2
    assert f" and {len(shallow.outcomes) - 6} others.\n" in shallow.words
    deep = check(partial(programs.letters, ctx), holds, strategy="all")
    assert (deep.failure.outcome, deep.failure.preemptions) == ("ababab", 4)


def test_the_deadlock_says_who_waits_for_what_that_who_holds():
    conflict = check(programs.transfers).failure.conflict
    assert "child 1 waits in acquire for Lock 2, held by child 2" in conflict
    assert "child 2 waits in acquire for Lock 1, held by child 1" in conflict


@pytest.mark.thorough
def test_every_way_to_search_says_what_it_met():
    met = {way: programs.search(way, 1) for way in programs.WAYS}
    assert met["bounded"] == 3
    assert met["free runs"].runs == programs.FREE_RUNS
    assert all(isinstance(met[way], Proportion) and met[way].runs > 0 for way in ("coin", "PCT"))


def test_the_panel_tells_the_story_and_draws_it():
    data, verdict = programs.play("transfers", "bounded", 10)
    assert found(**data).title == "transfers: a deadlock, in run 3 of at most 10"
    assert verdict.startswith("3 runs, and the last one failed.\nDeadlock (7 steps, 1 preemption)\n")


def test_the_panel_says_what_is_proved_when_nothing_fails():
    data, verdict = programs.play("tea_inside", "bounded", 50)
    assert found(**data).title.startswith("tea_inside, at most 50 runs: 0 of ")
    assert "Every schedule with up to 2 preemptions was tried" in verdict


def test_the_panel_tries_no_more_runs_than_it_is_told():
    data, verdict = programs.play("count", "bounded", 2)
    assert data["result"].runs == 2
    assert "Not every schedule was tried" in verdict


@pytest.mark.parametrize("runs", [0, -1, 101])
def test_a_number_of_runs_out_of_range_is_refused(runs):
    with pytest.raises(ValueError, match=f"runs must be from 1 to 100, not {runs}"):
        programs.play("count", "bounded", runs)


@pytest.mark.parametrize(
    ("key", "measured", "answer"),
    [
        ("again", lambda: {4: 100}, "always"),
        ("sleep", lambda: check(programs.count_after_sleep, lambda total: total == 5), "outcome"),
        ("transfers", lambda: check(programs.transfers), "deadlock"),
        ("letters", lambda: check(programs.letters, lambda page: page != "ababab", strategy="all"), "outcome"),
    ],
)
def test_a_question_is_answered_by_what_was_measured(key, measured, answer):
    asked = programs.QUESTIONS[key]
    assert asked.judge(measured()) == answer
    assert answer in asked.answers and answer in asked.because
    assert question(programs, key).asked is asked
