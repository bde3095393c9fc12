"""Running free."""

from multiprocessing import active_children

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.measuring import Proportion
from helpers.scheduling import (
    Crashed,
    Scenario,
    explore,
    keep_workers,
    sample,
)
from tests import scheduled
from tests.scheduling.programs import QUICKEST


def test_free_runs_end_with_outcomes_that_the_model_allows():
    scenario = interleavings.increments(2, 10)
    seen = sample(scenario, runs=100)
    assert sum(seen.outcomes.values()) == seen.runs == 100
    assert set(seen.outcomes) <= set(explore(scenario).outcomes)
    assert active_children() == []


@pytest.mark.parametrize(
    ("scenario", "outcome"),
    [
        (interleavings.locked_increments(2, 50), 100),
        (scheduled.bounded_queue(2, 20), 190),
        (synchronisation.deliveries(2), 0),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_free_runs_never_break_what_is_protected(scenario, outcome):
    assert sample(scenario, 30, QUICKEST).outcomes == {outcome: 30}


def test_free_runs_that_wait_for_ever_are_ended_and_counted():
    def everybody_waits(objects):
        queue = objects.queue("queue", 1)
        return [(scheduled.consume, (queue, objects.integer("total"), 1))] * 2

    seen = sample(everybody_waits, runs=3)
    assert (seen.deadlocks, seen.outcomes) == (3, {})
    assert active_children() == []


def test_free_runs_crash_as_in_the_model():
    scenario = Scenario(scheduled.dict_methods, raises=(KeyError,))
    assert sample(scenario, runs=2).outcomes == {Crashed(("juggle 0: KeyError: 'gone'",)): 2}


def test_a_sample_tells_the_frequency_of_what_was_never_seen():
    seen = sample(interleavings.locked_increments(), runs=10)
    assert seen.frequency(1).count == 0 and seen.frequency(1).interval[1] < 0.3
    assert seen.frequencies == {2: Proportion(10, 10)}


@pytest.mark.thorough
@pytest.mark.parametrize("verb", scheduled.MORE)
def test_free_runs_of_every_kind_of_object_end_as_the_model_allows(verb):
    scenario = scheduled.interpreted([[(verb, 0), ("read", 0)], [(verb, 1)], [(verb, 1)]])
    explored = explore(scenario, "access")
    with keep_workers():
        seen = sample(scenario, 4, QUICKEST)
    assert set(seen.outcomes) <= set(explored.outcomes)
    assert seen.deadlocks == 0 or explored.deadlocks > 0
