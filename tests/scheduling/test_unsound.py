"""Programs of which something false was once said: each is judged as multiprocessing judges it, and replayed alike."""

import pytest

from helpers.scheduling import Scenario, WorkerRaised, deadlock, explore, keep_workers, replay, sample
from tests import scheduled
from tests.enumeration import count_outcomes
from tests.scheduling.programs import QUICKEST, counts


def agree(scenario, grain="step"):
    """Hold every schedule of a scenario against plain enumeration and against real processes; return what is known."""
    explored = explore(scenario, grain)
    assert counts(explored) == count_outcomes(explored.model.scenario, grain)
    with keep_workers():
        for schedule in explored.each_schedule():
            played = replay(scenario, schedule, QUICKEST, grain)
            assert played.state.deadlocked or played.outcome in explored.outcomes
    return explored


@pytest.mark.parametrize("grain", ["step", "access"])
def test_a_barrier_in_plain_words_holds_everybody(grain):
    explored = agree(scheduled.plain_barrier, grain)
    # nobody looks before both have written
    assert explored.outcomes.keys() == {(1, 1, 1, 1)} and explored.deadlocks == 0


def test_a_condition_in_plain_words_waits():
    explored = agree(scheduled.plain_condition)
    assert set(explored.outcomes) == {(1, 1)} and explored.shortest(deadlock) is None


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        (scheduled.notify_without_lock, "AssertionError: lock is not owned"),
        (scheduled.wait_without_lock, r"AssertionError: must acquire\(\) condition before using wait\(\)"),
    ],
)
def test_a_condition_is_used_with_its_lock_only(worker, words):
    undeclared = Scenario(scheduled.one_on_a_condition(worker))
    with pytest.raises(WorkerRaised, match=rf"raised {words} at line \d+ of {worker.__name__}, in .*scheduled.py"):
        explore(undeclared)
    explored = agree(undeclared._replace(raises=(AssertionError,)))
    [outcome] = explored.outcomes
    assert worker.__name__ in outcome.errors[0] and "Assertion" in outcome.errors[0]


def test_the_lock_of_a_condition_is_reentrant():
    explored = agree(Scenario(scheduled.one_on_a_condition(scheduled.acquire_twice)))
    assert explored.deadlocks == 0 and explored.outcomes == {1: 1}


def test_nobody_can_say_whom_notify_wakes():
    explored = explore(scheduled.wrong_sleeper)
    stuck = explored.shortest(deadlock)
    assert stuck is not None
    with keep_workers():
        assert replay(scheduled.wrong_sleeper, stuck, QUICKEST).state.deadlocked
    woken = {step.process for step in explored.follow(stuck) if "woken by condition" in step.label}
    assert woken == {1}


def misspelt(number):
    """Use a name that there is not."""
    number.value = 1
    yield
    number.value = no_such_name  # noqa: F821
    yield


def test_a_mistake_in_a_worker_is_a_mistake_of_the_scenario():
    with pytest.raises(WorkerRaised, match=r"misspelt raised NameError: .* at line \d+ of misspelt, in .*test_unsound"):
        explore(scheduled.of(misspelt))
    with pytest.raises(WorkerRaised, match=r"misspelt 0 raised NameError"):
        sample(scheduled.of(misspelt), 1, QUICKEST)


def test_free_runs_ask_the_invariant_at_the_end():
    scenario = scheduled.of(scheduled.within)._replace(invariant=lambda shared: shared["number"] < 2)
    assert sample(scenario, 3, QUICKEST).violations == 3
    assert sample(scenario._replace(invariant=lambda shared: shared["number"] == 2), 3, QUICKEST).violations == 0


@pytest.mark.parametrize("worker", [scheduled.spin_in_one_step, scheduled.spin_in_two_steps])
def test_a_busy_loop_is_judged_alike_however_many_steps_it_has(worker):
    explored = explore(scheduled.of(worker))
    assert (explored.deadlocks, explored.livelocked_states, explored.schedules) == (1, 0, 1)
    assert explored.shortest(deadlock) is not None
    assert explored[len(explored) - 1].deadlocked
