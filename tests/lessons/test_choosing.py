"""The experiments of this lesson: crashes, set-up times and updates, and the advice of its panel."""

import time
from dataclasses import dataclass
from multiprocessing import active_children, get_all_start_methods, get_context
from multiprocessing.connection import Connection

import pytest

from helpers.lessons import choosing, shared_memory
from helpers.measuring import mechanisms
from helpers.measuring.advice import Survey
from helpers.measuring.timing import Mechanism, one_way
from helpers.show import rates
from helpers.supervision.supervisor import ProcessesFailed, supervised
from tests import valid_arguments

each_method = pytest.mark.parametrize("method", get_all_start_methods())
LEFT = [
    (mechanisms.PIPE, [1, 2]),
    (mechanisms.QUEUE, []),
    (mechanisms.SIMPLE_QUEUE, []),
    (mechanisms.SHARED_MEMORY, [1, 2]),
    (mechanisms.MANAGER, [2]),
]


@pytest.mark.parametrize(
    ("mechanism", "arrived", "method"),
    # a fork server hands over what a child gets as spawn does: there one shows that it works at all
    [(*row, method) for method in get_all_start_methods() for row in (LEFT[:1] if method == "forkserver" else LEFT)],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_left_after_a_crash(mechanism, arrived, method):
    assert choosing.after_crash(mechanism, method) == arrived


@dataclass(frozen=True)
class LateEnd:
    """An end of a pipe with which a child starts later than a message would take."""

    connection: Connection

    def __reduce__(self):
        return late_end, (self.connection,)


def late_end(connection):
    time.sleep(1)  # longer than any message is waited for
    return LateEnd(connection)


def connect_late(ctx):
    ours, theirs = ctx.Pipe()
    return ours, LateEnd(theirs)


def receive_late(end):
    return end.connection.recv()


def test_a_reader_that_is_slow_to_start_loses_nothing():
    late = Mechanism("late pipe", connect_late, Connection.send, receive_late)
    assert choosing.after_crash(late) == [1, 2]


def never_wait(end):
    raise LookupError("nothing to wait for")


def test_a_reader_that_never_waits_is_no_lost_message():
    with pytest.raises(ProcessesFailed, match="LookupError: nothing to wait for"):
        choosing.after_crash(Mechanism("impatient", mechanisms.connect_pipe, Connection.send, never_wait))


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
    data, verdict = recommend(2, 100, 10, "messages", False)
    assert verdict.startswith("Pipe, for 2 parties. Messages between two") and "Pipe (advised)" in _labels(
        rates(**data)
    )
    data, verdict = recommend(3, 10_000, 1_000, "dicts and lists", False)
    assert verdict.startswith("Manager, for 3 parties.") and "1,000 needed" in rates(**data).title


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


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": "many bytes"}, "size must be .* not 'many bytes'"),
        ({"rate": " "}, "rate must be .* not ' '"),
        ({"survives_crash": "perhaps"}, "survives_crash must be True or False, not 'perhaps'"),
        ({"parties": 1}, "parties must be from 2 to 64, not 1"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(values, words):
    task = {"parties": 2, "size": 100, "rate": 10, "shares": "messages", "survives_crash": True}
    with pytest.raises((TypeError, ValueError), match=words):
        choosing.guide(valid_arguments.survey())(**task | values)


@each_method
@pytest.mark.parametrize("way", choosing.WAYS)
def test_no_way_to_count_together_loses_anything(way, method):
    count, seconds = choosing.count_together(way, workers=2, additions=5, method=method)
    assert count == 10 and seconds > 0


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("way must be one of messages to one, .*'shouting'", {"way": "shouting"}),
        ("workers must be .* not 0", {"way": "messages to one", "workers": 0}),
        ("additions must be .* not 0", {"way": "messages to one", "additions": 0}),
        ("method must be one of .*'thread'", {"way": "messages to one", "method": "thread"}),
    ],
)
def test_a_way_to_count_that_makes_no_sense_is_refused(words, arguments):
    with pytest.raises((TypeError, ValueError), match=words):
        choosing.count_together(**arguments)
