"""The depth of a queue over time, drawn from a recording; and the mailbox as a picture."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.ticker import MaxNLocator

from helpers import validate
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import A_RECORDING, Event, Trace
from helpers.show.figures.lanes import left_out
from helpers.show.theme import FAINT, GRID, INK, Picture, canvas, colour_of, pale
from helpers.words import plural

MOST_ITEMS = 1_000_000
FILL = colour_of(4)
Step = tuple[float, int]  # moment in ms since the recording began, items in the queue from then on


def depth(run: Trace, channel: str | None = None, maxsize: int | None = None) -> Picture:
    """Draw how many items are in a queue over time: one more when a `put` returns, one fewer when a `get` does.

    `channel` is the queue's name in the recording ("Queue 2"), the first queue used if it is None. `maxsize` is the
    limit that the queue was made with, drawn as a line; None draws no line.

    Raises TypeError when `run` is no recording, ValueError when no item was put into the channel in it, TypeError or
    ValueError for a `maxsize` that is not a whole number above 0.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    if maxsize is not None:
        validate.whole_number("maxsize", maxsize, 1, MOST_ITEMS)
    channel = _channel(run, channel)
    events = [event for event in run.events if event.channel == channel and event.outcome is Outcome.OK]
    puts, gets = ([event for event in events if event.kind == kind] for kind in (EventKind.PUT, EventKind.GET))
    begin = min(process.begin for process in run.processes)
    steps = _steps(puts, gets, begin, maxsize)
    title = _title(steps, puts, maxsize) + left_out(run)
    figure, (axes,) = canvas(title, height=3.2)
    _draw(axes, steps, maxsize)
    return Picture(figure, title, _words(channel, steps, len(puts), len(gets)))


def mailbox(producers: int = 2, consumers: int = 2, slots: int = 4) -> Picture:
    """Draw the mental model of a queue: producers on the left, one row of slots, consumers on the right.

    Raises TypeError or ValueError for numbers that are not whole or not from 1 to 6.
    """
    for name, value in [("producers", producers), ("consumers", consumers), ("slots", slots)]:
        validate.whole_number(name, value, 1, 6)
    title = "A queue is a mailbox: many may put, many may get, and each item goes to one of them"
    rows = max(producers, consumers)
    figure, (axes,) = canvas(title, height=1.3 + 0.6 * rows)
    axes.set_axis_off()
    axes.set_xlim(0, 10)
    axes.set_ylim(-rows / 2, rows / 2)
    left, right = 5 - 0.35 * slots, 5 + 0.35 * slots
    for number in range(slots):
        axes.add_patch(Rectangle((left + 0.7 * number, -0.35), 0.7, 0.7, facecolor=pale(FILL), edgecolor=INK, lw=1.5))
    axes.text(5, -0.45, "first in, first out →", ha="center", va="top", fontsize=11)
    for number in range(producers):
        _party(axes, 1.3, _height(number, producers), f"producer {number + 1}", number, (left, "put"))
    for number in range(consumers):
        _party(axes, 8.7, _height(number, consumers), f"consumer {number + 1}", producers + number, (right, "get"))
    words = f"On the left {producers} producers put items into a row of {slots} slots; on the right {consumers} "
    return Picture(figure, title, words + "consumers get them out at the other end, in the same order.")


def _height(number: int, count: int) -> float:
    return (count - 1) / 2 - number


def _party(axes: Axes, x: float, y: float, name: str, colour: int, link: tuple[float, str]) -> None:
    edge, verb = link
    inner = x + 0.85 if edge > x else x - 0.85
    axes.add_patch(FancyBboxPatch((x - 0.75, y - 0.28), 1.5, 0.56, boxstyle="round,pad=0.02,rounding_size=0.1",
                                  facecolor=pale(colour_of(colour)), edgecolor=colour_of(colour), lw=2))  # fmt: skip
    axes.text(x, y, name, ha="center", va="center", fontsize=12)
    start, end = ((inner, y), (edge - 0.1, 0)) if verb == "put" else ((edge + 0.1, 0), (inner, y))
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=INK, lw=1.5))
    axes.text((inner + edge) / 2, y / 2 + (0.14 if y >= 0 else -0.14), verb, ha="center",
              va="bottom" if y >= 0 else "top", fontsize=12)  # fmt: skip


def _channel(run: Trace, channel: str | None) -> str:
    names = list(
        dict.fromkeys(
            event.channel for event in run.events if event.kind == EventKind.PUT and event.outcome is Outcome.OK
        )
    )
    if not names:
        raise ValueError("run must be a recording in which an item was put into a queue; there is none in it")
    return names[0] if channel is None else validate.one_of("channel", channel, names)


def _steps(puts: list[Event], gets: list[Event], begin: int, maxsize: int | None) -> list[Step]:
    """Return the depth after each change.

    Two processes note one after the other what happens at once: a `get` makes room a few microseconds before it
    returns, a `put` lets go of its item a few before it returns. So a `get` counts no earlier than its `put`, and a
    `put` into a full queue no earlier than the `get` that made room.
    """
    entered, left = sorted(event.end for event in puts), sorted(event.end for event in gets)
    for number in range(len(entered)):
        if maxsize and maxsize <= number < len(left) + maxsize:
            entered[number] = max(entered[number], left[number - maxsize])
        if number < len(left):
            left[number] = max(left[number], entered[number])
    # of two changes at one moment: room is made, then filled; an item is put, then taken
    changes = [(at, 2 * number, 1) for number, at in enumerate(entered)]
    changes += [(at, 2 * number + 1, -1) for number, at in enumerate(left[: len(entered)])]
    first, last = changes[0][0], max(at for at, _, _ in changes)
    # the picture begins shortly before the first item: until then the queue is empty
    steps, inside = [(max(0.0, (first - begin - (last - first) / 40) / 1e6), 0)], 0
    for at, _, change in sorted(changes):
        inside += change
        steps.append(((at - begin) / 1e6, inside))
    return steps


def _title(steps: list[Step], puts: list[Event], maxsize: int | None) -> str:
    most = max(inside for _, inside in steps)
    waited = sum(event.end - event.begin for event in puts) / 1e6
    limit = f", of {maxsize:,} allowed; put() waited {waited:,.0f} ms in all" if maxsize else ""
    return f"The queue held {plural(most, 'item')} at most{limit}"


def _draw(axes: Axes, steps: list[Step], maxsize: int | None) -> None:
    times, inside = zip(*steps, strict=True)
    axes.fill_between(times, inside, step="post", color=pale(FILL), lw=0)
    axes.step(times, inside, where="post", color=colour_of(0), lw=2)
    most = max(*inside, 1)
    if maxsize and maxsize <= 3 * most:
        axes.axhline(maxsize, color=INK, lw=1.2, ls="--")
        axes.annotate(f"maxsize {maxsize:,}", (1, maxsize), xycoords=("axes fraction", "data"), ha="right",
                      va="bottom", fontsize=11)  # fmt: skip
        most = max(most, maxsize)
    axes.set_ylim(0, 1.15 * most + 0.2)
    axes.set_xlim(times[0], None)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("time in ms since the recording began")
    axes.set_ylabel("items in the queue")
    axes.grid(color=GRID)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def _words(channel: str, steps: list[Step], puts: int, gets: int) -> str:
    most = max(inside for _, inside in steps)
    at = next(moment for moment, inside in steps if inside == most)
    return (
        f"{puts:,} items put into {channel}, {gets:,} taken out. The depth rose to {most:,} at {at:.0f} ms "
        f"and was {steps[-1][1]:,} at {steps[-1][0]:.0f} ms, after the last change."
    )
