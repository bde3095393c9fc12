"""A state graph as plain data."""

import json

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    deadlock,
    explore,
    graph_data,
)


def test_a_state_graph_is_plain_data_that_can_be_walked():
    explored = explore(synchronisation.philosophers())
    data = json.loads(json.dumps(graph_data(explored)))
    schedule, state, labels = explored.shortest(deadlock), data["states"][0], []
    for process in schedule:
        _, _, following, steps = state
        labels.append(data["steps"][steps[process]]["label"])
        number = following[process]
        state = data["states"][number]
    assert labels == [step.label for step in explored.model.follow(schedule)]
    assert data["ends"][str(number)] is None
    shared, locations, following, _ = state
    assert following == [None, None]
    assert [data["locations"][location]["waits_for"] for location in locations] == ["fork 1", "fork 0"]
    assert data["shared"][shared]["holders"] == [[0], [1], [], []]
    first = data["locations"][data["states"][0][1][0]]
    source = data["sources"][first["source"]]
    assert source["lines"][first["line"] - source["first_line"]].strip() == "yield first.acquire()"


def test_a_state_graph_says_how_likely_each_outcome_is():
    outcomes = graph_data(explore(interleavings.increments()))["outcomes"]
    assert outcomes[0] == {"text": "1", "schedules": "4", "uniform": pytest.approx(2 / 3), "coin": 0.5}


def test_a_state_graph_that_is_too_big_is_refused():
    with pytest.raises(ValueError, match="at most max_states=10 states here, not 12"):
        graph_data(explore(interleavings.increments()), max_states=10)
