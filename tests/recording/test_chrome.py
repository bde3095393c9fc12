"""The Chrome trace: every process, call and message of a recording is in it, where the viewer looks for it."""

import json

import pytest

from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import Event, Message, ProcessInfo, Trace

ASKS, ANSWERS = 100, 101  # pids


@pytest.fixture
def events(tmp_path):
    """Return what is written of two processes, one of which sends to a thread of the other; times in ns."""
    sent = Event(0, EventKind.SEND, 2_000, 3_000, "Pipe 1", size=7)
    got = Event(1, EventKind.RECV, 1_500, 9_000, "Pipe 1", outcome=Outcome.RAISED, thread="helper")
    lives = [ProcessInfo("asks", ASKS, None, 1_000, 9_000), ProcessInfo("answers", ANSWERS, ASKS, 1_100, 9_000)]
    Trace(lives, [got, sent], [Message(sent, got)]).to_chrome(tmp_path / "trace.json")
    return json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))["traceEvents"]


def of_phase(events, phase):
    return [event for event in events if event["ph"] == phase]


def test_processes_are_named(events):
    assert [(event["pid"], event["args"]["name"]) for event in of_phase(events, "M")] == [
        (ASKS, "asks"),
        (ANSWERS, "answers"),
    ]


def test_calls_are_in_their_process_and_thread_from_begin_to_return_in_microseconds(events):
    got, sent = of_phase(events, "X")
    assert (sent["pid"], sent["tid"], sent["ts"], sent["dur"]) == (ASKS, 0, 1.0, 1.0)
    assert (got["pid"], got["tid"], got["ts"], got["dur"]) == (ANSWERS, 1, 0.5, 7.5)
    assert (sent["name"], sent["args"]["size"], got["args"]["outcome"]) == ("send Pipe 1", 7, "raised")


def test_an_arrow_leads_from_where_a_message_was_sent_to_where_it_arrived(events):
    (begin,), (end,) = of_phase(events, "s"), of_phase(events, "f")
    assert begin["id"] == end["id"]
    assert (begin["pid"], begin["tid"], begin["ts"]) == (ASKS, 0, 1.0)
    assert (end["pid"], end["tid"], end["ts"]) == (ANSWERS, 1, 8.0)
