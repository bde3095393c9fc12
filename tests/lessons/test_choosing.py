"""The experiments of lesson 05: crashes, set-up times and updates, and the advice of its panel."""

from multiprocessing import active_children, get_all_start_methods, get_context

import pytest

from helpers.lessons import choosing, shared_memory
from helpers.measuring import mechanisms
from helpers.measuring.advice import Survey
from helpers.measuring.timing import one_way
from helpers.supervision.supervisor import supervised

each_method = pytest.mark.parametrize("method", get_all_start_methods())


@each_method
@pytest.mark.parametrize(
    ("mechanism", "arrived"),
    [
        (mechanisms.PIPE, [1, 2]),
        (mechanisms.QUEUE, []),
        (mechanisms.SIMPLE_QUEUE, []),
        (mechanisms.SHARED_MEMORY, [1, 2]),
        (mechanisms.MANAGER, [2]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_left_after_a_crash(mechanism, arrived, method):
    assert choosing.after_crash(mechanism, method) == arrived


def test_what_must_be_started_takes_longer_to_set_up():
    assert choosing.set_up_time(mechanisms.MANAGER, runs=1) > choosing.set_up_time(mechanisms.PIPE, runs=1) > 0


@each_method
def test_an_update_at_a_manager_takes_longer_than_in_shared_memory(method):
    seconds = choosing.update_times(method, updates=20)
    assert seconds["Manager"] > seconds["shared memory"] > 0


@each_method
def test_two_that_read_before_either_writes_lose_an_update(method):
    with supervised(10):
        ctx = get_context(method)
        number, barrier = ctx.Value("i", 0), ctx.Barrier(2)
        for _ in range(2):
            ctx.Process(target=shared_memory.add_after_all_have_read, args=(number, barrier)).start()
    assert number.value == 1


def test_the_panel_describes_the_task_and_the_advice():
    streams = {each.name: one_way(each, [100, 10_000], pairs=1, budget=0.05) for each in mechanisms.ALL}
    survey = Survey(streams, streams, {}, {}, {"shared memory": 1e-6, "Manager": 1e-3})
    recommend = choosing.guide(survey)
    picture, verdict = recommend(2, "100 bytes", "10 a second", "messages", "does not happen")
    assert verdict.startswith("Pipe, for 2 parties. Messages between two") and "Pipe (advised)" in _labels(picture)
    picture, verdict = recommend(3, "10,000 bytes", "1,000 a second", "dicts and lists", "does not happen")
    assert verdict.startswith("Manager, for 3 parties.") and "1,000 needed" in picture.title


def _labels(picture):
    return [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]


@pytest.mark.parametrize("wrong", ["pipe", None, 5])
def test_what_is_no_mechanism_is_named(wrong):
    for experiment in (choosing.after_crash, choosing.set_up_time):
        with pytest.raises(TypeError, match="mechanism must be a Mechanism"):
            experiment(wrong)
    assert active_children() == []


@pytest.mark.parametrize("wrong", ["teleport", "", None])
def test_an_unknown_start_method_is_named(wrong):
    for experiment in (choosing.after_crash, choosing.set_up_time):
        with pytest.raises((TypeError, ValueError), match="method must be one of"):
            experiment(mechanisms.PIPE, wrong)
    with pytest.raises((TypeError, ValueError), match="method must be one of"):
        choosing.update_times(wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "two", None, 10**7])
def test_wrong_numbers_are_named(wrong):
    with pytest.raises((TypeError, ValueError), match="runs must be"):
        choosing.set_up_time(mechanisms.PIPE, runs=wrong)
    with pytest.raises((TypeError, ValueError), match="updates must be"):
        choosing.update_times(updates=wrong)
