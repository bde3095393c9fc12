"""What many machines measured, in one picture: durations, and shares of runs that lost updates."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.show.theme import FAINT, Picture, canvas, colour_of
from helpers.words import duration, percent, plural

MOST_ROWS = 8  # of each kind; those that most machines measured


def machines(durations: Mapping[str, Mapping[str, float]], shares: Mapping[str, Mapping[str, Proportion]]) -> Picture:
    """Draw what each machine measured: a row for each thing, a dot for each machine, on one axis for each kind.

    Durations are in seconds, by what was measured and by machine; shares are those of runs. The lowest and the highest
    dot have the names of their machines. The title is about the durations that differ most, or else the shares.

    Raises TypeError or ValueError for anything but dicts of dicts, and where there is neither.
    """
    for name, row in validate.mapping("durations", durations, "dicts of seconds by what was measured", 0).items():
        for machine, value in validate.mapping(f"durations[{name!r}]", row, "seconds by machine").items():
            validate.seconds(f"durations[{name!r}][{machine!r}]", value, 1e12)
    for name, cases in validate.mapping("shares", shares, "dicts of proportions by what was run", 0).items():
        for machine, share in validate.mapping(f"shares[{name!r}]", cases, "proportions by machine").items():
            validate.instance(f"shares[{name!r}][{machine!r}]", share, Proportion, "a proportion")
    if not durations and not shares:
        validate.refuse(ValueError, "durations", "a dict that is not empty, or shares must be", durations)
    kinds = [(_chosen(durations), True)] if durations else []
    if shares:
        kinds.append((_chosen({name: {each: row[each].share for each in row} for name, row in shares.items()}), False))
    title, rows = _title(*kinds[0]), sum(len(kind) for kind, _ in kinds)
    figure, panels = canvas(title, height=1.2 + 0.9 * len(kinds) + 0.5 * rows, panels=len(kinds))
    for axes, (kind, is_time) in zip(panels, kinds, strict=True):
        _draw(axes, kind, is_time)
    words = [_words(name, row, is_time) for kind, is_time in kinds for name, row in kind.items()]
    return Picture(figure, title, " ".join(words))


def _chosen(rows: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    often = sorted(rows, key=lambda name: -len(rows[name]))[:MOST_ROWS]
    return {name: rows[name] for name in rows if name in often}


def _title(rows: Mapping[str, Mapping[str, float]], is_time: bool) -> str:
    many = plural(len({machine for row in rows.values() for machine in row}), "machine")
    if is_time:
        name = max(rows, key=lambda each: max(rows[each].values()) / min(rows[each].values()))
        times = max(rows[name].values()) / min(rows[name].values())
        return f"{many}: {name} takes up to {times:.1f} times as long on one as on another"
    name = max(rows, key=lambda each: max(rows[each].values()) - min(rows[each].values()))
    low, high = min(rows[name].values()), max(rows[name].values())
    return f"{many}: the share of {name} is from {percent(low)} to {percent(high)}"


def _draw(axes: Axes, rows: Mapping[str, Mapping[str, float]], is_time: bool) -> None:
    space: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 10}
    for place, (_, row) in enumerate(rows.items()):
        factor = 1 if is_time else 100
        axes.plot([factor * value for value in row.values()], [place] * len(row), "o", ms=9, alpha=0.5, mec="white",
                  color=colour_of(0 if is_time else 1))  # fmt: skip
        lowest, highest = min(row, key=lambda each: row[each]), max(row, key=lambda each: row[each])
        axes.annotate(lowest, (factor * row[lowest], place), xytext=(-9, 0), ha="right", **space)
        if highest != lowest:
            axes.annotate(highest, (factor * row[highest], place), xytext=(9, 0), ha="left", **space)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=FAINT, alpha=0.3)
    axes.margins(x=0.25)
    if is_time:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("time; each dot is a machine")
    else:
        axes.set_xlim(-25, 125)
        axes.set_xticks(range(0, 101, 20), [f"{number} %" for number in range(0, 101, 20)])
        axes.set_xlabel("share of the runs; each dot is a machine")


def _words(name: str, row: Mapping[str, float], is_time: bool) -> str:
    told = ", ".join(f"{each} {duration(value) if is_time else percent(value)}" for each, value in row.items())
    return f"{name}: {told}."
