"""Advice follows from the task and from what was measured, and names the rule."""

import pytest

from helpers.measuring.advice import Survey, Task, advise
from helpers.measuring.mechanisms import ALL
from helpers.measuring.timing import Measurement, Point

NAMES = [mechanism.name for mechanism in ALL]
MICROSECONDS = {"Pipe": 20, "Queue": 50, "SimpleQueue": 30, "shared memory": 5, "Manager": 200}


def measured(name):
    points = tuple(Point(size, (1000 * MICROSECONDS[name] + size,)) for size in (100, 1_000_000))
    return Measurement(name, "one way", "spawn", 1, points, Point(0, (10,)))


@pytest.fixture
def survey():
    runs = {name: measured(name) for name in NAMES}
    arrived = {"Pipe": [1, 2], "Queue": [], "SimpleQueue": [], "shared memory": [1, 2], "Manager": [2]}
    return Survey(runs, runs, dict.fromkeys(NAMES, 0.001), arrived, {"shared memory": 1e-6, "Manager": 1e-3})


@pytest.mark.parametrize(
    ("task", "mechanism", "rule"),
    [
        (Task(2, 100, 10), "Pipe", "between two"),
        (Task(2, 100, 100_000), "shared memory", "A Pipe would be more convenient, but is too slow here"),
        (Task(6, 100, 100), "Queue", "more than two"),
        (Task(6, 100, 25_000), "SimpleQueue", "A Queue would be more convenient"),
        (Task(6, 100, 100, survives_crash=True), "Pipe", "a line of its own"),
        (Task(2, 100, 100, "numbers"), "shared memory", "a lock around each update"),
        (Task(9, 100, 100, "dicts and lists"), "Manager", "need a manager"),
    ],
)
def test_each_rule_leads_to_its_mechanism(survey, task, mechanism, rule):
    advice = advise(task, survey)
    assert advice.mechanism == mechanism and rule in advice.rule and advice.is_enough


def test_a_mechanism_that_is_just_quick_enough_is_quick_enough(survey, monkeypatch):
    monkeypatch.setattr(Survey, "rate", lambda survey, name, task: {"Pipe": 50_000, "shared memory": 200_000}[name])
    assert advise(Task(2, 100, 50_000), survey).mechanism == "Pipe"
    assert advise(Task(2, 100, 50_001), survey).mechanism == "shared memory"


def test_a_task_that_nothing_is_quick_enough_for_is_told_so(survey):
    advice = advise(Task(2, 1_000_000, 10**8), survey)
    assert not advice.is_enough and "too slow for you: put several messages into one" in str(advice)
    assert advice.mechanism == "shared memory"


def test_a_mechanism_that_loses_messages_in_a_crash_is_not_advised_for_that(survey):
    rates = advise(Task(2, 100, 10, survives_crash=True), survey).rates
    assert set(rates) == {"Pipe", "shared memory"}


@pytest.mark.parametrize("wrong", [0, 1, -1, 1.5, "two", None, 10**6])
def test_a_wrong_number_of_parties_is_named(wrong):
    with pytest.raises((TypeError, ValueError), match=f"parties must be .*, not {wrong!r}"):
        Task(wrong, 100, 10)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": -1}, "size must be from 1"),
        ({"rate": 0}, "rate must be from 1"),
        ({"shares": "secrets"}, "shares must be one of messages, numbers"),
        ({"survives_crash": "yes"}, "survives_crash must be True or False"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(values, words):
    with pytest.raises((TypeError, ValueError), match=words):
        Task(**{"parties": 2, "size": 100, "rate": 10, **values})


def test_advice_needs_a_task_and_a_survey(survey):
    with pytest.raises(TypeError, match="task must be a Task, .* not 'fast, please'"):
        advise("fast, please", survey)
