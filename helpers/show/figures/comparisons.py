"""Sets of results side by side: how many times as long each duration is, and whether that is more than noise."""

import math

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from helpers import validate
from helpers.measuring.compare import Comparison
from helpers.show.theme import FAINT, GRID, INK, MARKERS, Picture, canvas, colour_of
from helpers.words import rounded

WIDEST = 100.0  # times; intervals are drawn no farther


def ratios(comparison: Comparison) -> Picture:
    """Draw how many times as long each duration takes in each set as in the first, with its interval.

    Filled marks are more than noise, empty ones may be noise; the band is the margin.
    Raises TypeError for what is no comparison, ValueError for one without durations.
    """
    validate.instance("comparison", comparison, Comparison, "what compare_results(sets) returns")
    if not comparison.rows:
        validate.refuse(ValueError, "comparison", "one with durations that several sets have", comparison.sets)
    reference, *others = comparison.sets
    figure, (axes,) = canvas(comparison.title, height=2.3 + (0.28 + 0.17 * len(others)) * len(comparison.rows))
    axes.axvline(1, color=INK, lw=1, zorder=1)
    for place, row in enumerate(comparison.rows):
        margin = min(WIDEST, max(each.margin for each in row.ratios.values()))
        axes.fill_betweenx([place - 0.5, place + 0.5], 1 / margin, margin, color=GRID, lw=0, zorder=0)
        for name, each in row.ratios.items():
            number = others.index(name)
            height = place + 0.7 * ((number + 0.5) / len(others) - 0.5)
            colour, low, high = colour_of(number), max(each.low, 1 / WIDEST), min(each.high, WIDEST)
            axes.plot([low, high], [height, height], color=colour, lw=2)
            axes.plot([each.estimate], [height], MARKERS[number % len(MARKERS)], color=colour, ms=8, mec=colour,
                      mfc=colour if each.is_more_than_noise else "white",
                      label=name if name not in axes.get_legend_handles_labels()[1] else None)  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"times as long as with {reference}", color=INK)
    axes.set_yticks(range(len(comparison.rows)), [row.name for row in comparison.rows])
    axes.set_ylim(len(comparison.rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=FAINT, alpha=0.3)
    figure.legend(loc="outside lower left", ncols=4, frameon=False)
    words = (
        f"{row.name}: {name} takes {rounded(each.estimate)} times as long as {reference}, "
        + ("more than noise." if each.is_more_than_noise else "which may be noise.")
        for row in comparison.rows
        for name, each in row.ratios.items()
        if math.isfinite(each.estimate)
    )
    return Picture(figure, comparison.title, " ".join(words))
