"""What is explored is what plain enumeration finds, and what textbooks say."""

import math
import sys
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    deadlock,
    ends_with,
    explore,
    random_walks,
    violation,
)
from tests import scheduled
from tests.enumeration import DEADLOCK, count_outcomes, enumerate_schedules
from tests.scheduling.programs import ODD_ONES, TWELVE, counts, name, programs_of_three


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (3, 1), (4, 1), (2, 3), (3, 2), (2, 10)])
def test_the_number_of_schedules_is_the_textbook_formula(n, k):
    explored = explore(interleavings.increments(n, k))
    assert explored.schedules == math.factorial(2 * n * k) // math.factorial(2 * k) ** n
    assert sum(explored.outcomes.values()) == explored.schedules


def test_two_increments_lose_in_four_of_six_schedules():
    explored = explore(interleavings.increments())
    assert explored.outcomes == {1: 4, 2: 2}
    assert explored.probability(1) == Fraction(2, 3)
    assert explored.probability(1, model="coin") == Fraction(1, 2)


# the loops of the one left out have no last round
LISTABLE = [scenario for scenario in [*TWELVE, *ODD_ONES] if scenario.name != "peterson"]


@pytest.mark.parametrize("scenario", LISTABLE, ids=name)
@pytest.mark.parametrize("grain", ["step", "access"])
def test_counts_are_those_of_plain_enumeration(scenario, grain):
    explored = explore(scenario, grain)
    if explored.schedules < 2000:
        assert counts(explored) == count_outcomes(scenario, grain)
    else:
        # two processes of 12 steps each
        assert (name(scenario), explored.schedules) == ("scenario, twice_the_same 0", math.comb(24, 12))


@settings(max_examples=80, deadline=None)
@given(programs_of_three, st.sampled_from(["step", "access"]))
def test_any_scenario_explored_is_the_scenario_enumerated(programs, grain):
    explored = explore(scheduled.interpreted(programs), grain)
    if explored.schedules > 300:
        return
    listed = list(enumerate_schedules(explored.model.scenario, grain))
    assert counts(explored) == Counter(end for _, end in listed)
    assert list(explored.each_schedule()) == [schedule for schedule, _ in listed]
    assert explored.violations == sum(breaks_the_invariant(explored, schedule) for schedule, _ in listed)
    for outcome in {DEADLOCK, *explored.outcomes}:
        wanted = deadlock if outcome == DEADLOCK else outcome
        ways = [schedule for schedule, end in listed if end == outcome]
        assert explored.probability(wanted) == Fraction(len(ways), len(listed))
        assert explored.probability(wanted, "coin") == sum(by_coin(explored, schedule) for schedule in ways)
        found = explored.shortest(deadlock if outcome == DEADLOCK else ends_with(outcome))
        assert (found in ways and len(found) == min(map(len, ways))) if ways else found is None


def breaks_the_invariant(explored, schedule):
    """Tell whether a schedule violates the invariant, by looking at every state on its way."""
    return any(step.state.shared["a"] > 1 for step in explored.follow(schedule))


def by_coin(explored, schedule):
    """Return the probability that a coin-tossing scheduler chooses a schedule."""
    states = [explored.model.start, *(step.state for step in explored.follow(schedule))]
    return Fraction(1, math.prod(len(state.enabled) for state in states[:-1]))


def test_a_coin_tossing_scheduler_gives_probabilities_that_add_up():
    explored = explore(synchronisation.philosophers(3))
    probabilities = [explored.probability(outcome, model="coin") for outcome in explored.outcomes]
    assert sum(probabilities) + explored.probability(deadlock, model="coin") == 1
    assert explored.probability(deadlock) == Fraction(explored.deadlocks, explored.schedules)


def test_a_loop_of_more_than_one_step_makes_infinitely_many_schedules():
    explored = explore(synchronisation.peterson(), "access")
    assert explored.schedules == math.inf
    with pytest.raises(ValueError, match='must be "coin" here: there are infinitely many'):
        explored.probability((0, 0, 0, 0))
    with pytest.raises(ValueError, match="peterson has schedules without end; they cannot be listed"):
        explored.each_schedule()


def hand_over_for_ever(mine, yours):
    while True:
        mine.acquire()
        yield
        yours.release()
        yield


def test_semaphores_that_one_takes_and_another_gives_back_have_no_endless_history():
    def ping_pong(objects):
        free, filled = objects.semaphore("free", 1), objects.semaphore("filled", 0)
        return [(hand_over_for_ever, (free, filled)), (hand_over_for_ever, (filled, free))]

    explored = explore(ping_pong, max_states=1_000)
    assert len(explored) < 20 and not explored.deadlocks


def test_a_coin_comes_out_of_every_loop_that_has_an_exit():
    explored = explore(synchronisation.peterson(), "access")
    assert sum(explored.probability(outcome, model="coin") for outcome in explored.outcomes) == pytest.approx(1)


def test_schedules_may_be_longer_than_the_stack_is_deep():
    [schedule] = explore(scheduled.of(scheduled.count_to_400), "access").each_schedule()
    assert schedule == [0] * (400 * 3 + 1) and len(schedule) > sys.getrecursionlimit()


def test_processes_without_steps_have_one_schedule_which_is_empty():
    explored = explore(scheduled.interpreted([[], []]))
    assert list(explored.each_schedule()) == [[]]
    assert (explored.schedules, explored.shortest(lambda state: state.finished)) == (1, [])


def test_what_is_waited_for_in_a_loop_can_be_waited_for_in_vain():
    explored = explore(scheduled.polite_pair)
    assert explored.deadlocks > 0
    stuck = explored.model.follow(explored.shortest(deadlock))[-1].state
    assert [(wait.process, wait.for_what) for wait in stuck.waiting] == [(0, "other to change"), (1, "one to change")]


def test_processes_that_run_for_ever_are_a_livelock():
    explored = explore(scheduled.of(scheduled.circle))
    assert explored.outcomes == {} and explored.deadlocks == 0
    assert explored.livelocked_states == len(explored) > 0
    assert explored.probability(0, "coin") == explored.schedules == 0
    with pytest.raises(ValueError, match='must be "coin" here: no schedule comes to an end'):
        explored.probability(0)


def test_a_violated_invariant_counts_once_a_schedule():
    explored = explore(interleavings.check_then_act())
    assert explored.violations == explored.outcomes[2] == 12
    breaking = explored.shortest(violation)
    states = [step.state for step in explored.model.follow(breaking)]
    assert [state.violated for state in states] == [False] * (len(states) - 1) + [True]


def test_a_violation_counts_even_if_all_is_well_again_at_the_end():
    scenario = scheduled.of(scheduled.up_and_down)._replace(invariant=lambda shared: shared["number"] < 2)
    explored = explore(scenario)
    assert (explored.violations, explored.schedules, explored.outcomes) == (1, 1, {0: 1})
    assert explored.shortest(violation) == [0, 0]
    assert random_walks(scenario, runs=3).violations == 3


def test_all_states_can_be_gone_through():
    explored = explore(interleavings.increments())
    assert list(explored) == [explored[number] for number in range(len(explored))]
