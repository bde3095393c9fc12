"""What messages cost over their size: latency and throughput, one or several mechanisms in a figure."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from helpers import validate
from helpers.measuring.timing import Measurement, Point
from helpers.show.theme import FAINT, GRID, LINES, MARKERS, Picture, canvas, colour_of
from helpers.words import duration, percent, rounded, times_as_long

FEW = 2  # measurements that a title has room for


def latency(*measurements: Measurement) -> Picture:
    """Draw the time of a message over its size: median, up to the 99th percentile, and the baseline.

    Raises TypeError for anything but measurements, ValueError for none.
    """
    _check(measurements)
    title = _latency_title(measurements)
    figure, (axes,) = canvas(title, height=4.4)
    for number, each in enumerate(measurements):
        _line(axes, number, each, _typical)
        _humps(axes, number, each)
        if len(measurements) <= FEW:
            _spread(axes, number, each)
    nothing = measurements[0].baseline.median
    axes.axhline(nothing, color=FAINT, lw=1)
    axes.annotate("the same loop without a message", (1, nothing), xycoords=("axes fraction", "data"),
                  ha="right", va="bottom", fontsize=10, color=FAINT)  # fmt: skip
    band = "\nband: to the slowest 1 %" if len(measurements) <= FEW else ""
    axes.set_ylabel(f"{measurements[0].what}: median{band}")
    _finish(axes, duration)
    return Picture(figure, title, _words(measurements, _say))


def throughput(*measurements: Measurement) -> Picture:
    """Draw the megabytes per second over the size of a message.

    Raises TypeError for anything but measurements, ValueError for none.
    """
    _check(measurements)
    title = _throughput_title(measurements)
    figure, (axes,) = canvas(title, height=4.0)
    for number, each in enumerate(measurements):
        _line(axes, number, each, _rate)
    axes.set_ylabel("throughput in MB/s")
    _finish(axes, "{:,g}".format)
    return Picture(figure, title, _words(measurements, lambda point: f"{rounded(_rate(point))} MB/s"))


def _latency_title(measurements: tuple[Measurement, ...]) -> str:
    if len(measurements) <= FEW:
        return "; ".join(map(_from_to, measurements))
    size = measurements[0].points[0].size
    return f"A {measurements[0].what} of {size:,} bytes. " + times_as_long(
        {each.name: each.points[0].median for each in measurements}
    )


def _from_to(measurement: Measurement) -> str:
    ends = measurement.points[:: max(1, len(measurement.points) - 1)]
    return f"{measurement.name}: " + ", ".join(f"{duration(_typical(p))} with {p.size:,} bytes" for p in ends)


def _throughput_title(measurements: tuple[Measurement, ...]) -> str:
    if len(measurements) <= FEW:
        return "; ".join(_best(each) for each in measurements)
    ranked = sorted(measurements, key=lambda each: max(map(_rate, each.points)))
    return f"{_best(ranked[-1])}; {_best(ranked[0])}"


def _rate(point: Point) -> float:
    return point.size / _typical(point) / 1e6


def _typical(point: Point) -> float:
    """Return the median of the larger hump."""
    return point.humps[0].median


def _say(point: Point) -> str:
    if len(point.humps) == 1:
        return duration(point.median)
    return " or ".join(f"{duration(hump.median)} ({percent(hump.share, 2)})" for hump in point.humps)


def _humps(axes: Axes, number: int, measurement: Measurement) -> None:
    """Show the second hump of a point, hollow: a line through the middle of both would show what never happens."""
    second = [(point.size, point.humps[1].median) for point in measurement.points if len(point.humps) > 1]
    if second:
        axes.plot(*zip(*second, strict=True), color=colour_of(number), marker=MARKERS[number % len(MARKERS)], ls="",
                  mfc="none", ms=9, label=f"{measurement.name}, at other times")  # fmt: skip


def _best(measurement: Measurement) -> str:
    best = max(measurement.points, key=_rate)
    return f"{measurement.name}: {_rate(best):,.0f} MB/s at best, with {best.size:,} bytes a message"


def _spread(axes: Axes, number: int, measurement: Measurement) -> None:
    sizes = [point.size for point in measurement.points]
    low, high = [point.median for point in measurement.points], [point.p99 for point in measurement.points]
    axes.fill_between(sizes, low, high, color=colour_of(number), alpha=0.18, lw=0)


def _line(axes: Axes, number: int, measurement: Measurement, value: Callable[[Point], float]) -> None:
    axes.plot([point.size for point in measurement.points], [value(point) for point in measurement.points],
              color=colour_of(number), marker=MARKERS[number % len(MARKERS)], ls=LINES[number % len(LINES)],
              lw=2, ms=7, label=_where(measurement))  # fmt: skip


def _finish(axes: Axes, say: Callable[[float], str]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: say(value)))
    axes.set_xlabel("size of a message in bytes")
    axes.grid(color=GRID)
    axes.legend(frameon=False, fontsize=11)


def _words(measurements: tuple[Measurement, ...], say: Callable[[Point], str]) -> str:
    rows = [
        f"{_where(each)}: " + ", ".join(f"{point.size:,} bytes {say(point)}" for point in each.points)
        for each in measurements
    ]
    return ". ".join(rows) + "."


def _where(measurement: Measurement) -> str:
    return f"{measurement.name}, {measurement.placement}" if measurement.placement.is_known else measurement.name


def _check(measurements: tuple[Measurement, ...]) -> None:
    if not measurements:
        raise ValueError("measurements must be one or more, not none")
    for each in measurements:
        validate.instance("measurements", each, Measurement, "what round_trips or one_way returns")
