"""The programs of this lesson: what is known of their schedules from theory, and that real processes can play them."""

import re
from inspect import signature
from math import comb, factorial, inf
from multiprocessing import active_children, get_all_start_methods, get_context

import pytest

from helpers.lessons import interleavings
from helpers.recording.kinds import Outcome
from helpers.scheduling import Model, ends_with, explore, keep_workers, replay, violation
from helpers.show import compare
from helpers.supervision.supervisor import supervised
from tests.lessons.agreement import assert_runs_as_its_model_allows

PROGRAMS = [
    interleavings.increments(),
    interleavings.additions(),
    interleavings.locked_increments(),
    interleavings.check_then_act(),
    interleavings.locked_check_then_act(),
]


def orders(processes, steps):
    """Return in how many orders processes can take so many steps each: the multinomial coefficient."""
    return factorial(processes * steps) // factorial(steps) ** processes


def states_of(explored):
    return (explored[number] for number in range(len(explored)))


@pytest.mark.parametrize(("processes", "times"), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (2, 2), (3, 2), (2, 10)])
def test_increments_have_as_many_schedules_as_there_are_orders_of_their_steps(processes, times):
    explored = explore(interleavings.increments(processes, times))
    assert explored.schedules == sum(explored.outcomes.values()) == orders(processes, 2 * times)
    assert explored.deadlocks == 0


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 5])
def test_nothing_is_lost_only_where_processes_take_turns(processes):
    explored = explore(interleavings.increments(processes))
    assert explored.outcomes[processes] == factorial(processes)
    assert set(explored.outcomes) == set(range(1, processes + 1))


def test_five_increments_end_with_five_in_120_of_113400_schedules():
    explored = explore(interleavings.increments(5))
    assert (explored.schedules, explored.outcomes[5]) == (113_400, 120)


def test_two_increments_lose_one_in_four_of_six_schedules():
    explored = explore(interleavings.increments())
    assert explored.outcomes == {1: 4, 2: 2}
    assert (explored.probability(1) * 6, explored.probability(1, "coin") * 2) == (4, 1)


@pytest.mark.parametrize(("processes", "times"), [(2, 2), (2, 3), (3, 2), (2, 10)])
def test_the_surprising_minimum_of_repeated_increments_is_two(processes, times):
    explored = explore(interleavings.increments(processes, times))
    assert set(explored.outcomes) == set(range(2, processes * times + 1))
    assert explored.shortest(ends_with(1)) is None
    assert explored.outcomes[processes * times] == orders(processes, times)


def test_the_surprising_minimum_is_replayed_on_real_processes():
    scenario = interleavings.increments(2, 10)
    schedule = explore(scenario).shortest(ends_with(2))
    real = replay(scenario, schedule)
    assert (real.outcome, len(schedule), any(event.outcome is Outcome.LOST_UPDATE for event in real.trace.events)) == (
        2,
        40,
        True,
    )


@pytest.mark.parametrize(("processes", "times"), [(2, 1), (3, 1), (2, 3)])
def test_one_statement_looks_safe_until_it_is_expanded(processes, times):
    scenario = interleavings.additions(processes, times)
    assert explore(scenario).outcomes == {processes * times: orders(processes, times)}
    assert explore(scenario, "access").outcomes == explore(interleavings.increments(processes, times)).outcomes


@pytest.mark.parametrize(("processes", "times"), [(2, 1), (3, 1), (2, 10), (3, 3)])
@pytest.mark.parametrize("grain", ["step", "access"])
def test_under_a_lock_nothing_is_lost_and_few_schedules_are_left(processes, times, grain):
    explored = explore(interleavings.locked_increments(processes, times), grain)
    # critical sections only follow one another: as many schedules as orders of whole sections
    assert explored.outcomes == {processes * times: orders(processes, times)}
    assert explored.schedules == orders(processes, times) and explored.deadlocks == 0


def test_check_then_act_sells_one_ticket_twice_where_both_look_first():
    explored = explore(interleavings.check_then_act())
    # both look first (2 orders), and then each takes and sells: comb(4, 2) orders
    assert explored.outcomes == {1: 4, 2: 2 * comb(4, 2)}
    assert explored.violations == explored.outcomes[2]
    last = explored.follow(explored.shortest(violation))[-1].state
    assert len(last.shared["sold"]) == 2


@pytest.mark.parametrize("tickets", [0, 2, 3])
def test_check_then_act_is_safe_without_tickets_or_with_one_for_each(tickets):
    explored = explore(interleavings.check_then_act(2, tickets))
    assert set(explored.outcomes) == {min(2, tickets)} and explored.violations == 0


@pytest.mark.parametrize(("sellers", "tickets"), [(2, 0), (2, 1), (3, 1), (3, 2)])
@pytest.mark.parametrize("grain", ["step", "access"])
def test_under_one_lock_no_ticket_is_sold_twice(sellers, tickets, grain):
    explored = explore(interleavings.locked_check_then_act(sellers, tickets), grain)
    assert explored.violations == explored.deadlocks == 0
    # whoever has the lock sells to the end before the next one looks
    assert explored.outcomes == {min(sellers, tickets): factorial(sellers)}


# under spawn tests/scheduling/real/test_replays.py runs every schedule of these programs
@pytest.mark.parametrize("method", [method for method in get_all_start_methods() if method != "spawn"])
def test_each_program_runs_on_real_processes_by_a_schedule_and_free(method):
    with keep_workers():
        for program in PROGRAMS:
            assert_runs_as_its_model_allows(program, method)
    assert active_children() == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_each_worker_and_each_step_says_what_it_does(program):
    model = Model(program)
    assert all(graph.worker.__doc__ for graph in model.graphs)
    explored = explore(program)
    steps = explored.follow(explored.shortest(lambda state: state.finished))
    assert all(step.label not in ("", "go on") for step in steps)


@pytest.mark.parametrize(
    "builder",
    [
        interleavings.increments,
        interleavings.additions,
        interleavings.locked_increments,
        interleavings.check_then_act,
        interleavings.locked_check_then_act,
    ],
)
@pytest.mark.parametrize("value", [0, -1, 1.5, "two", None, True, 10**6, inf])
def test_a_senseless_number_is_named(builder, value):
    parameter = next(iter(signature(builder).parameters))
    with pytest.raises((TypeError, ValueError), match=rf"{parameter} must be .*from \d+ to .*, not {value!r}"):
        builder(value)
    assert active_children() == []


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: interleavings.increments(2, 0), "times must be from 1 to 10,000, not 0"),
        (lambda: interleavings.additions(2, "ten"), "times must be a whole number .* not 'ten'"),
        (lambda: interleavings.locked_increments(2, -1), "times must be from 1 to 10,000, not -1"),
        (lambda: interleavings.check_then_act(2, -1), "tickets must be from 0 to 10,000, not -1"),
    ],
)
def test_a_senseless_second_number_is_named(build, words):
    with pytest.raises((TypeError, ValueError), match=words):
        build()


@pytest.mark.parametrize("method", get_all_start_methods())
def test_the_textbook_program_adds_one_for_each_process(method):
    ctx = get_context(method)
    with supervised(deadline=20):
        counter = ctx.Value("i", 0)
        for number in range(1, 4):
            child = ctx.Process(target=interleavings.add_one, args=(counter,))
            child.start()
            # one after the other, so that nothing can be lost
            child.join()
            assert counter.value == number


@pytest.mark.parametrize("method", get_all_start_methods())
def test_real_processes_note_their_steps_in_order(method):
    ctx = get_context(method)
    with supervised(deadline=20):
        counter, start = ctx.Value("i", 0), ctx.Barrier(2)
        notes = [ctx.Array("q", 6, lock=False) for _ in range(2)]
        children = [ctx.Process(target=interleavings.note_halves, args=(counter, start, own, 3)) for own in notes]
        for child in children:
            child.start()
        for child in children:
            child.join()
    assert all(own[0] > 0 and list(own) == sorted(own) for own in notes)
    assert 2 <= counter.value <= 6


@pytest.mark.parametrize(("workers", "increments", "schedules", "losing"), [(2, 1, 6, 4), (3, 1, 90, 84), (1, 3, 1, 0)])
def test_the_panel_says_how_many_schedules_lose(workers, increments, schedules, losing):
    data, verdict = interleavings.play(workers, increments, False)
    assert verdict.startswith(f"{workers} x {increments}: {schedules} schedules, and {losing} of them lose an update.")
    assert re.search(rf"\d+ of {interleavings.PANEL_RUNS} runs ended with {workers * increments}\.$", verdict)
    assert ("Proof" in compare(**data).title) == (losing == 0)
    assert active_children() == []


def test_the_panel_proves_the_lock_and_never_sees_a_loss():
    data, verdict = interleavings.play(3, 3, True)
    assert "1,680 schedules, and 0 of them lose an update. That is a proof" in verdict
    assert verdict.endswith("300 of 300 runs ended with 9.")
    assert compare(**data).title == "Proof: 0 of 1,680 schedules lose an update; 0 of 300 runs here"


@pytest.mark.parametrize("value", [0, -1, 1.5, "two", None, True, 10**6])
def test_a_senseless_number_for_the_panel_is_named(value):
    with pytest.raises((TypeError, ValueError), match=rf"workers must be .*from 1 to 3, not {value!r}"):
        interleavings.play(value, 1, False)
    with pytest.raises((TypeError, ValueError), match=rf"increments must be .*from 1 to 3, not {value!r}"):
        interleavings.play(2, value, False)
    assert active_children() == []
