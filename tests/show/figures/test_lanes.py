"""Lanes: readable from 1 to 10,000 events and from 1 to 16 processes, with words that say the same."""

import pytest
from matplotlib.colors import to_hex

from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import Event, Message, ProcessInfo, Trace
from helpers.show import lanes
from helpers.show.theme import PAPER

MS = 1_000_000


def conversation(messages, gap=MS, processes=2):
    """Return a made-up trace in which process 0 sends to the others in turn, `gap` ns apart."""
    infos = [ProcessInfo("MainProcess", 100, None, 0, (messages + 2) * gap)]
    infos += [ProcessInfo(f"Child-{n}", 100 + n, 100, gap // 2, (messages + 2) * gap, 0) for n in range(1, processes)]
    pairs = []
    for n in range(messages):
        sent = Event(0, "send", n * gap, n * gap + 10, "Pipe 1")
        got = Event(1 + n % (processes - 1), "recv", n * gap, n * gap + gap // 2, "Pipe 1")
        pairs.append(Message(sent, got))
    return Trace(infos, [event for pair in pairs for event in (pair.sent, pair.received)], pairs)


def test_the_title_says_who_waited_longest_and_where():
    assert lanes(conversation(3)).title == "2 processes, 3 messages; Child-1 waited longest, 0.5 ms in recv"


def test_the_title_tells_a_wait_for_a_start_from_one_for_an_answer():
    run = conversation(1)
    run.events[1] = run.events[1]._replace(process=0, end=2 * MS)
    run.processes[1] = ProcessInfo("Child-1", 101, 100, 0, 3 * MS, 0, ready=MS + MS // 2)
    assert lanes(run).title.endswith("2 ms in recv, mostly while Python started in Child-1")
    run.processes[1] = ProcessInfo("Child-1", 101, 100, 0, 3 * MS, 0, ready=MS // 2)
    assert lanes(run).title.endswith("MainProcess waited longest, 2 ms in recv")


def test_the_title_names_all_who_wait_for_ever():
    run = conversation(1)
    run.events = [Event(n, EventKind.RECV, 0, MS, outcome=Outcome.NEVER_RETURNED) for n in (1, 0)]
    assert lanes(run).title.endswith("; MainProcess waits in recv and Child-1 waits in recv for ever")


def test_a_start_is_an_outline_and_says_so_where_there_is_room():
    run = conversation(1)
    run.processes[1] = ProcessInfo("Child-1", 101, 100, 0, 3 * MS, 0, ready=2 * MS)
    picture = lanes(run)
    outline = [patch for patch in picture.figure.axes[0].patches if to_hex(patch.get_facecolor()) == PAPER]
    assert [patch.get_width() for patch in outline] == [2.0]
    assert "Python starts" in [text.get_text() for text in picture.figure.axes[0].texts]
    assert "Child-1 ran from 0.0 to 3.0 ms, at work from 2.0 ms on" in picture.words


def test_the_words_name_every_process_and_the_first_messages():
    words = lanes(conversation(8)).words
    assert "MainProcess ran from 0.0 to 10.0 ms" in words
    assert "Message from MainProcess to Child-1: sent at 0.0 ms, received at 0.5 ms." in words
    assert "And 2 more messages." in words


@pytest.mark.parametrize(("messages", "processes"), [(1, 2), (5_000, 2), (100, 16)])
def test_every_size_can_be_drawn(messages, processes):
    picture = lanes(conversation(messages, processes=processes))
    assert len(picture.png()) < 120_000


def test_one_process_alone_can_be_drawn():
    assert lanes(Trace([ProcessInfo("MainProcess", 1, None, 0, MS)])).title.startswith("1 process, 0 messages")


def test_too_many_arrows_are_thinned_out_and_it_says_so():
    texts = [text.get_text() for text in lanes(conversation(5_000)).figure.axes[0].texts]
    assert any(text.endswith(" of 5,000 messages drawn") for text in texts)


def test_a_short_burst_in_a_long_run_is_magnified():
    run = conversation(3, gap=10_000)
    run.processes[0] = ProcessInfo("MainProcess", 100, None, -50 * MS, MS)
    titles = [axes.get_title() for axes in lanes(run).figure.axes]
    assert titles == ["", "magnified: these 0.12 ms"]


def test_a_killed_process_is_marked_in_words_and_colour():
    run = conversation(1)
    run.processes[1] = ProcessInfo("Child-1", 101, 100, 0, 2 * MS, -9)
    picture = lanes(run)
    assert "ended with exit code -9" in picture.words
    assert "SIGKILL" in [text.get_text() for text in picture.figure.axes[0].texts]


@pytest.mark.parametrize("run", [None, [], "run"])
def test_what_is_no_recording_is_refused(run):
    with pytest.raises(TypeError, match="run must be a recording"):
        lanes(run)


def test_an_empty_recording_is_refused():
    with pytest.raises(ValueError, match="no process"):
        lanes(Trace())


def test_a_picture_carries_its_words_into_html():
    html = lanes(conversation(1))._repr_mimebundle_()["text/html"]
    assert html.startswith('<img alt="2 processes, 1 message;')


def test_a_process_goes_on_while_another_thread_of_it_waits():
    run = Trace([ProcessInfo("MainProcess", 1, None, 0, 10 * MS)])
    run.events = [Event(0, EventKind.PUT, 0, 2 * MS), Event(0, EventKind.SEND, 0, 9 * MS, thread="QueueFeederThread")]
    picture = lanes(run)
    assert picture.title.endswith("MainProcess waited longest, 2 ms in put")
    assert "waiting 20%" in picture.words
    drawn = [patch for patch in picture.figure.axes[0].patches if patch.get_hatch()]
    assert [patch.get_width() for patch in drawn] == [2.0]


def test_what_could_not_be_read_is_said_in_the_title_and_in_the_words():
    run = conversation(3)
    run.left_out = 1_234
    picture = lanes(run)
    assert picture.title == "2 processes, 3 messages at first; 1,234 later calls left out"
    assert "From 2.5 ms on calls are left out, 1,234 of them." in picture.words
    assert "waiting" not in picture.words
    assert lanes(run, title="A conversation").title == "A conversation; 1,234 later calls left out"
