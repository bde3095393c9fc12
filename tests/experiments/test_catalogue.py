"""Experiments: each runs as declared, under each start method, and refuses what it does not allow."""

from multiprocessing import get_all_start_methods

import pytest

from helpers.experiments import find
from helpers.experiments.catalogue import EXPERIMENTS, VALUES, thinned
from helpers.measuring.results import Outcomes, Timings

# as short as they get
LITTLE = {
    "round_trips": {"mechanisms": ("Queue", "Pipe"), "sizes": (1000, 10), "pairs": 2, "budget": 0.02},
    "streams": {"mechanisms": ("Pipe",), "sizes": (10,), "pairs": 1, "budget": 0.02},
    "start_up": {"rows": 2, "starts": 3, "pause": 0.0},
    "textbook_counter": {"workers": 2, "runs": 1},
    "manager_dict": {"workers": 1, "runs": 2},
    "counter_race": {"workers": 2, "increments": (1, 2), "runs": 2, "window_ms": 1.0},
    "crash": {"mechanisms": ("Pipe",), "runs": 1},
    "free_runs": {"runs": 3},
}
RUNS = {"textbook_counter": 1, "manager_dict": 2, "counter_race": 2, "crash": 1, "free_runs": 3}


def test_each_experiment_is_tried_here():
    assert LITTLE.keys() == EXPERIMENTS.keys()


def test_all_defaults_are_allowed():
    for experiment in EXPERIMENTS.values():
        defaults = {name: parameter.default for name, parameter in experiment.parameters.items()}
        assert experiment.settings(defaults) == experiment.settings({}) == defaults


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_runs_as_declared(name):
    # each is tried by one method; that the workers run under all is held by the tests of the lessons
    method = get_all_start_methods()[len(name) % len(get_all_start_methods())]
    told = []
    result = find(name).run(told.append, method=method, **LITTLE[name])
    assert result.settings["method"] == method and result.experiment == name and "gil" in result.machine
    assert told == sorted(told) and told[-1] == pytest.approx(1)
    if isinstance(result, Timings):
        pairs = LITTLE[name].get("pairs", LITTLE[name].get("rows"))
        assert {len(rows) for rows in result.series.values()} == {pairs}
        assert all(0 < value < 60 for rows in result.series.values() for row in rows for value in row)
    else:
        assert isinstance(result, Outcomes)
        assert {case.share.runs for case in result.cases.values()} == {RUNS[name]}


def test_series_are_named_in_the_order_of_mechanisms_and_sizes():
    names = list(find("round_trips").run(**LITTLE["round_trips"]).series)
    assert names == [f"round trip, {name}, {size} bytes" for name in ("Queue", "Pipe") for size in ("10", "1,000")]


def test_a_window_that_is_held_open_loses_updates():
    (case,) = find("counter_race").run(workers=3, increments=(1,), window_ms=50.0, runs=3).cases.values()
    assert (case.what, case.hits, case.share.runs) == ("lost an update", 3, 3)
    assert "3" not in case.counts


def test_a_queue_does_not_survive_a_reader_that_was_killed():
    (case,) = find("crash").run(mechanisms=("Queue",), runs=1).cases.values()
    assert (dict(case.counts), case.what, case.hits) == ({"none": 1}, "lost a message", 1)


def test_many_samples_are_thinned_to_medians_of_neighbours():
    assert thinned([1000, 3000, 2000]) == pytest.approx((1e-6, 3e-6, 2e-6))
    kept = thinned([7000, 1_000_000_000, 7000] * VALUES)
    assert kept == pytest.approx([7e-6] * VALUES)
    assert thinned([0]) == pytest.approx([1e-9])


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("crash", {"metod": "fork"}, "a parameter of crash must be one of method, mechanisms, runs, not 'metod'"),
        ("crash", {"method": "frok"}, "method must be one of .*, not 'frok'"),
        ("crash", {"mechanisms": ("Pipe", "Post")}, "mechanisms must be one of Pipe, .*, not 'Post'"),
        ("crash", {"mechanisms": ()}, "mechanisms must be a list of values"),
        ("crash", {"runs": 0}, "runs must be from 1 to 1,000, not 0"),
        ("crash", {"runs": 2.0}, "runs must be a whole number from 1 to 1,000, not 2.0"),
        ("round_trips", {"budget": 1e9}, "budget must be from 0.01 to 60 .*, not 1000000000.0"),
        ("round_trips", {"sizes": 100}, "sizes must be a list of values"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_starts(name, given, words, monkeypatch):
    monkeypatch.setattr("helpers.experiments.declaration.card", lambda names: pytest.fail("it has begun"))
    with pytest.raises((TypeError, ValueError), match=words):
        find(name).run(**given)


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"name must be one of round_trips, .*, free_runs, not 'x'"):
        find("x")
