"""All schedules of a small scenario as a tree: at each fork somebody decides who takes the next step."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from matplotlib.axes import Axes

from helpers import validate
from helpers.scheduling.model.exploration import Exploration
from helpers.scheduling.model.model import State
from helpers.show.theme import FAILURE, INK, LINES, PAPER, Picture, canvas, colour_of
from helpers.words import percent, plural

MOST = 24  # schedules that fit into a picture

Prefix = tuple[int, ...]  # the first turns of a schedule


def tree(explored: Exploration, broken: Callable[[Any], bool], what: str = "lose an update") -> Picture:
    """Draw every schedule as a way from the left to the right, with its outcome and its chance with a fair coin.

    A branch is a turn, in the colour and with the number of its process. `broken(outcome)` is true for an outcome that
    nobody wants, and `what` says what its schedules do; such ends are marked ✗. So is a deadlock.

    Raises TypeError for anything but an exploration and a function; ValueError for none or more than 24 schedules.
    """
    validate.instance("explored", explored, Exploration, "what explore returns")
    validate.function("broken", broken, "a function of an outcome", 1)
    validate.text("what", what)
    if not 0 < explored.schedules <= MOST:
        raise ValueError(f"explored must have 1 to {MOST} schedules to draw, not {explored.schedules:,}")
    schedules = [tuple(schedule) for schedule in explored.each_schedule()]
    ends = [explored.follow(list(schedule))[-1].state for schedule in schedules]
    chances = [_chance(schedule, schedules) for schedule in schedules]
    bad = [end.deadlocked or broken(end.outcome) for end in ends]
    by_coin = float(sum(chance for chance, is_bad in zip(chances, bad, strict=True) if is_bad))
    title = f"{sum(bad)} of {plural(len(schedules), 'schedule')} {what}: {percent(sum(bad) / len(bad))} when you "
    title += f"count, {percent(by_coin)} with a fair coin"
    figure, (axes,) = canvas(title, height=1.2 + 0.42 * len(schedules))
    axes.set_axis_off()
    longest = max(map(len, schedules))
    axes.set_xlim(-0.1, 1.35 * longest)
    axes.set_ylim(len(schedules) - 0.5, -0.5)
    _draw_branches(axes, schedules)
    words = []
    for place, (schedule, end, chance, is_bad) in enumerate(zip(schedules, ends, chances, bad, strict=True)):
        told = _told(end)
        axes.text(len(schedule) + 0.08, place, f"{told} {'✗' if is_bad else ''}  coin: {chance}", va="center",
                  fontsize=11, color=FAILURE if is_bad else INK)  # fmt: skip
        words.append(f"{' '.join(map(str, schedule))}: {told}{', not wanted' if is_bad else ''}, {chance} with a coin.")
    return Picture(figure, title, " ".join(words))


def _draw_branches(axes: Axes, schedules: Sequence[Prefix]) -> None:
    for prefix in sorted({schedule[:length] for schedule in schedules for length in range(1, len(schedule) + 1)}):
        begin, end = _height(prefix[:-1], schedules), _height(prefix, schedules)
        process = prefix[-1]
        axes.plot([len(prefix) - 1, len(prefix)], [begin, end], LINES[process % len(LINES)], color=colour_of(process),
                  lw=2.5)  # fmt: skip
        axes.text(len(prefix) - 0.5, (begin + end) / 2, f"{process}", ha="center", va="center", fontsize=10,
                  bbox={"facecolor": PAPER, "lw": 0, "pad": 1})  # fmt: skip


def _chance(schedule: Prefix, schedules: Sequence[Prefix]) -> Fraction:
    """Return how likely a schedule is when at each fork all branches are."""
    chance = Fraction(1)
    for length in range(len(schedule)):
        begin = schedule[:length]
        chance /= len({other[length] for other in schedules if other[:length] == begin and len(other) > length})
    return chance


def _height(prefix: Prefix, schedules: Sequence[Prefix]) -> float:
    """Return the middle of the rows of all schedules that begin so."""
    rows = [row for row, schedule in enumerate(schedules) if schedule[: len(prefix)] == prefix]
    return sum(rows) / len(rows)


def _told(end: State) -> str:
    return "deadlock" if end.deadlocked else f"ends with {end.outcome}"
