"""What can go on for ever, and what differs only in the order of steps that do not touch each other."""

import pytest
from hypothesis import HealthCheck, assume, example, given, reject, settings
from hypothesis import strategies as st

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import CannotExplore, explore, starves
from tests import scheduled
from tests.scheduling.programs import programs_of_three


def test_a_lock_that_is_set_and_tested_lets_a_process_starve():
    explored = explore(scheduled.test_and_set)
    found = starves(explored, 0)
    around = explored.follow(found.way + found.loop)
    assert around[-1].state.values == around[len(found.way) - 1].state.values
    assert around[-1].state.locations == around[len(found.way) - 1].state.locations
    # the other one goes in and out for ever, and process 0 looks at the wrong moments
    assert 1 in found.loop
    assert not any(state.locations[0].ended for state in (step.state for step in around))


def test_tickets_let_nobody_starve():
    explored = explore(scheduled.tickets)
    assert starves(explored, 0) is None and not explored.has_no_loops


def test_a_process_that_could_always_go_on_does_not_starve_under_a_fair_scheduler():
    explored = explore(scheduled.one_runs_for_ever)
    assert starves(explored, 0) is None
    assert starves(explored, 1) is not None


def test_petersons_algorithm_lets_nobody_starve():
    explored = explore(synchronisation.peterson(), "access")
    assert starves(explored, 0) is None and starves(explored, 1) is None


@pytest.mark.parametrize("worker", [scheduled.spin_in_one_step, scheduled.spin_in_two_steps])
def test_what_waits_in_a_deadlock_does_not_starve(worker):
    assert starves(explore(scheduled.of(worker)), 0) is None


def test_independent_steps_have_one_order():
    explored = explore(scheduled.apart)
    assert (explored.schedules, explored.distinct_orders) == (6, 1)
    assert explore(interleavings.increments()).distinct_orders == 4


def canonical(explored, schedule):
    """Return what all schedules have in common that differ in the order of independent steps only: who comes before."""
    steps = explored.follow(schedule)
    taken = [0] * len(explored.model.names)
    names, touched, before = [], [], set()
    for step in steps:
        name = step.process, taken[step.process]
        taken[step.process] += 1
        child = explored.model.children[step.process] if step.process < len(explored.model.children) else None
        # a process that is started in the scenario can be killed before each of its steps
        slots = {access.slot for access, _ in step.done} | ({child} - {None})
        changed = {access.slot for access, _ in step.done if not explored.model.only_looks(access)}
        for other, (others, others_changed) in zip(names, touched, strict=True):
            if other[0] == name[0] or changed & others or others_changed & slots:
                before.add((other, name))
        names.append(name)
        touched.append((slots, changed))
    return frozenset(names), frozenset(before)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(programs_of_three, st.sampled_from(["step", "access"]))
@example([[("child", 1)], [("child", 1)]], "step")
def test_orders_are_counted_once(programs, grain):
    try:
        explored = explore(scheduled.interpreted(programs), grain, max_states=20_000)
    except CannotExplore:
        reject()
    assume(explored.schedules <= 300)
    assert explored.distinct_orders == len({canonical(explored, schedule) for schedule in explored.each_schedule()})


def test_orders_are_counted_within_so_many_cases_or_not_at_all():
    explored = explore(interleavings.increments())
    assert explored.distinct_orders_within(100) == explored.distinct_orders == 4
    assert explored.distinct_orders_within(5) is None


def end_or_blink(flag, lamp):
    """End where the flag is up, else blink for ever."""
    if flag.value:
        return
    yield
    while True:
        lamp.value = 1 - lamp.value
        yield


def put_up(flag):
    flag.value = 1
    yield


def ends_or_blinks(objects):
    flag = objects.integer("flag")
    return [(end_or_blink, (flag, objects.integer("lamp"))), (put_up, (flag,))]


def test_loops_that_lead_to_no_end_have_no_order():
    explored = explore(ends_or_blinks)
    assert explored.livelocked_states > 0
    assert (explored.schedules, explored.distinct_orders) == (1, 1)


def test_a_step_touches_what_it_looks_at_and_what_it_may_change():
    explored = explore(interleavings.increments())
    after_reading = explored.successors(0)[0]
    assert explored.touches(0) == [({0}, set()), ({0}, set())]
    assert explored.touches(after_reading) == [({0}, {0}), ({0}, set())]
