"""Each mechanism carries messages both ways, under every start method."""

from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.measuring import mechanisms
from helpers.measuring.timing import one_way, round_trips
from helpers.supervision.supervisor import supervised

EVERY = [*mechanisms.ALL, mechanisms.PIPE_BYTES]
each_mechanism = pytest.mark.parametrize("mechanism", EVERY, ids=lambda mechanism: mechanism.name)


@each_mechanism
@pytest.mark.parametrize("method", get_all_start_methods())
def test_messages_come_back(mechanism, method):
    measured = round_trips(mechanism, [1, 100_000], pairs=1, budget=0.05, method=method)
    assert [point.size for point in measured.points] == [1, 100_000]
    assert all(point.median > 0 for point in measured.points)


@each_mechanism
def test_messages_stream(mechanism):
    assert one_way(mechanism, [10], pairs=1, budget=0.05).points[0].median > 0


@each_mechanism
def test_both_ends_send_and_receive(mechanism):
    with supervised(10):
        ours, theirs = mechanism.connect(get_context("spawn"))
        for here, there in ((ours, theirs), (theirs, ours)):
            mechanism.send(here, b"hello")
            assert mechanism.receive(there) == b"hello"


def test_a_message_that_is_too_long_for_a_slot_is_refused_and_the_slot_stays_free():
    here, there = mechanisms.connect_slots(get_context("spawn"))
    with pytest.raises(ValueError, match="message must have 0 to 1,000,000 bytes, not 1,000,001"):
        here.put(bytes(1_000_001))
    here.put(b"short")
    assert there.get() == b"short"
