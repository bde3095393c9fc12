"""Pictures of schedules: what all of them come to, how they grow in number, who waits for whom, who ran when."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.scheduling.model.exploration import Exploration, deadlock
from helpers.scheduling.model.model import State, Step
from helpers.scheduling.real.free_runs import Sample
from helpers.show.figures.labels import move_apart
from helpers.show.theme import FAILURE, FAINT, INK, LINES, MARKERS, Picture, canvas, colour_of, pale
from helpers.words import percent

MAX_OUTCOMES = 40
MAX_LABELLED = 6  # outcomes whose bars carry their share as a text
MAX_DIGITS = 60  # steps in a row that carry the number of their process
MAX_PROCESSES = 6  # in a circle
DEADLOCK = "deadlock"
MODELS = ("all schedules equally likely", "a fair coin at each step", "observed on this machine")
HATCHES = ("", "..", "\\\\\\")
Point = tuple[float, float]
BAR = 0.3  # width, of the 1.0 between two outcomes

Shares = dict[str, tuple[float, float, Proportion]]  # by outcome: in all schedules, with a coin, observed


def compare(
    explored: Exploration, seen: Sample, broken: Callable[[Any], bool], what: str = "lose an update"
) -> Picture:
    """Draw the probability of each outcome three times: by both models, and as observed with its 95 % interval.

    `broken(outcome)` is true for an outcome that nobody wants, and `what` says what its schedules do; such outcomes
    are marked ✗. So is a deadlock.

    Raises TypeError for anything but an exploration, a sample and a function; ValueError for more than 40 outcomes, or
    where there are infinitely many schedules.
    """
    validate.instance("explored", explored, Exploration, "what explore returns")
    validate.instance("seen", seen, Sample, "what sample returns")
    validate.function("broken", broken, "a function of an outcome", 1)
    validate.text("what", what)
    outcomes = _in_order({*explored.outcomes, *seen.outcomes})
    bad = [str(outcome) for outcome in outcomes if broken(outcome)]
    rows: Shares = {
        str(o): (float(explored.probability(o)), float(explored.probability(o, "coin")), seen.frequency(o))
        for o in outcomes
    }
    if explored.deadlocks or seen.deadlocks:
        chances = float(explored.probability(deadlock)), float(explored.probability(deadlock, "coin"))
        rows[DEADLOCK] = (*chances, Proportion(seen.deadlocks, seen.runs))
        bad.append(DEADLOCK)
    if len(rows) > MAX_OUTCOMES:
        raise ValueError(f"there must be at most {MAX_OUTCOMES} outcomes to draw, not {len(rows)}")
    title = _finding(explored, seen, broken, what)
    figure, (axes,) = canvas(title, height=4.0)
    _draw_groups(axes, rows, bad)
    return Picture(figure, title, " ".join(_say(outcome, *row, outcome in bad) for outcome, row in rows.items()))


def _finding(explored: Exploration, seen: Sample, broken: Callable[[Any], bool], what: str) -> str:
    def is_bad(state: State) -> bool:
        return not state.finished or broken(state.outcome)

    lost = seen.deadlocks + sum(count for outcome, count in seen.outcomes.items() if broken(outcome))
    share, coin = explored.probability(is_bad), float(explored.probability(is_bad, "coin"))
    real = f"{lost:,} of {seen.runs:,} runs here"
    if not share:
        return f"Proof: 0 of {explored.schedules:,} schedules {what}; {real}"
    return f"{percent(float(share))} of all schedules {what}, {percent(coin)} with a fair coin, {real}"


def _draw_groups(axes: Axes, rows: Shares, bad: Sequence[str]) -> None:
    for place, row in enumerate(rows.values()):
        heights = (row[0], row[1], row[2].share)
        for number, height in enumerate(heights):
            at, top = place + (number - 1) * BAR, height
            axes.bar(at, 100 * height, width=BAR, color=pale(colour_of(number)) if number else colour_of(0),
                     ec=colour_of(number), hatch=HATCHES[number],
                     label=MODELS[number] if place == 0 else None)  # fmt: skip
            if number == 2:
                _draw_interval(axes, at, row[2])
                top = row[2].interval[1]
            if len(rows) <= MAX_LABELLED:
                axes.text(at, 100 * top + 1.5, _short(height), ha="center", va="bottom", fontsize=9)
    between = " " if len(rows) <= MAX_LABELLED else "\n"
    labels = [f"{outcome}{between}✗" if outcome in bad else outcome for outcome in rows]
    axes.set_xticks(range(len(rows)), labels)
    for label in axes.get_xticklabels():
        if label.get_text().endswith("✗"):
            label.set(color="white", fontweight="bold", bbox={"facecolor": FAILURE, "lw": 0, "pad": 2})
    axes.set_xlabel("outcome" + ("; ✗ is what nobody wants" if bad else ""), labelpad=8)
    axes.set_ylabel("how often")
    axes.set_ylim(0, 118)
    axes.set_xlim(-0.6, len(rows) - 0.4) if len(rows) > 1 else axes.set_xlim(-1.2, 1.2)
    axes.set_yticks(range(0, 101, 25))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.legend(frameon=False, ncols=3, fontsize=10, loc="lower left", bbox_to_anchor=(-0.02, 1.0))


def _draw_interval(axes: Axes, at: float, seen: Proportion) -> None:
    low, high = seen.interval
    below, above = max(0.0, seen.share - low), max(0.0, high - seen.share)
    axes.errorbar(at, 100 * seen.share, yerr=[[100 * below], [100 * above]], color=INK, capsize=3)


def _say(outcome: str, uniform: float, coin: float, seen: Proportion, is_bad: bool) -> str:
    wanted = " (not wanted)" if is_bad else ""
    low, high = seen.interval
    return (
        f"Outcome {outcome}{wanted}: {percent(uniform)} of all schedules, {percent(coin)} with a coin, observed "
        f"{percent(seen.share)}, interval {percent(low)} to {percent(high)}."
    )


def _in_order(outcomes: set[Any]) -> list[Any]:
    numbers = all(isinstance(outcome, int | float) for outcome in outcomes)
    return sorted(outcomes) if numbers else sorted(outcomes, key=str)


def _short(share: float) -> str:
    return ">99 %" if 0.99 < share < 1 else percent(share, 2)


def growth(explored: Mapping[int, Exploration], what: str) -> Picture:
    """Draw how many schedules and how many states a scenario has as it gets larger; `what` names the size.

    Raises TypeError or ValueError for fewer than two explorations, or one with infinitely many schedules.
    """
    for size, each in validate.mapping("explored", explored, "two explorations or more by size", 2).items():
        validate.whole_number("a size in explored", size, 0, 10**9)
        validate.instance(f"explored[{size}]", each, Exploration, "what explore returns")
    validate.text("what", what)
    sizes = sorted(explored)
    schedules, states = [explored[size].schedules for size in sizes], [len(explored[size]) for size in sizes]
    if math.inf in schedules:
        raise ValueError("explored must hold explorations with a finite number of schedules")
    last = sizes[-1]
    but = "but only" if states[-1] < schedules[-1] else "and"
    title = f"{last} {what}: {schedules[-1]:,} schedules, {but} {states[-1]:,} states"
    figure, (axes,) = canvas(title, height=3.6)
    names = []
    both: dict[str, Sequence[float]] = {"schedules": schedules, "states": states}
    for number, (name, counts) in enumerate(both.items()):
        # as logarithms of our own, since these numbers may be too large for a float
        axes.plot(sizes, [math.log10(count) for count in counts], LINES[number], marker=MARKERS[number],
                  color=colour_of(number), lw=2, ms=8)  # fmt: skip
        names.append(axes.annotate(name, (last, math.log10(counts[-1])), xytext=(10, 0), textcoords="offset points",
                                   va="center"))  # fmt: skip
    axes.set_xlabel(what)
    axes.set_ylabel("how many")
    axes.margins(x=0.14)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(lambda power, _: f"{10**power:,.0f}" if power < 7 else f"10^{power:.0f}")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=FAINT, alpha=0.3)
    move_apart(figure, names)
    rows = zip(sizes, schedules, states, strict=True)
    words = ", ".join(f"{size}: {count:,} and {number:,}" for size, count, number in rows)
    return Picture(figure, title, f"Number of {what}: schedules and states. {words}.")


def wait_for(state: State) -> Picture:
    """Draw processes that wait for one another in a circle, and what each of them holds.

    Raises TypeError for anything but a state, ValueError where nobody waits in a circle, or more than 6 do.
    """
    validate.instance("state", state, State, "a state of an exploration")
    circle = state.cycle
    if not 1 <= len(circle) <= MAX_PROCESSES:
        raise ValueError(f"state must have a circle of 1 to {MAX_PROCESSES} waiting processes, not {len(circle)}")
    names = [state.model.names[wait.process] for wait in circle]
    title = f"{len(circle)} processes wait in a circle: none of them can ever go on"
    height = 2.0 + 0.8 * len(circle)
    figure, (axes,) = canvas(title, height=height + 0.5)
    axes.set_axis_off()
    # about one unit an inch, whatever the height
    axes.set_xlim(-4.4, 4.4)
    axes.set_ylim(-height / 2, height / 2)
    nodes = []
    for number, (wait, name) in enumerate(zip(circle, names, strict=True)):
        nodes.append(_party(axes, _on_circle(2 * number, len(circle), height), name, colour_of(wait.process)))
        nodes.append(_thing(axes, _on_circle(2 * number + 1, len(circle), height), wait.for_what))
    for number, (at, node) in enumerate(nodes):
        _arrow(axes, (at, node), nodes[(number + 1) % len(nodes)], waits=number % 2 == 0)
    holders = [*names[1:], names[0]]
    words = [
        f"{name} waits for {wait.for_what}, which {holder} holds."
        for name, wait, holder in zip(names, circle, holders, strict=True)
    ]
    return Picture(figure, title, " ".join(words))


def _on_circle(number: int, processes: int, height: float) -> Point:
    angle = math.pi - math.pi * number / processes
    return 3.5 * math.cos(angle), (height / 2 - 0.35) * math.sin(angle)


def _party(axes: Axes, at: Point, name: str, colour: str) -> tuple[Point, Patch]:
    box = FancyBboxPatch((at[0] - 0.65, at[1] - 0.22), 1.3, 0.44, boxstyle="round,pad=0.02,rounding_size=0.1",
                         facecolor=pale(colour), edgecolor=colour, lw=2, zorder=3)  # fmt: skip
    return at, _named(axes, at, name, box)


def _thing(axes: Axes, at: Point, name: str) -> tuple[Point, Patch]:
    return at, _named(axes, at, name, Ellipse(at, 1.5, 0.55, facecolor="white", edgecolor=INK, lw=1.5, zorder=3))


def _named(axes: Axes, at: Point, name: str, shape: Patch) -> Patch:
    axes.add_patch(shape)
    axes.text(*at, name, ha="center", va="center", fontsize=12, zorder=5)
    return shape


def _arrow(axes: Axes, start: tuple[Point, Patch], end: tuple[Point, Patch], waits: bool) -> None:
    (one, shape), (other, target) = start, end
    axes.add_patch(FancyArrowPatch(one, other, patchA=shape, patchB=target, shrinkA=2, shrinkB=2, mutation_scale=18,
                                   arrowstyle="-|>", color=FAILURE if waits else INK, ls="-" if waits else "--", lw=2,
                                   zorder=2))  # fmt: skip
    axes.text((one[0] + other[0]) / 2, (one[1] + other[1]) / 2, "waits for" if waits else "held by", ha="center",
              va="center", fontsize=10, zorder=4, bbox={"facecolor": "white", "lw": 0, "pad": 1})  # fmt: skip


def switches(schedule: Sequence[int]) -> int:
    """Return how often the turn goes to another process in a schedule.

    Raises TypeError or ValueError for what is not a list of process numbers.
    """
    _check_schedule("schedule", schedule, least=0)
    return sum(first != second for first, second in itertools.pairwise(schedule))


def strips(schedules: Mapping[str, Sequence[int]]) -> Picture:
    """Draw schedules as strips, one under another: a cell per step, in the colour and with the number of its process.

    Raises TypeError or ValueError for no schedule, or one that is not a list of process numbers.
    """
    for name, schedule in validate.mapping("schedules", schedules, "schedules, one or more, by name").items():
        _check_schedule(f"schedules[{name!r}]", schedule, least=1)
    changes = {name: switches(schedule) for name, schedule in schedules.items()}
    longest = max(map(len, schedules.values()))
    title = "Switches to another process: " + ", ".join(f"{count:,} ({name})" for name, count in changes.items())
    figure, (axes,) = canvas(title, height=1.5 + 0.5 * len(schedules))
    for row, schedule in enumerate(schedules.values()):
        colours = [colour_of(process) for process in schedule]
        axes.barh([row] * len(schedule), 1, left=range(len(schedule)), height=0.62, color=colours, ec="white", lw=1)
        if longest <= MAX_DIGITS:
            for at, process in enumerate(schedule):
                # a light patch under the digit, since not every colour carries black or white
                axes.text(at + 0.5, row, f"{process}", ha="center", va="center", fontsize=9,
                          bbox={"facecolor": "white", "lw": 0, "pad": 1.2})  # fmt: skip
    axes.set_yticks(range(len(schedules)), list(schedules))
    axes.set_ylim(len(schedules) - 0.5, -0.5)
    axes.set_xlim(0, longest)
    axes.set_xlabel("steps, in their order; the number is that of the process")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    words = (f"{name}: {' '.join(map(str, schedule))}." for name, schedule in schedules.items())
    return Picture(figure, title, " ".join(words))


def story(steps: Sequence[Step]) -> str:
    """Tell a schedule in lines, one for each turn: the steps that a process takes until another one comes.

    Raises TypeError or ValueError for anything else, and for no steps.
    """
    for number, step in enumerate(validate.sequence("steps", steps, "steps, one or more, such as those of a replay")):
        validate.instance(f"steps[{number}]", step, Step, "a step, such as those of a replay")
    names, lines, first = steps[0].state.model.names, [], 1
    for process, turn in itertools.groupby(steps, key=lambda step: step.process):
        labels = [step.label for step in turn]
        last = first + len(labels) - 1
        place, said = (f"{first}", labels[0]) if first == last else (f"{first}-{last}", _from_to(labels))
        lines.append(f"{place:>7}  {names[process]}: {said}")
        first = last + 1
    return "\n".join(lines)


def _from_to(labels: list[str]) -> str:
    return ", ".join(labels) if len(labels) < 4 else f"{labels[0]}, {labels[1]}, … {labels[-1]}"


def _check_schedule(name: str, schedule: Sequence[int], least: int) -> None:
    for number, process in enumerate(validate.sequence(name, schedule, "process numbers, such as [0, 1, 0]", least)):
        validate.whole_number(f"{name}[{number}]", process, 0, 63)
