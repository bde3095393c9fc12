"""Schedules drawn by chance."""

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    CannotExplore,
    Model,
    deadlock,
    explore,
    pct,
    random_walks,
)
from tests import scheduled


def test_the_coin_agrees_with_random_walks():
    explored = explore(interleavings.increments(3))
    seen = random_walks(interleavings.increments(3), runs=2000, seed=1)
    assert seen.outcomes[1] / seen.runs == pytest.approx(float(explored.probability(1, model="coin")), abs=0.04)


@pytest.mark.parametrize("search", [random_walks, pct])
def test_a_scenario_that_is_too_big_can_be_sampled(search):
    scenario = synchronisation.philosophers(8)
    with pytest.raises(CannotExplore, match=r"philosophers has more than max_states=2,000 states"):
        explore(scenario, max_states=2000)
    walks = search(scenario, runs=40, until=lambda state: bool(state.shared["meals 5"]))
    assert walks.deadlocks + sum(walks.outcomes.values()) == 40 and walks.unfinished == 0
    assert Model(scenario).follow(walks.found)[-1].state.shared["meals 5"] == 1


@pytest.mark.parametrize("search", [random_walks, pct])
def test_walks_without_end_are_cut_off_and_counted(search):
    walks = search(scheduled.of(scheduled.count_up), runs=2, longest=50)
    assert (walks.unfinished, walks.outcomes) == (2, {})


@pytest.mark.parametrize("search", [random_walks, pct])
def test_walks_are_the_same_from_the_same_seed_and_find_deadlocks(search):
    scenario = synchronisation.philosophers(2)
    walks = search(scenario, runs=200, seed=3, until=deadlock)
    assert walks == search(scenario, runs=200, seed=3, until=deadlock)
    assert walks.deadlocks + sum(walks.outcomes.values()) == 200
    assert explore(scenario).model.follow(walks.found)[-1].state.deadlocked


def test_pct_keeps_its_promise():
    # the lost update of two increments is a bug of depth 2: hit with probability 1 / (n * k) at least
    walks = pct(interleavings.increments(), runs=2000, depth=2)
    assert walks.outcomes[1] / walks.runs > 1 / (2 * 4)


@pytest.mark.parametrize("search", [random_walks, pct])
def test_walks_ask_the_start_too(search):
    nobody_has_eaten = lambda state: not any(state.shared[f"meals {i}"] for i in range(2))  # noqa: E731
    assert search(synchronisation.philosophers(2), runs=2, until=nobody_has_eaten).found == []
