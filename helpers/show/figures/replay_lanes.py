"""A replay as a figure: which process took which step, in their order, and what came of it."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from helpers import validate
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import Event
from helpers.scheduling.model.lost_updates import lost_updates
from helpers.scheduling.real.replays import Replay
from helpers.show.theme import FAILURE, INK, PAPER, Picture, canvas, colour_of, pale
from helpers.words import plural

MAX_LABELS = 10  # steps that are labelled; of more, only the numbers show
DARK = 1.2  # sum of red, green and blue, each from 0 to 1, below which text is white
_ENDS = {Outcome.LOST_UPDATE: ", an update is lost.", Outcome.RAISED: ", it raised an error."}
LANE = 0.6  # height of a bar, of the 1.0 between two lanes


def replay_lanes(played: Replay) -> Picture:
    """Draw a replay: a lane per process, pale while it waits for its turn, with its steps in their order.

    Under each step stands when it began; lengths say nothing. Lost updates and endless waiting are vermilion, hatched,
    and named. The title says what came of it.

    Raises TypeError for anything but a replay.
    """
    validate.instance("played", played, Replay, "what replay returns")
    names, steps, waits = [process.name for process in played.trace.processes], _steps(played), _waits(played)
    figure, (axes,) = canvas(_finding(played), height=1.2 + 0.75 * len(names))
    columns = max(len(steps) + 2 * bool(waits), 1)
    axes.set_xlim(0, columns)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="both", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel("when each step began, in ms")
    _label_times(axes, steps)
    for number in range(len(names)):
        axes.barh(number, columns, height=LANE, color=pale(colour_of(number)), lw=0)
    for event in waits:
        _draw_wait(axes, event, len(steps), columns)
    for number, event in enumerate(steps):
        _draw_step(axes, event, number, len(steps))
    return Picture(figure, _finding(played), _told(played))


def _steps(played: Replay) -> list[Event]:
    return [event for event in played.trace.events if event.kind == EventKind.STEP]


def _waits(played: Replay) -> list[Event]:
    return [event for event in played.trace.events if event.outcome is Outcome.NEVER_RETURNED]


def _label_times(axes: Axes, steps: list[Event]) -> None:
    every = -(-len(steps) // MAX_LABELS) or 1
    shown = range(0, len(steps), every)
    times = [f"{(steps[number].begin - steps[0].begin) / 1e6:.2f}" for number in shown]
    axes.set_xticks([number + 0.5 for number in shown], times)


def _draw_step(axes: Axes, event: Event, number: int, count: int) -> None:
    failed = event.outcome.is_failure
    colour, hatch = (FAILURE, "///") if failed else (colour_of(event.process), None)
    axes.barh(event.process, 0.9, left=number + 0.05, height=LANE, color=colour, ec=INK, hatch=hatch, lw=0, zorder=3)
    text = event.detail if count <= MAX_LABELS else ""
    text = textwrap.fill(textwrap.shorten(text, 40), max(8, 72 // max(count, 4)))
    if failed:
        text = f"✗ {text}\n{event.outcome}" if text else "✗"
    is_dark = sum(to_rgb(colour)) < DARK and not failed
    axes.text(number + 0.5, event.process, text, ha="center", va="center", fontsize=10, zorder=5, clip_on=True,
              color=PAPER if is_dark else INK, fontweight="bold" if failed or is_dark else "normal",
              bbox={"facecolor": PAPER, "alpha": 0.8, "lw": 0, "pad": 1} if failed else None)  # fmt: skip


def _draw_wait(axes: Axes, event: Event, begin: int, end: int) -> None:
    axes.barh(event.process, end - begin - 0.1, left=begin + 0.05, height=LANE, color=pale(FAILURE), hatch="///",
              ec=FAILURE, lw=0)  # fmt: skip
    text = textwrap.fill(f"✗ {event.detail}", 28)
    axes.text((begin + end) / 2, event.process, text, ha="center", va="center", fontsize=10, fontweight="bold",
              bbox={"facecolor": PAPER, "alpha": 0.8, "lw": 0, "pad": 1})  # fmt: skip


def _finding(played: Replay) -> str:
    lost = len(lost_updates(played.steps))
    end = "a deadlock" if played.state.deadlocked else f"the outcome is {played.outcome}"
    if not played.state.finished and not played.state.deadlocked:
        end = "stopped before the end"
    loss = f", {plural(lost, 'update')} lost" if lost else ""
    count = len(played.steps)
    return f"{plural(count, 'step')} on real processes: {end}{loss}"


def _told(played: Replay) -> str:
    names = [process.name for process in played.trace.processes]
    steps = _steps(played)
    told = [
        f"Step {number}, at {(event.begin - steps[0].begin) / 1e6:.2f} ms: {names[event.process]}, {event.detail}"
        + _ENDS.get(event.outcome, ".")
        for number, event in enumerate(steps, start=1)
    ]
    return " ".join(told + [f"{names[event.process]} {event.detail}." for event in _waits(played)])
