"""The depth of a queue: counted from puts and gets, never below zero nor above the limit, and said in words."""

import pytest

from helpers.recording.kinds import Outcome
from helpers.recording.trace import Event, ProcessInfo, Trace
from helpers.show.figures.queue_depth import depth, mailbox

MS = 1_000_000


def event(kind, begin, end, channel="Queue 1", **more):
    return Event(0 if kind == "put" else 1, kind, int(begin * MS), int(end * MS), channel, **more)


def trace(*events):
    infos = [ProcessInfo("MainProcess", 1, None, 0, 100 * MS), ProcessInfo("child", 2, 1, 0, 100 * MS)]
    return Trace(infos, sorted(events, key=lambda event: event.begin))


def drawn(picture):
    """Return the levels of the line, one after the other."""
    return [int(level) for level in picture.figure.axes[0].lines[0].get_ydata()]


def test_each_put_adds_one_and_each_get_takes_one():
    run = trace(*(event("put", n, n + 0.1) for n in (1, 2, 3)), event("get", 0, 4), event("get", 5, 6))
    picture = depth(run)
    assert drawn(picture) == [0, 1, 2, 3, 2, 1]
    assert picture.title == "The queue held 3 items at most"
    assert picture.words == (
        "3 items put into Queue 1, 2 taken out. The depth rose to 3 at 3 ms and was 1 at 6 ms, after the last change."
    )


def test_a_limit_is_named_with_the_time_that_put_waited():
    picture = depth(trace(event("put", 1, 1), event("put", 1, 31), event("get", 30, 31)), maxsize=1)
    assert picture.title == "The queue held 1 item at most, of 1 allowed; put() waited 30 ms in all"
    assert "maxsize 1" in [text.get_text() for text in picture.figure.axes[0].texts]


def test_a_get_that_is_noted_before_its_put_does_not_go_below_zero():
    assert drawn(depth(trace(event("put", 1, 3), event("get", 1, 2)))) == [0, 1, 0]


def test_a_put_that_is_noted_before_the_get_that_made_room_does_not_go_above_the_limit():
    run = trace(event("put", 1, 2), event("put", 1, 4), event("get", 3, 5))
    assert drawn(depth(run, maxsize=1)) == [0, 1, 0, 1]


def test_calls_that_failed_and_other_queues_do_not_count():
    run = trace(
        event("put", 1, 1), event("get", 2, 3, outcome=Outcome.TIMED_OUT), event("put", 4, 4, outcome=Outcome.RAISED),
        event("put", 5, 5, "Queue 2"), event("put", 6, 6, "Queue 2"),
    )  # fmt: skip
    assert drawn(depth(run)) == [0, 1]
    assert drawn(depth(run, "Queue 2")) == [0, 1, 2]


def test_pictures_can_be_drawn_and_carry_their_words():
    many = trace(*(event("put", n / 100, n / 100) for n in range(5_000)))
    assert depth(many, maxsize=100_000).png().startswith(b"\x89PNG")
    assert "5,000 items put" in depth(many).html()
    assert "2 producers put items into a row of 4 slots" in mailbox().html()
    assert mailbox(1, 6, 6).png().startswith(b"\x89PNG")


def test_what_could_not_be_read_is_said_in_the_title():
    run = trace(event("put", 1, 1))
    run.left_out = 1
    assert depth(run).title == "The queue held 1 item at most; 1 later call left out"


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="run must be a recording"):
        depth([])
    with pytest.raises(ValueError, match="an item was put into a queue"):
        depth(trace())
    with pytest.raises(ValueError, match="channel must be one of Queue 1, not 'Queue 9'"):
        depth(trace(event("put", 1, 1)), "Queue 9")


@pytest.mark.parametrize("bad", [0, -1, 1.5, "two", 10**7])
def test_a_bad_limit_is_refused(bad):
    with pytest.raises((TypeError, ValueError), match=f"maxsize must be .* not {bad!r}"):
        depth(trace(event("put", 1, 1)), maxsize=bad)


@pytest.mark.parametrize("name", ["producers", "consumers", "slots"])
@pytest.mark.parametrize("bad", [0, -1, 1.5, "two", None, 10**6])
def test_a_mailbox_of_impossible_size_is_refused(name, bad):
    with pytest.raises((TypeError, ValueError), match=f"{name} must be .* not {bad!r}"):
        mailbox(**{name: bad})
