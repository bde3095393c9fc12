"""Timing: the arithmetic on known numbers, the measurement on real processes, and errors that come early."""

import gc
from multiprocessing import get_all_start_methods
from multiprocessing.connection import Connection

import pytest

from helpers.measuring.timing import (
    Fit,
    Measurement,
    Mechanism,
    Point,
    call_time,
    fit_line,
    one_way,
    round_trips,
    start_up,
)
from helpers.supervision.supervisor import ProcessesFailed

METHODS = get_all_start_methods()


def connect(ctx):
    return ctx.Pipe()


def receive_and_fail(connection):
    raise ConnectionError("the line is dead")


PIPE = Mechanism("pipe", connect, Connection.send_bytes, Connection.recv_bytes)


def test_a_straight_line_is_found_again():
    sizes = [10, 1_000, 100_000, 10_000_000]
    line = Fit(fixed=20e-6, per_byte=0.5e-9)
    found = fit_line(sizes, [line.at(size) for size in sizes])
    assert found.fixed == pytest.approx(line.fixed) and found.per_byte == pytest.approx(line.per_byte)


def test_a_fit_is_never_negative():
    assert fit_line([1, 1_000], [2e-6, 1e-6]).per_byte == 0
    assert fit_line([10, 20], [1e-6, 9e-6]).fixed == 0


def test_a_noisy_large_message_does_not_spoil_the_cost_of_small_ones():
    """The largest took a third longer than the line says; without weights the fixed cost would come out below 0."""
    fitted = fit_line([10, 100, 1_000, 10_000, 1_000_000], [10e-6, 10e-6, 11e-6, 20e-6, 1.35e-3])
    assert fitted.fixed == pytest.approx(10e-6, rel=0.05)
    assert fitted.per_byte == pytest.approx(1e-9, rel=0.35)


def note_and_send(end, message):
    """Note in the parent what is sent and whether the garbage collector could strike meanwhile."""
    SENT.append((len(message), gc.isenabled()))
    end.send_bytes(message)


SENT = []


def test_every_other_pair_measures_the_sizes_in_reverse_and_with_the_collector_off():
    SENT.clear()
    noted = Mechanism("noted", connect, note_and_send, Connection.recv_bytes)
    round_trips(noted, [1_000, 50], pairs=2, budget=0.05)
    sizes = [size for size, _ in SENT if size in (50, 1_000)]
    assert [size for size, before in zip(sizes, [None, *sizes], strict=False) if size != before] == [50, 1_000, 50]
    assert not any(may_strike for _, may_strike in SENT)


def test_one_size_alone_gives_a_fixed_cost():
    assert fit_line([100], [3e-6]) == Fit(pytest.approx(3e-6), 0.0)


def test_median_and_99th_percentile():
    point = Point(1, tuple(range(1, 101)))
    assert point.median == pytest.approx(50.5e-9)
    assert point.p99 == pytest.approx(99e-9)
    assert Point(1, (7,)).p99 == pytest.approx(7e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("measure", [round_trips, one_way])
def test_every_size_is_measured_in_every_pair(measure, method):
    measured = measure(PIPE, [100_000, 10], pairs=2, budget=0.2, method=method)
    assert [point.size for point in measured.points] == [10, 100_000]
    assert all(len(point.samples) >= 2 * 8 and min(point.samples) > 0 for point in measured.points)
    assert 0 < measured.baseline.median < measured.points[0].median
    assert measured.fit.fixed > 0


def test_messages_larger_than_any_buffer_do_not_block():
    assert round_trips(PIPE, [5_000_000], pairs=1, budget=0.1).points[0].median > 0
    assert one_way(PIPE, [5_000_000], pairs=1, budget=0.1).points[0].median > 0


def test_a_child_that_fails_is_named():
    broken = Mechanism("broken", connect, Connection.send_bytes, receive_and_fail)
    with pytest.raises((ProcessesFailed, ConnectionError)):
        round_trips(broken, [10], pairs=1, budget=0.1)


def test_the_garbage_collector_is_on_again_afterwards():
    round_trips(PIPE, [10], pairs=1, budget=0.05)
    assert gc.isenabled()


@pytest.mark.parametrize("method", METHODS)
def test_starting_takes_time(method):
    assert all(0 < seconds < 30 for seconds in start_up(method, runs=2))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sizes": []}, "sizes must be a list of sizes in bytes, one or more, not"),
        ({"sizes": [0]}, "sizes.0. must be from 1"),
        ({"pairs": 0}, "pairs must be from 1"),
        ({"budget": 0}, "budget must be above 0"),
        ({"method": "teleport"}, "method must be one of"),
    ],
)
def test_values_out_of_range_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        round_trips(PIPE, **{"sizes": [10], **arguments})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mechanism": "pipe"}, "mechanism must be"),
        ({"sizes": [1.5]}, "sizes.0. must be a whole"),
        ({"pairs": "two"}, "pairs must be a whole"),
        ({"budget": None}, "budget must be a number"),
    ],
)
def test_values_of_another_type_are_refused(arguments, words):
    with pytest.raises(TypeError, match=words):
        one_way(**{"mechanism": PIPE, "sizes": [10], **arguments})


def test_an_unknown_start_method_is_refused_by_start_up():
    with pytest.raises(ValueError, match="method must be one of"):
        start_up("teleport")


def test_a_longer_call_takes_longer():
    assert call_time(lambda: sum(range(10_000)), 50) > call_time(lambda: None, 50) > 0


@pytest.mark.parametrize("wrong", [0, 4, -1, 1.5, "two", None, 10**7])
def test_a_wrong_number_of_calls_is_named(wrong):
    with pytest.raises((TypeError, ValueError), match="calls must be"):
        call_time(print, wrong)


def test_what_cannot_be_called_is_named():
    with pytest.raises(TypeError, match="call must be a function"):
        call_time(3)


def test_a_measured_size_is_read_off_where_it_was_measured_and_not_off_the_fit():
    points = tuple(Point(size, (duration,)) for size, duration in [(100, 1000), (1_000, 5000), (10_000, 6000)])
    measured = Measurement("a pipe", "one way", "spawn", 1, points, points[0])
    assert [measured.at(point.size) for point in points] == [point.median for point in points]
    assert measured.at(550) == pytest.approx(3000e-9)
    assert measured.at(10) == points[0].median
    assert measured.at(20_000) == pytest.approx(points[-1].median + 10_000 * measured.fit.per_byte)
