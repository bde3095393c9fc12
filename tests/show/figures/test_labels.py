"""Figures of crowded data, in which labels would lie on each other; conftest.py measures all others of this folder."""

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from helpers.lessons import interleavings
from helpers.measuring.advice import Survey
from helpers.measuring.timing import Measurement, Point
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import Event, ProcessInfo, Trace
from helpers.scheduling import explore
from helpers.show import bars, cost_map, growth, halves, lanes, latency, mailbox, model, strips
from helpers.show.theme import canvas
from tests.recorded_updates import recording
from tests.show.figures.overlaps import overlapping

MS = 1_000_000
NAMES = ["Pipe", "SimpleQueue", "Queue", "shared memory", "Manager", "a socket of our own"]


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_labels_on_each_other_and_out_of_the_figure_are_found():
    figure, (axes,) = canvas("Title", 2.0)
    axes.text(0.5, 0.5, "one")
    axes.text(0.51, 0.5, "another")
    axes.text(0.1, 0.5, "apart")
    figure.text(0.97, 0.5, "too far to the right")
    assert overlapping(figure) == ["'one' and 'another'", "'too far to the right' leaves the figure"]


def wait(process: int, kind: EventKind, begin: float, end: float) -> Event:
    return Event(process, kind, int(begin * MS), int(end * MS), "Pipe 1", outcome=Outcome.OK)


@pytest.mark.parametrize("end", [11, 12, 15, 25, 60])
def test_how_a_process_ended_is_said_before_what_it_waited_in(end):
    begin = end - 11
    dead = ProcessInfo("killed while it waits", 101, 100, 0, end * MS, -9, ready=begin * MS)
    others = [ProcessInfo("MainProcess", 100, None, 0, 100 * MS), ProcessInfo("busy", 102, 100, 0, 100 * MS, 0)]
    waits = [wait(1, EventKind.RECV, begin, end), *(wait(2, EventKind.ACQUIRE, n, n + 9.5) for n in range(0, 90, 10))]
    figure = lanes(Trace([others[0], dead, others[1]], waits)).figure
    assert "SIGKILL" in labels(figure)
    assert overlapping(figure) == []


def test_waits_in_waits_are_named_once():
    infos = [ProcessInfo("MainProcess", 100, None, 0, 100 * MS)]
    run = Trace(infos, [wait(0, EventKind.GET, 10, 90), wait(0, EventKind.RECV, 11, 89)])
    assert overlapping(lanes(run).figure) == []


def measured(name: str, nanoseconds: int) -> Measurement:
    points = tuple(Point(size, (nanoseconds + size,)) for size in (100, 10_000, 1_000_000))
    return Measurement(name, "round trip", "spawn", 1, points, Point(0, (nanoseconds // 2,)))


@pytest.mark.parametrize("apart", [0, 1, 7, 60])
def test_mechanisms_that_cost_the_same_are_named_side_by_side(apart):
    runs = {name: measured(name, 20_000 + apart * 100 * number) for number, name in enumerate(NAMES)}
    figure = cost_map(Survey(runs, runs, dict.fromkeys(NAMES, 0.0001), {}, {})).figure
    assert len(labels(figure)) == len(NAMES)
    assert overlapping(figure) == []


def test_many_updates_of_one_process_leave_room_for_the_lost_one():
    figure = halves(recording([10, 20, 400, 410, 520, 530], [15, 30, 700, 710, 900, 920])).figure
    assert "another wrote meanwhile" in labels(figure) or any(text.startswith("writes") for text in labels(figure))
    assert overlapping(figure) == []


@pytest.mark.parametrize(
    "picture",
    [
        lambda: model(NAMES[:5], [(first, second, "+= 1") for first, second in pairwise(NAMES[:5])]),
        lambda: growth({n: explore(interleavings.increments(1, n)) for n in (1, 2)}, "increments"),
        lambda: mailbox(6, 6, 6),
        lambda: bars({name: 0.001 * number for number, name in enumerate(NAMES, 1)}),
        lambda: strips({"a rather long name": [0, 1] * 30, "another": [0] * 30}),
        lambda: latency(*(measured(name, 20_000 + n) for n, name in enumerate(NAMES))),
    ],
)  # fmt: skip
def test_crowded_figures_can_be_read(picture):
    assert overlapping(picture().figure) == []
