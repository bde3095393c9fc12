"""Which call sent what which call got: decided by order, sides and times alone."""

from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.log import Calls
from helpers.recording.matching import messages
from helpers.recording.trace import Event


def calls(process, kind, *times, side=0, detail="", outcome=Outcome.OK, is_entering=False):
    """Return calls of one process on one channel; each time is (begin, end) or (begin, end, order), in any unit."""
    rows = [(begin, end, *(order or [begin]), -1, 1) for begin, end, *order in times]
    events = [Event(process, EventKind(kind), row[0], row[1], detail=detail) for row in rows]
    return Calls(
        process, EventKind(kind), outcome, "MainThread", "1.0", "Pipe", side, detail, is_entering, rows, events
    )


def pairs(*found):
    """Return (process, begin) of the sending and of the receiving call of each message."""
    return {
        ((message.sent.process, message.sent.begin), (message.received.process, message.received.begin))
        for message in messages(found)
    }


def test_what_goes_in_on_one_side_of_a_duplex_pipe_comes_out_on_the_other():
    question, answer = calls(0, "send", (1, 2), side=0), calls(1, "send", (5, 6), side=1)
    heard, read = calls(1, "recv", (0, 3), side=1), calls(0, "recv", (4, 7), side=0)
    assert pairs(question, answer, heard, read) == {((0, 1), (1, 0)), ((1, 5), (0, 4))}


def test_of_two_senders_the_one_whose_message_entered_first_is_read_first():
    # who began first, ended last and was kept waiting
    assert pairs(
        calls(0, "send", (1, 9, 8)), calls(1, "send", (2, 5, 4)), calls(2, "recv", (0, 6, 6), (7, 10, 10))
    ) == {((1, 2), (2, 0)), ((0, 1), (2, 7))}


def test_items_leave_a_queue_in_the_order_in_which_the_feeders_sent_them():
    first, second = calls(0, "put", (1, 2)), calls(1, "put", (3, 4))
    late, early = calls(0, "feed", (9, 9)), calls(1, "feed", (5, 5))
    assert pairs(first, second, late, early, calls(2, "get", (0, 6, 6), (7, 10, 10))) == {
        ((1, 3), (2, 0)),
        ((0, 1), (2, 7)),
    }


def test_what_a_pool_writes_past_put_is_sent_by_its_feeder():
    assert pairs(calls(0, "feed", (5, 5)), calls(2, "get", (0, 6, 6))) == {((0, 5), (2, 0))}


def test_a_call_that_raised_sends_nothing_and_one_that_was_cut_off_while_it_sent_may_have():
    got = calls(1, "recv", (0, 9, 9))
    assert pairs(calls(0, "send", (1, 2), outcome=Outcome.RAISED), got) == set()
    assert pairs(calls(0, "send", (1, 2), outcome=Outcome.NEVER_RETURNED), got) == set()
    cut_off = calls(0, "send", (1, 2), outcome=Outcome.NEVER_RETURNED, is_entering=True)
    assert pairs(cut_off, got) == {((0, 1), (1, 0))}


def test_a_request_and_its_reply_belong_to_the_innermost_call_around_them():
    outer, inner = calls(0, "call", (1, 20), detail="append"), calls(2, "call", (2, 10), detail="append")
    served = calls(1, "serve", (5, 6), (15, 16), detail="append")
    assert pairs(outer, inner, served) == {
        ((2, 2), (1, 5)),
        ((1, 5), (2, 2)),
        ((0, 1), (1, 15)),
        ((1, 15), (0, 1)),
    }


def test_a_call_that_began_only_later_was_not_the_one_served():
    early, late = calls(0, "call", (1, 20), detail="append"), calls(2, "call", (7, 12), detail="append")
    assert pairs(early, late, calls(1, "serve", (5, 6), detail="append")) == {((0, 1), (1, 5)), ((1, 5), (0, 1))}


def test_another_method_or_another_object_is_not_served():
    assert pairs(calls(0, "call", (1, 20), detail="pop"), calls(1, "serve", (5, 6), detail="append")) == set()
