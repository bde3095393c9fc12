"""What the shared objects do, in classics of each kind: as those of multiprocessing do."""

from math import comb

import pytest

from helpers.scheduling import Scenario, SharedObjects, deadlock, explore, keep_workers, replay, violation
from tests import scheduled
from tests.scheduling.programs import QUICKEST


def test_an_item_may_not_be_there_yet_when_put_has_returned():
    explored = explore(scheduled.put_and_look, "access")
    # the items left, and what was found
    assert explored.outcomes.keys() == {((), 4), (("item",), -1)}
    found = explored.shortest(lambda state: state.finished and state.shared["found"] == -1)
    missing = replay(scheduled.put_and_look, found, QUICKEST, "access")
    assert missing.state.shared["found"] == -1 and missing.state.shared["queue"] == ("item",)


def test_two_who_send_into_full_pipes_wait_for_ever():
    explored = explore(scheduled.both_send_first)
    stuck = explored.follow(explored.shortest(deadlock))[-1].state
    assert [wait.for_what for wait in stuck.waiting] == ["room in line", "room in line"]
    with keep_workers():
        assert replay(scheduled.both_send_first, explored.shortest(deadlock), QUICKEST).state.deadlocked


def test_a_reader_learns_that_the_other_end_is_closed():
    explored = explore(scheduled.send_and_close)
    assert explored.outcomes == {(((), ()), 6): explored.schedules} and explored.deadlocks == 0


def test_a_server_need_not_end():
    assert explore(scheduled.served).deadlocks > 0
    explored = explore(Scenario(scheduled.served, endless=("serve_for_ever",)))
    assert explored.deadlocks == 0 and {outcome[-1] for outcome in explored.outcomes} == {42}


def test_a_process_is_started_joined_and_killed_in_the_scenario():
    explored = explore(Scenario(scheduled.parent_and_child))
    assert set(explored.outcomes) == {(2, 2)}
    killed = explore(Scenario(scheduled.parent_who_kills))
    # whatever it holds stays held
    assert killed.deadlocks > 0 and killed.shortest(deadlock) is not None


def test_a_lock_by_atomic_exchange_lets_one_in():
    explored = explore(Scenario(scheduled.spin_lock, invariant=lambda shared: shared["inside"] <= 1), "access")
    assert explored.shortest(violation) is None and explored.deadlocks == 0


def test_what_nobody_can_foresee_is_all_in_the_model():
    explored = explore(scheduled.toss)
    assert explored.outcomes.keys() == {1, 2, 3}
    with keep_workers():
        for schedule in explored.each_schedule():
            assert replay(scheduled.toss, schedule, QUICKEST).outcome in explored.outcomes


def test_a_timeout_may_expire_whenever_a_call_would_wait():
    assert set(explore(scheduled.impatient_for_a_lock).outcomes) == {0, 1}


def test_an_object_that_there_is_not_is_answered_with_those_there_are():
    with pytest.raises(AttributeError, match=r"there is no 'mutex' to share; there are array, barrier, .*, value"):
        SharedObjects().mutex("x")
    with pytest.raises(AttributeError, match=r"Lock has no 'locked' here; it has acquire, release"):
        _ = SharedObjects().lock("x").locked


@pytest.mark.parametrize("items", [1, 2, 3, 6])
def test_a_queue_of_one_place_leaves_one_choice_an_item(items):
    explored = explore(scheduled.bounded_queue(1, items))
    # only the sum of one item and the putting of the next may come in either order
    assert explored.outcomes == {sum(range(items)): 2 ** (items - 1)}
    assert explored.schedules == 2 ** (items - 1)


@pytest.mark.parametrize("maxsize", [1, 2, 3])
def test_a_bounded_queue_is_never_more_than_full(maxsize):
    states = explore(scheduled.bounded_queue(maxsize, 5))
    assert max(len(state.shared["queue"]) for state in states) == maxsize


def test_processes_that_meet_all_find_what_was_written_before():
    explored = explore(scheduled.rendezvous())
    assert explored.outcomes == {(2, 2): comb(4, 2) ** 2}
    assert explored.schedules == 36


def test_a_question_comes_before_its_answer():
    explored = explore(scheduled.telephone())
    assert list(explored.each_schedule()) == [[0, 1, 1, 0]]
    assert explored.outcomes == {42: 1}
