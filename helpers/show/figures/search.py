"""How a search for a bug goes: the chance still to miss it after so many runs, and what a check has found."""

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from helpers import validate
from helpers.control import Result
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats
from helpers.show.figures.outcomes import outcomes
from helpers.show.figures.turns import turns
from helpers.show.theme import GRID, LINES, MARKERS, Picture, canvas, colour_of
from helpers.words import percent

SURE = 0.99  # the chance to have met the bug at which the title calls it found
HARDLY = 1e-6  # a chance below which no number is told
FURTHEST = 1000  # runs that are drawn
MOST_RUNS = 10**6
MARKS = (1, 3, 10, 30, 100, 300, 1000)  # runs at which a line has a mark

Met = Proportion | int


def misses(met: Mapping[str, Met]) -> Picture:
    """Draw the chance still to miss a bug after n runs, one line a way to search.

    `met` is, for a way that leaves the runs to chance, the share p of them that met the bug; n independent runs all
    miss it with the chance (1 - p)^n, and the band is that for both ends of the 95 % interval of p. For a systematic
    way it is the number of the run that meets it, every time.

    Raises TypeError or ValueError for anything but a dict of proportions and numbers of runs, one or more.
    """
    for name, value in validate.mapping("met", met, "proportions or numbers of runs, one or more, by way").items():
        if not isinstance(value, Proportion):
            validate.whole_number(f"met[{name!r}]", value, 1, MOST_RUNS)
    needed = ", ".join(f"{name} {_needed(value)}" for name, value in met.items())
    title = f"Runs that make it {percent(SURE)} sure to meet the bug: {needed}"
    figure, (axes,) = canvas(title, height=4.8)
    for number, (name, value) in enumerate(met.items()):
        _draw(axes, number, name, value)
    axes.set_xscale("log")
    axes.set_xlim(1, FURTHEST)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("runs")
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 20), [f"{number} %" for number in range(0, 101, 20)])
    axes.set_ylabel("chance still to miss the bug")
    axes.grid(color=GRID)
    # below, where it hides no line
    figure.legend(loc="outside lower left", ncols=2, frameon=False, fontsize=11)
    return Picture(figure, title, " ".join(_say(name, value) for name, value in met.items()))


def found(result: Result, right: object, most: int) -> Picture:
    """Draw what a check has found: the turns of the failing run, or the outcomes if none failed.

    `right` is the outcome that is right, `most` the number of runs that were allowed. Raises TypeError or ValueError
    for anything but the result of a check and a number of runs.
    """
    validate.instance("result", result, Result, "what check returns")
    validate.whole_number("most", most, 1, MOST_RUNS)
    failure = result.failure
    if failure is None:
        repeats = Repeats({str(outcome): runs for outcome, runs in result.outcomes.items()}, result.seconds)
        return outcomes(repeats, lambda outcome: outcome != str(right), f"{result.program}, at most {most:,} runs")
    wrong = f"{failure.outcome!r} instead of {right!r}" if failure.reason == "outcome" else f"a {failure.reason}"
    return turns(failure, f"{result.program}: {wrong}, in run {result.runs:,} of at most {most:,}")


def _missing(share: float, runs: int) -> float:
    return (1 - share) ** runs


def _draw(axes: Axes, number: int, name: str, value: Met) -> None:
    runs = [*range(1, 100), *range(100, FURTHEST + 1, 10)]
    look: dict[str, Any] = {
        "color": colour_of(number), "ls": LINES[number % len(LINES)], "marker": MARKERS[number % len(MARKERS)],
        "lw": 2, "ms": 7, "markevery": [runs.index(mark) for mark in MARKS], "label": _label(name, value),
    }  # fmt: skip
    if isinstance(value, Proportion):
        low, high = ([100 * _missing(share, each) for each in runs] for share in value.interval)
        axes.plot(runs, [100 * _missing(value.share, each) for each in runs], **look)
        axes.fill_between(runs, high, low, color=colour_of(number), alpha=0.18, lw=0)
    else:
        axes.plot(runs, [100.0 * (each < value) for each in runs], drawstyle="steps-post", **look)


def _label(name: str, value: Met) -> str:
    if isinstance(value, Proportion):
        return f"{name}: {value.count:,} of {value.runs:,} runs met it"
    return f"{name}: run {value:,} meets it, always"


def _needed(value: Met) -> str:
    """Say how many runs it takes to meet the bug for as good as certain."""
    if not isinstance(value, Proportion):
        return f"{value:,}"
    if value.count == 0:
        # not even once: the bug may be as frequent as the interval allows, or not there at all
        return f"more than {_runs_for(value.interval[1]) - 1:,}"
    return f"about {_runs_for(value.share):,}"


def _runs_for(share: float) -> int:
    return 1 if share >= SURE else math.ceil(math.log(1 - SURE) / math.log(1 - share))


def _chance(share: float) -> str:
    return f"less than {percent(HARDLY, 2)}" if 0 < share < HARDLY else percent(share, 2)


def _say(name: str, value: Met) -> str:
    if not isinstance(value, Proportion):
        return f"{name}: run {value:,} meets it every time."
    after = ", ".join(f"{_chance(_missing(value.share, runs))} after {runs:,}" for runs in (1, 10, 100))
    low, high = (percent(bound, 2) for bound in value.interval)
    return f"{name}: {value.of_runs} met it, the true share lies between {low} and {high}; chance to miss: {after}."
