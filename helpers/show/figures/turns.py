"""A run under a schedule as a figure: whose turn it was, step by step, and who waits for ever."""

import math

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from helpers import validate
from helpers.control import Failure
from helpers.recording.kinds import WAITING, EventKind, Outcome
from helpers.recording.trace import Event, Trace
from helpers.show.theme import FAILURE, INK, PAPER, Picture, canvas, colour_of, pale
from helpers.supervision.child import signal_name
from helpers.words import plural

STEP = 1_000_000  # ns that a step lasts in the recording of a failure
MOST_UPRIGHT = 12  # columns whose labels are read without turning one's head
MOST_LABELS = 40
LONGEST_LABEL = 8  # characters; of more, only the operation is named
LANE = 0.6  # height of a bar, of the 1.0 between two lanes
DARK = 1.2  # sum of red, green and blue, each from 0 to 1, below which text is white
ROOM = 0.25  # of the steps, beside the last one: there it is said who waits for ever
HATCH = "///"


def turns(failure: Failure, title: str = "") -> Picture:
    """Draw a failing run: a lane a process, pale while others have the turn, hatched while it waits in a call.

    A solid box is a step, and says what was done. A write that undoes another one, a process that crashes, and waiting
    for ever are vermilion and have a cross. Without a title of its own the figure says what came of the run.

    Raises TypeError for anything but the failure that `check` found.
    """
    validate.instance("failure", failure, Failure, "what check(...).failure holds")
    title = validate.text("title", title, may_be_empty=True) or _finding(failure)
    run = failure.trace
    steps = [event for event in run.events if event.outcome is not Outcome.NEVER_RETURNED]
    stuck = [event for event in run.events if event.outcome is Outcome.NEVER_RETURNED]
    columns = len(failure.schedule)
    columns += math.ceil(ROOM * columns) if stuck else 0
    figure, (axes,) = canvas(title, height=1.2 + 0.75 * len(run.processes))
    axes.set_xlim(0, columns)
    axes.set_ylim(len(run.processes) - 0.4, -0.6)
    axes.set_yticks(range(len(run.processes)), [process.name for process in run.processes])
    axes.tick_params(axis="both", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel("steps, one after the other; how long each took is not shown")
    every = -(-columns // MOST_UPRIGHT)
    numbers = range(0, len(failure.schedule), every)
    axes.set_xticks([number + 0.5 for number in numbers], [str(number + 1) for number in numbers])
    _draw_lives(axes, run, columns)
    for event in steps:
        _draw_step(axes, event, columns)
    for event in stuck:
        _draw_stuck(axes, event, columns)
    return Picture(figure, title, failure.story)


def _finding(failure: Failure) -> str:
    count = f"{plural(len(failure.schedule), 'step')}, {plural(failure.preemptions, 'preemption')}"
    end = f"the outcome is {failure.outcome!r}" if failure.reason == "outcome" else f"a {failure.reason}"
    return f"{count}: {end}"


def _draw_lives(axes: Axes, run: Trace, columns: int) -> None:
    for number, process in enumerate(run.processes):
        begin, end = process.begin / STEP, columns if process.end is None else process.end / STEP
        axes.barh(number, end - begin, left=begin, height=LANE, color=pale(colour_of(number)), lw=0)
        if process.exitcode:
            code = process.exitcode
            _cross(axes, end, number, signal_name(-code) if code < 0 else f"exit code {code}")


def _draw_step(axes: Axes, event: Event, columns: int) -> None:
    place, is_lost = event.end / STEP - 1, event.outcome is Outcome.LOST_UPDATE
    if event.kind in WAITING and event.begin / STEP < place:
        axes.barh(event.process, place - event.begin / STEP, left=event.begin / STEP, height=LANE, lw=0, zorder=2,
                  color=pale(colour_of(event.process)), hatch=HATCH, ec=colour_of(event.process))  # fmt: skip
    colour = FAILURE if is_lost else colour_of(event.process)
    axes.barh(event.process, 0.9, left=place + 0.05, height=LANE, color=colour, lw=0, zorder=3)
    is_dark = sum(to_rgb(colour)) < DARK and not is_lost
    axes.text(place + 0.5, event.process, _label(event, columns), ha="center", va="center", fontsize=9, zorder=5,
              rotation=0 if columns <= MOST_UPRIGHT else 90, color=PAPER if is_dark else INK, clip_on=True,
              linespacing=1.1)  # fmt: skip
    if is_lost:
        axes.text(place + 0.5, event.process - LANE / 2, "✗", ha="center", va="bottom", fontsize=13, color=FAILURE,
                  fontweight="bold")  # fmt: skip


def _label(event: Event, columns: int) -> str:
    if columns > MOST_LABELS:
        return ""
    done = event.detail if 0 < len(event.detail) <= LONGEST_LABEL else str(event.kind)
    if event.kind is EventKind.CALL:
        done = event.detail.removeprefix("call ").partition("(")[0].strip("_")  # "get" of a manager's dict
    return done if columns > MOST_UPRIGHT else f"{done}\n{event.channel}".rstrip()


def _draw_stuck(axes: Axes, event: Event, columns: int) -> None:
    begin = event.begin / STEP
    axes.barh(event.process, columns - begin, left=begin, height=LANE, color=pale(FAILURE), hatch=HATCH, ec=FAILURE,
              lw=0, zorder=2)  # fmt: skip
    _cross(axes, columns, event.process, f"{event.kind} {event.channel}".strip())


def _cross(axes: Axes, place: float, lane: int, words: str) -> None:
    axes.annotate(f"✗ {words}", (place, lane), xytext=(-6, 0), textcoords="offset points", ha="right", va="center",
                  fontsize=10, fontweight="bold", zorder=6, annotation_clip=False,
                  bbox={"facecolor": PAPER, "alpha": 0.85, "lw": 0, "pad": 2})  # fmt: skip
