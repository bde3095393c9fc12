"""The scenes of this lesson: what is proved of them, what breaks them, and that real processes can play them."""

import re
from inspect import signature
from math import comb, factorial, inf
from multiprocessing import active_children, get_all_start_methods, get_context

import pytest

from helpers.lessons import synchronisation
from helpers.recording import record
from helpers.recording.kinds import EventKind
from helpers.recording.trace import Event, ProcessInfo, Trace
from helpers.scheduling import (
    Model,
    deadlock,
    explore,
    keep_workers,
    replay,
    starves,
    violation,
)
from helpers.show import lanes
from tests.lessons.agreement import assert_runs_as_its_model_allows

each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])
each_grain = pytest.mark.parametrize("grain", ["step", "access"])

ENDING = [
    synchronisation.one_lock(),
    synchronisation.own_locks(),
    synchronisation.till_with_rlock(),
    synchronisation.crowded_room(),
    synchronisation.hasty_guests(),
    synchronisation.hasty_guests_bounded(),
    synchronisation.gate_opens(),
    synchronisation.gate_blinks(),
    synchronisation.one_bell(),
    synchronisation.deliveries(),
    synchronisation.rounds_at_gate(),
    synchronisation.rounds_by_count(),
    synchronisation.rounds_at_barrier(),
    synchronisation.philosophers(),
    synchronisation.ordered_philosophers(),
    synchronisation.seated_philosophers(),
    synchronisation.polite_philosophers(),
    synchronisation.peterson(),
    synchronisation.late_peterson(),
]
ENDLESS = [synchronisation.readers_and_writer(), synchronisation.greedy_guests(), synchronisation.taking_turns()]


def states_of(explored):
    return (explored[number] for number in range(len(explored)))


def run_three(ctx, worker, *shared):
    """Run three processes of one worker to their ends; return what was recorded of them."""
    with record(deadline=30) as run:
        made = [make() for make in shared]
        children = [ctx.Process(target=worker, args=tuple(made), name=f"child {number}") for number in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    return synchronisation.at_work(run)


@each_method
@pytest.mark.parametrize(("door", "room"), [("Lock", 1), ("RLock", 1), ("Semaphore", 2), ("BoundedSemaphore", 2)])
def test_no_more_stay_inside_than_there_is_room_for(ctx, door, room):
    places = (room,) if room > 1 else ()
    run = run_three(ctx, synchronisation.stay, lambda: getattr(ctx, door)(*places), lambda: 0.02)
    assert 1 <= synchronisation.most_inside(run) <= room
    assert [process.name for process in run.processes] == ["child 0", "child 1", "child 2"]


@each_method
def test_runners_start_at_the_signal_and_not_before(ctx):
    with record(deadline=30) as run:
        signal, told = ctx.Event(), ctx.Semaphore(0)
        runners = [ctx.Process(target=synchronisation.run_at, args=(signal, told)) for _ in range(3)]
        for runner in runners:
            runner.start()
        for _ in runners:
            told.acquire()
        signal.set()
        for runner in runners:
            runner.join()
    (opened,) = [event for event in run.events if event.kind == EventKind.SET]
    waited = [event for event in run.events if event.kind == EventKind.WAIT]
    assert len(waited) == 3 and all(event.end >= opened.begin for event in waited)


@each_method
def test_all_begin_a_round_after_all_have_ended_the_one_before(ctx):
    run = run_three(ctx, synchronisation.work_in_rounds, lambda: ctx.Barrier(3), lambda: 0.01)
    meetings = [[event for event in run.events if event.process == number] for number in range(3)]
    for together in zip(*meetings, strict=True):
        assert min(event.end for event in together) >= max(event.begin for event in together)


def test_a_lock_lets_in_one_and_locks_of_their_own_let_in_all():
    shared, own = explore(synchronisation.one_lock()), explore(synchronisation.own_locks())
    assert (shared.schedules, shared.violations, shared.deadlocks) == (2, 0, 0)
    assert own.schedules == comb(8, 4) and own.violations > 0
    assert explore(synchronisation.own_locks(1)).violations == 0


def test_a_lock_waits_for_its_own_holder_and_a_reentrant_one_does_not():
    lock, rlock = explore(synchronisation.till_with_lock()), explore(synchronisation.till_with_rlock())
    assert (lock.deadlocks, lock.schedules) == (1, 1)
    (wait,) = lock.follow(lock.shortest(deadlock))[-1].state.waiting
    assert (wait.process, wait.channel) == (0, "till")
    assert (rlock.deadlocks, rlock.outcomes) == (0, {20: 1})


@pytest.mark.parametrize(
    ("guests", "room", "schedules"), [(3, 1, 6), (2, 2, comb(8, 4)), (3, 3, factorial(12) // factorial(4) ** 3)]
)
def test_a_semaphore_lets_in_as_many_as_there_is_room_for(guests, room, schedules):
    explored = explore(synchronisation.crowded_room(guests, room))
    assert (explored.schedules, explored.violations, explored.deadlocks) == (schedules, 0, 0)
    inside = [sum(state.shared[f"guest {i}"] for i in range(guests)) for state in states_of(explored)]
    assert max(inside) == min(guests, room)


def test_a_place_given_back_that_was_never_taken_lets_in_two():
    plain, bounded = explore(synchronisation.hasty_guests()), explore(synchronisation.hasty_guests_bounded())
    assert plain.violations == bounded.violations > 0
    assert synchronisation.without_error(plain) == plain.schedules == bounded.schedules
    # a bounded one stays silent only where the guests come one after the other
    assert synchronisation.without_error(bounded) == factorial(3)
    silent = [state for state in bounded if state.finished and not hasattr(state.outcome, "errors")]
    assert silent and not any(state.violated for state in silent)


def test_an_event_that_stays_set_wakes_and_one_that_is_cleared_may_not():
    opens, blinks = explore(synchronisation.gate_opens()), explore(synchronisation.gate_blinks())
    assert opens.deadlocks == 0
    assert 0 < blinks.deadlocks < blinks.schedules


@each_grain
def test_a_notify_that_nobody_hears_is_lost(grain):
    explored = explore(synchronisation.one_bell(), grain)
    assert 0 < explored.deadlocks < explored.schedules
    stuck = explored.follow(explored.shortest(deadlock))[-1].state
    assert [wait.process for wait in stuck.waiting] == [0]


@pytest.mark.parametrize("number", [1, 2])
@each_grain
def test_whoever_waits_for_a_parcel_gets_one(number, grain):
    explored = explore(synchronisation.deliveries(number), grain)
    assert set(explored.outcomes) == {0} and explored.deadlocks == 0


@each_grain
def test_only_the_gate_lets_one_run_ahead(grain):
    gate = explore(synchronisation.rounds_at_gate(), grain)
    assert gate.violations > 0 and gate.deadlocks == 0
    ahead = gate.follow(gate.shortest(violation))[-1].state.shared
    assert {ahead["rounds of 0"], ahead["rounds of 1"]} == {1, 3}
    for make in (synchronisation.rounds_by_count, synchronisation.rounds_at_barrier):
        explored = explore(make(), grain)
        assert explored.violations == explored.deadlocks == 0


@pytest.mark.parametrize("number", [2, 3, 4])
def test_locks_taken_crosswise_deadlock_where_all_take_their_first(number):
    explored = explore(synchronisation.philosophers(number))
    assert explored.deadlocks == factorial(number)
    stuck = explored.follow(explored.shortest(deadlock))[-1].state
    assert len(stuck.cycle) == number
    assert {wait.held_by for wait in stuck.cycle} == {(i,) for i in range(number)}


def test_two_locks_crosswise_in_full():
    explored = explore(synchronisation.philosophers())
    # the second begins after the first has put one fork down, before or after it puts down the other
    assert (explored.outcomes, explored.deadlocks, explored.schedules) == ({2: 4}, 2, 6)


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("grain", ["step", "access"])
def test_locks_taken_in_one_order_never_deadlock(number, grain):
    explored = explore(synchronisation.ordered_philosophers(number), grain)
    assert explored.deadlocks == 0 and explored.shortest(deadlock) is None
    assert explored.outcomes == {number: explored.schedules}


@pytest.mark.parametrize("grain", ["step", "access"])
def test_petersons_algorithm_never_lets_both_in_and_never_stops(grain):
    explored = explore(synchronisation.peterson(), grain)
    assert explored.violations == 0 and explored.shortest(violation) is None
    assert explored.deadlocks == explored.livelocked_states == 0
    assert {outcome[-1] for outcome in explored.outcomes} == {0}


@pytest.mark.parametrize("grain", ["step", "access"])
def test_petersons_algorithm_breaks_when_a_look_overtakes_the_writes(grain):
    explored = explore(synchronisation.late_peterson(), grain)
    schedule = explored.shortest(violation)
    assert explored.follow(schedule)[-1].state.shared["inside"] == 2
    assert replay(synchronisation.late_peterson(), schedule, grain=grain).state.violated


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
    correct = synchronisation.peterson()

    def swapped(objects):
        return [(turn_before_flag, arguments) for _, arguments in correct.build(objects)]

    explored = explore(correct._replace(build=swapped))
    assert explored.violations > 0
    assert explored.follow(explored.shortest(violation))[-1].state.shared["inside"] == 2


@pytest.mark.parametrize("number", [2, 3, 4])
@each_grain
def test_with_a_chair_less_nobody_waits_for_ever(number, grain):
    explored = explore(synchronisation.seated_philosophers(number), grain)
    assert explored.deadlocks == 0 and explored.outcomes == {number: explored.schedules}


@pytest.mark.parametrize("number", [2, 3])
def test_polite_philosophers_never_deadlock_and_may_stay_hungry_for_ever(number):
    explored = explore(synchronisation.polite_philosophers(number))
    assert (explored.deadlocks, explored.schedules) == (0, inf)
    hungry = starves(explored, 0)
    assert not any(step.label == "eat" for step in explored.follow(hungry.way + hungry.loop) if step.process == 0)


def test_the_repairs_are_compared_in_words():
    said = {name: synchronisation.at_table(explore(make(3))) for name, make in synchronisation.REPAIRS.items()}
    assert said["no repair"].startswith("6 of 234 schedules deadlock; ")
    assert said["lower fork first"].startswith("0 of 236 ") and said["lower fork first"].endswith("meal: no")
    assert said["a chair less"].startswith("0 of 48,900 ") and said["a chair less"].endswith("meal: no")
    assert said["put it down again"].startswith("0 of endlessly many ") and said["put it down again"].endswith(
        "meal: yes"
    )


@each_grain
def test_the_writer_is_alone_and_may_wait_for_ever(grain):
    explored = explore(synchronisation.readers_and_writer(), grain)
    assert not any(state.violated for state in explored)
    together = [state for state in explored if state.shared["reader 0"] and state.shared["reader 1"]]
    assert together
    kept_out = starves(explored, 2)
    assert {0, 1} <= set(kept_out.loop)
    assert not any(state.shared["writer"] for state in (s.state for s in explored.follow(kept_out.way + kept_out.loop)))


def test_a_lock_promises_no_turn_and_handing_over_does():
    greedy, turns = explore(synchronisation.greedy_guests()), explore(synchronisation.taking_turns())
    assert not any(state.violated for explored in (greedy, turns) for state in explored)
    assert starves(greedy, 0, synchronisation.is_inside) is not None
    assert starves(turns, 0, synchronisation.is_inside) is None


# under spawn tests/scheduling/real/test_replays.py runs programs of each kind
@pytest.mark.thorough
@pytest.mark.parametrize("method", get_all_start_methods())
def test_each_scene_runs_on_real_processes_by_a_schedule_and_free(method):
    with keep_workers():
        for program in ENDING:
            assert_runs_as_its_model_allows(program, method)
    assert active_children() == []


@pytest.mark.parametrize("program", ENDLESS, ids=lambda program: program.name)
def test_scenes_without_end_can_be_replayed_for_a_while(program):
    explored = explore(program)
    schedule = explored.schedule_to(len(explored) - 1)
    with keep_workers():
        assert replay(program, schedule).state.shared == explored[len(explored) - 1].shared
    assert active_children() == []


@pytest.mark.parametrize("program", ENDING + ENDLESS, ids=lambda program: program.name)
def test_each_worker_and_each_step_says_what_it_does(program):
    model = Model(program)
    assert all(graph.worker.__doc__ for graph in model.graphs)
    explored = explore(program)
    steps = explored.follow(explored.schedule_to(len(explored) - 1))
    assert all(step.label not in ("", "go on") for step in steps if "meet" not in model.names[step.process])


def a_run():
    """Two processes that a third one started: a waits 10 ms and is inside for 20, b comes when a leaves."""
    kinds = EventKind
    events = [
        Event(0, kinds.JOIN, 0, 90_000_000),
        Event(1, kinds.ACQUIRE, 10_000_000, 20_000_000),
        Event(2, kinds.ACQUIRE, 15_000_000, 40_000_000),
        Event(1, kinds.RELEASE, 40_000_000, 40_000_000),
        Event(2, kinds.RELEASE, 50_000_000, 51_000_000),
    ]
    processes = [ProcessInfo("parent", 1, None, 0, 90_000_000)]
    processes += [ProcessInfo(name, pid, 1, 1_000, 80_000_000) for name, pid in (("a", 2), ("b", 3))]
    return Trace(processes, events)


def test_what_is_looked_at_begins_with_the_first_call_and_ends_with_the_last():
    run = synchronisation.at_work(a_run())
    assert [(each.name, each.begin, each.end) for each in run.processes] == [
        ("a", 10_000_000, 40_000_000),
        ("b", 15_000_000, 51_000_000),
    ]
    assert {event.process for event in run.events} == {0, 1}


def test_without_a_door_nobody_is_inside():
    run = synchronisation.at_work(a_run())
    # two who wait for a signal, and release a semaphore to say so
    run.events[:2] = [event._replace(kind=EventKind.WAIT) for event in run.events[:2]]
    assert synchronisation.most_inside(run) == 0
    assert synchronisation.waits(run) == "They waited 10, 25 ms"


def test_who_waited_and_how_many_were_inside_is_read_off_the_recording():
    run = synchronisation.at_work(a_run())
    assert synchronisation.waits(run) == "At most 1 inside at once; they waited 10, 25 ms"
    # until now b came in at the moment at which a went out
    run.events[2] = run.events[2]._replace(begin=41_000_000, end=41_000_000)
    assert synchronisation.most_inside(run) == 2


def test_each_object_has_a_cost():
    measured = synchronisation.costs(get_context("spawn"))
    assert list(measured)[:2] == ["Lock", "RLock"] and len(measured) == 7
    assert all(0 < seconds < 0.1 for seconds in measured.values())


@pytest.mark.parametrize(("guests", "places"), [(1, 1), (3, 1), (4, 2)])
def test_the_panel_says_how_many_were_inside(guests, places):
    data, verdict = synchronisation.play(guests, places, 5)
    inside = int(re.search(r"At most (\d+) inside at once", verdict)[1])
    assert 1 <= inside <= min(guests, places)
    assert lanes(**data).title.startswith(f"At most {inside} inside at once; they waited ")
    assert active_children() == []


@pytest.mark.parametrize("value", [0, -1, 1.5, "two", None, True, 10**6])
def test_a_senseless_number_for_the_panel_is_named(value):
    for number, (name, high) in enumerate([("guests", 6), ("places", 4), ("stay_ms", 300)]):
        arguments = [1, 1, 1]
        arguments[number] = value
        with pytest.raises((TypeError, ValueError), match=rf"{name} must be .*from 1 to {high}, not {value!r}"):
            synchronisation.play(*arguments)
    assert active_children() == []


@pytest.mark.parametrize(
    "builder",
    [
        synchronisation.one_lock,
        synchronisation.own_locks,
        synchronisation.crowded_room,
        synchronisation.hasty_guests,
        synchronisation.hasty_guests_bounded,
        synchronisation.deliveries,
        synchronisation.philosophers,
        synchronisation.ordered_philosophers,
        synchronisation.seated_philosophers,
        synchronisation.polite_philosophers,
        synchronisation.readers_and_writer,
    ],
)
@pytest.mark.parametrize("value", [0, -1, 1.5, "two", None, True, 10**6, inf])
def test_a_senseless_number_is_named(builder, value):
    parameter = next(iter(signature(builder).parameters))
    with pytest.raises((TypeError, ValueError), match=rf"{parameter} must be .*from \d+ to .*, not {value!r}"):
        builder(value)
    assert active_children() == []


def test_a_senseless_second_number_is_named():
    with pytest.raises(ValueError, match="room must be from 1 to 64, not 0"):
        synchronisation.crowded_room(3, 0)


@pytest.mark.parametrize(
    ("key", "measured", "answer"),
    [
        ("same_lock", lambda: explore(synchronisation.till_with_lock()), "waits"),
        ("same_lock", lambda: explore(synchronisation.till_with_rlock()), "20"),
        ("one_bell", lambda: explore(synchronisation.one_bell()), "some"),
        ("one_bell", lambda: explore(synchronisation.deliveries()), "always"),
        ("one_bell", lambda: explore(synchronisation.till_with_lock()), "never"),
        ("ahead", lambda: explore(synchronisation.rounds_at_gate()), "yes"),
        ("ahead", lambda: explore(synchronisation.rounds_at_barrier()), "no"),
        ("ahead", lambda: explore(synchronisation.one_bell()), "stuck"),
        ("how_often", lambda: explore(synchronisation.philosophers(5)).probability(deadlock, "coin"), "six"),
        ("how_often", lambda: 5e-8, "millions"),
        ("how_often", lambda: 0.001, "thousand"),
        ("how_often", lambda: 0.01, "hundred"),
    ],
)
def test_each_question_is_judged_by_what_was_measured(key, measured, answer):
    assert synchronisation.QUESTIONS[key].judge(measured()) == answer
