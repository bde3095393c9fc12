"""Updates found in a recording: each is a read and a write, and a write over what came in between is stale."""

from helpers.recording.trace import Event
from helpers.recording.updates import find_updates
from tests.recorded_updates import recording


def test_an_update_is_a_read_and_a_write():
    first, second = find_updates(recording([10, 20], [30, 40]))
    assert (first.process, first.seen, first.written, first.stale) == (1, 0, 1, False)
    assert (second.process, second.seen, second.written, second.stale) == (2, 1, 2, False)


def test_a_write_over_what_came_in_between_is_stale():
    first, second = find_updates(recording([10, 40], [20, 30]))
    assert (first.process, first.stale) == (2, False)
    assert (second.process, second.seen, second.written, second.stale) == (1, 0, 1, True)


def test_a_process_updates_more_than_once():
    found = find_updates(recording([10, 20, 30, 60], [40, 50]), start=5)
    assert [(update.process, update.seen, update.stale) for update in found] == [
        (1, 5, False),
        (2, 6, False),
        (1, 6, True),
    ]


def test_a_lock_held_around_both_halves_is_no_access():
    around = [Event(1, "acquire", 1, 2, "Value 1"), Event(1, "release", 98, 99, "Value 1")]
    (update,) = find_updates(recording([10, 20], extra=around))
    assert (update.read_at, update.wrote_at) == (10, 20)
