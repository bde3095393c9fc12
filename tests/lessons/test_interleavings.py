"""The programs of this lesson: what is known of their schedules from theory, and that real processes can play them."""

import re
from inspect import signature
from math import comb, factorial, inf
from multiprocessing import active_children, get_all_start_methods, get_context

import pytest

from helpers.lessons import interleavings
from helpers.recording.kinds import Outcome
from helpers.scheduling import Model, deadlock, ends_with, explore, keep_workers, replay, sample, violation
from helpers.show import compare
from helpers.supervision.supervisor import supervised

PROGRAMS = [
    interleavings.increments(),
    interleavings.additions(),
    interleavings.locked_increments(),
    interleavings.check_then_act(),
    interleavings.locked_check_then_act(),
    interleavings.philosophers(),
    interleavings.ordered_philosophers(),
    interleavings.peterson(),
    interleavings.late_peterson(),
    interleavings.bounded_queue(),
    interleavings.rendezvous(),
    interleavings.deliveries(),
    interleavings.crowded_room(),
    interleavings.telephone(),
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


@pytest.mark.parametrize("number", [2, 3, 4])
def test_locks_taken_crosswise_deadlock_where_all_take_their_first(number):
    explored = explore(interleavings.philosophers(number))
    assert explored.deadlocks == factorial(number)
    stuck = explored.follow(explored.shortest(deadlock))[-1].state
    assert len(stuck.cycle) == number
    assert {wait.held_by for wait in stuck.cycle} == {(i,) for i in range(number)}


def test_two_locks_crosswise_in_full():
    explored = explore(interleavings.philosophers())
    # the second begins after the first has put one fork down, before or after it puts down the other
    assert (explored.outcomes, explored.deadlocks, explored.schedules) == ({2: 4}, 2, 6)


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("grain", ["step", "access"])
def test_locks_taken_in_one_order_never_deadlock(number, grain):
    explored = explore(interleavings.ordered_philosophers(number), grain)
    assert explored.deadlocks == 0 and explored.shortest(deadlock) is None
    assert explored.outcomes == {number: explored.schedules}


@pytest.mark.parametrize("grain", ["step", "access"])
def test_petersons_algorithm_never_lets_both_in_and_never_stops(grain):
    explored = explore(interleavings.peterson(), grain)
    assert explored.violations == 0 and explored.shortest(violation) is None
    assert explored.deadlocks == explored.livelocked_states == 0
    assert {outcome[-1] for outcome in explored.outcomes} == {0}


@pytest.mark.parametrize("grain", ["step", "access"])
def test_petersons_algorithm_breaks_when_a_look_overtakes_the_writes(grain):
    explored = explore(interleavings.late_peterson(), grain)
    schedule = explored.shortest(violation)
    assert explored.follow(schedule)[-1].state.shared["inside"] == 2
    assert replay(interleavings.late_peterson(), schedule, grain=grain).state.violated


def turn_before_flag(mine, theirs, turn, me, inside):
    """Peterson's algorithm with its first two lines swapped."""
    turn.value = 1 - me
    yield
    mine.value = 1
    yield
    while theirs.value and turn.value != me:
        yield
    inside.value += 1
    yield
    inside.value -= 1
    yield
    mine.value = 0
    yield


def test_petersons_algorithm_breaks_when_two_lines_are_swapped():
    correct = interleavings.peterson()

    def swapped(objects):
        return [(turn_before_flag, arguments) for _, arguments in correct.build(objects)]

    explored = explore(correct._replace(build=swapped))
    assert explored.violations > 0
    assert explored.follow(explored.shortest(violation))[-1].state.shared["inside"] == 2


@pytest.mark.parametrize("items", [1, 2, 3, 6])
def test_a_queue_of_one_place_leaves_one_choice_an_item(items):
    explored = explore(interleavings.bounded_queue(1, items))
    # only the sum of one item and the putting of the next may come in either order
    assert explored.outcomes == {sum(range(items)): 2 ** (items - 1)}
    assert explored.schedules == 2 ** (items - 1)


@pytest.mark.parametrize("maxsize", [1, 2, 3])
def test_a_bounded_queue_is_never_more_than_full(maxsize):
    states = states_of(explore(interleavings.bounded_queue(maxsize, 5)))
    assert max(len(state.shared["queue"]) for state in states) == maxsize


def test_processes_that_meet_all_find_what_was_written_before():
    explored = explore(interleavings.rendezvous())
    assert explored.outcomes == {(2, 2): comb(4, 2) ** 2}
    assert explored.schedules == 36


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("grain", ["step", "access"])
def test_whoever_waits_for_a_parcel_gets_one(number, grain):
    explored = explore(interleavings.deliveries(number), grain)
    assert set(explored.outcomes) == {0} and explored.deadlocks == 0


@pytest.mark.parametrize(("guests", "room", "schedules"), [(3, 1, 6), (2, 2, comb(8, 4)), (3, 3, orders(3, 4))])
def test_a_semaphore_lets_in_as_many_as_there_is_room_for(guests, room, schedules):
    explored = explore(interleavings.crowded_room(guests, room))
    assert (explored.schedules, explored.violations, explored.deadlocks) == (schedules, 0, 0)
    inside = [sum(state.shared[f"guest {i}"] for i in range(guests)) for state in states_of(explored)]
    assert max(inside) == min(guests, room)


def test_a_question_comes_before_its_answer():
    explored = explore(interleavings.telephone())
    assert list(explored.each_schedule()) == [[0, 1, 1, 0]]
    assert explored.outcomes == {42: 1}


# under spawn tests/scheduling/real/test_replays.py runs every schedule of these programs
@pytest.mark.parametrize("method", [method for method in get_all_start_methods() if method != "spawn"])
def test_each_program_runs_on_real_processes_by_a_schedule_and_free(method):
    with keep_workers():
        for program in PROGRAMS:
            explored = explore(program)
            schedule = explored.shortest(lambda state: state.finished)
            assert replay(program, schedule, method).outcome in explored.outcomes
            seen = sample(program, 1, method)
            # a free run may be interrupted within a statement, between two accesses
            assert set(seen.outcomes) <= set(explore(program, "access").outcomes)
            assert seen.deadlocks <= explored.deadlocks
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
        interleavings.philosophers,
        interleavings.ordered_philosophers,
        interleavings.bounded_queue,
        interleavings.deliveries,
        interleavings.crowded_room,
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
        (lambda: interleavings.bounded_queue(1, None), "items must be a whole number .* not None"),
        (lambda: interleavings.crowded_room(3, 0), "room must be from 1 to 64, not 0"),
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
