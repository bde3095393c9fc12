"""Small figures that several lessons use: who talks with whom, durations as bars, durations over size, a checklist."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from IPython.display import HTML
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import StrMethodFormatter

from helpers import validate
from helpers.show.theme import FAINT, INK, LINES, MARKERS, Picture, canvas, colour_of, pale
from helpers.words import LONGEST, duration, times_as_long, unit_of

Link = tuple[str, str, str]  # from, to, label; both directions


def model(processes: Sequence[str], links: Sequence[Link], title: str = "") -> Picture:
    """Draw processes as boxes in a row, and what connects them as labelled lines between neighbours.

    Raises TypeError or ValueError for processes that are no names, or links that are not (from, to, label).
    """
    validate.texts("processes", processes, "names, one or more")
    for number, link in enumerate(validate.sequence("links", links, "(from, to, label), with names of processes", 0)):
        first, second, _ = validate.texts(f"links[{number}]", link, "three texts: from, to, label", 3, 3)
        validate.one_of(f"links[{number}][0]", first, processes)
        validate.one_of(f"links[{number}][1]", second, processes)
    title = validate.text("title", title, may_be_empty=True)
    title = title or f"{len(processes)} processes, each with a memory of its own"
    figure, (axes,) = canvas(title, height=2.0)
    axes.set_axis_off()
    axes.set_xlim(-0.5, len(processes) - 0.5)
    axes.set_ylim(-0.6, 0.6)
    for number, name in enumerate(processes):
        box = FancyBboxPatch((number - 0.2, -0.3), 0.4, 0.6, boxstyle="round,pad=0.02,rounding_size=0.05",
                             facecolor=pale(colour_of(number)), edgecolor=colour_of(number), lw=2)  # fmt: skip
        axes.add_patch(box)
        axes.text(number, 0, name, ha="center", va="center", fontsize=13)
    for first, second, label in links:
        left, right = sorted((processes.index(first), processes.index(second)))
        axes.add_patch(FancyArrowPatch((left + 0.23, 0), (right - 0.23, 0), arrowstyle="<|-|>", mutation_scale=16,
                                       color=INK, lw=2))  # fmt: skip
        axes.text((left + right) / 2, 0.08, label, ha="center", va="bottom", fontsize=12)
    words = " ".join(
        f"{first} and {second} are connected: {' '.join(label.split())}." for first, second, label in links
    )
    return Picture(figure, title, f"Boxes in a row: {', '.join(processes)}. {words}")


def bars(seconds: Mapping[str, float], what: str = "time") -> Picture:
    """Draw durations in seconds as bars, the shortest on top; the title compares the extremes.

    Raises TypeError or ValueError for fewer than two durations, or one that is not above 0.
    """
    title = times_as_long(seconds)
    validate.text("what", what)
    names = sorted(seconds, key=seconds.__getitem__)
    figure, (axes,) = canvas(title, height=0.9 + 0.45 * len(names))
    unit, factor = unit_of(max(seconds.values()))
    values = [factor * seconds[name] for name in names]
    drawn = axes.barh(names, values, height=0.6, color=[colour_of(number) for number in range(len(names))])
    axes.bar_label(drawn, [duration(seconds[name]) for name in names], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(f"{what} in {unit}")
    axes.tick_params(axis="y", length=0)
    return Picture(figure, title, ", ".join(f"{name}: {duration(seconds[name])}" for name in names) + ".")


def steps(sizes: Sequence[int], seconds: Mapping[str, Sequence[float]], what: str) -> Picture:
    """Draw durations over message size, one line a case; the title says where each first jumps above half its highest.

    `sizes` in bytes, ascending; `seconds` one list of durations a case, as long as `sizes`.
    Raises TypeError or ValueError for anything else.
    """
    for number, size in enumerate(validate.sequence("sizes", sizes, "sizes in bytes, one or more")):
        validate.whole_number(f"sizes[{number}]", size, 1, 10**9)
    for name, values in validate.mapping("seconds", seconds, "lists of durations by name, one or more").items():
        case, allowed = f"seconds[{name!r}]", "durations, one for each size"
        for number, value in enumerate(validate.sequence(case, values, allowed, len(sizes), len(sizes))):
            validate.seconds(f"{case}[{number}]", value, LONGEST)
    validate.text("what", what)
    edges = {name: _edge(sizes, values) for name, values in seconds.items()}
    title = f"{what} jumps: " + ", ".join(f"{name} {edge}" for name, edge in edges.items())
    figure, (axes,) = canvas(title, height=3.6)
    unit, factor = unit_of(max(map(max, seconds.values())))
    for number, (name, values) in enumerate(seconds.items()):
        axes.plot(sizes, [factor * value for value in values], marker=MARKERS[number % len(MARKERS)],
                  ls=LINES[number % len(LINES)],
                  color=colour_of(number), lw=2, ms=8, label=name)  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("size of the message in bytes")
    axes.set_ylabel(f"{what} in {unit}")
    axes.grid(color=FAINT, alpha=0.3)
    axes.legend(frameon=False)
    rows = [
        f"{name}: " + ", ".join(f"{size:,} bytes {duration(value)}" for size, value in zip(sizes, values, strict=True))
        for name, values in seconds.items()
    ]
    return Picture(figure, title, ". ".join(rows) + ".")


def _edge(sizes: Sequence[int], values: Sequence[float]) -> str:
    jump = next((n for n, value in enumerate(values) if value > max(values) / 2), 0)
    return f"between {sizes[jump - 1]:,} and {sizes[jump]:,} bytes" if jump else "nowhere in this range"


def checklist(checks: Sequence[Any]) -> HTML:
    """Show the checks of a machine: a table of what is to repair, and, folded, one of what is in order.

    Each check has `what`, `found`, `ok` and the command `repair`. Raises TypeError or ValueError for anything but a
    list of checks.
    """
    for number, check in enumerate(validate.sequence("checks", checks, "checks, such as check_machine() returns")):
        if not all(hasattr(check, word) for word in ("what", "found", "ok", "repair")):
            validate.refuse(TypeError, f"checks[{number}]", "a check, such as check_machine() returns", check)
    wrong, right = ([check for check in checks if bool(check.ok) is ok] for ok in (False, True))
    told = ""
    if wrong:
        head = ("state", "what", "found", "type this in a terminal")
        told += _table(head, [("✘ to repair", check.what, check.found, check.repair) for check in wrong])
    if right:
        table = _table(("what", "found"), [(check.what, check.found) for check in right])
        told += f"<details><summary>✔ {len(right)} of {len(checks)} in order</summary>{table}</details>"
    return HTML(told)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"<table>{_row('th', head)}{''.join(_row('td', row) for row in rows)}</table>"


def _row(cell: str, texts: Sequence[str]) -> str:
    # a command may be a thousand names long
    box = "<div style='max-height: 4em; overflow: auto'>"
    cells = (f"<{cell} style='text-align: left'>{box}{escape(text)}</div></{cell}>" for text in texts)
    return f"<tr>{''.join(cells)}</tr>"
