"""What came out of many runs, how sure that is, and how two halves of an update get in each other's way."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats
from helpers.recording.trace import Trace
from helpers.recording.updates import Update, find_updates
from helpers.show.figures.labels import give_way
from helpers.show.theme import FAILURE, FAINT, INK, Picture, canvas, colour_of, pale
from helpers.words import percent

MOST_BARS = 9
KEPT = colour_of(0)
HATCH = "///"
LANE = 0.5  # height of a bar, of the 1.0 between two lanes


def outcomes(repeats: Repeats, lost: Callable[[Any], bool], case: str = "") -> Picture:
    """Draw how many of the runs had each outcome, with the 95 % interval of each share.

    `lost(outcome)` is true for an outcome in which updates were lost: such bars are vermilion, hatched and say so. More
    than nine different outcomes are drawn in ranges, if they are numbers, or else the rarest ones together. `case` says
    in the title what was run.

    Raises TypeError for anything but repeats and a function.
    """
    validate.instance("repeats", repeats, Repeats, "what repeat returns")
    validate.function("lost", lost, "a function of an outcome", 1)
    validate.text("case", case, may_be_empty=True)
    kept = _groups({outcome: count for outcome, count in repeats.counts.items() if not lost(outcome)})
    gone = _groups({outcome: count for outcome, count in repeats.counts.items() if lost(outcome)})
    rows = [(label, Proportion(count, repeats.runs)) for label, count in kept + gone]
    is_lost = [False] * len(kept) + [True] * len(gone)
    finding = f"{repeats.share(lost).of_runs} lost updates; {_true_share(repeats.share(lost))}"
    title = f"{case}: {finding}" if case else finding
    return _bars(title, rows, is_lost, "outcome")


def shares(losing: Mapping[str, Proportion], what: str) -> Picture:
    """Draw the share of runs that lost updates, one bar a case, with its 95 % interval. `what` names the cases.

    The title is about the first case in which more than half of the runs lose, or else about the worst.

    Raises TypeError or ValueError for anything but a dict of proportions, and for no case.
    """
    for name, case in validate.mapping("losing", losing, "proportions, one or more, by case").items():
        validate.instance(f"losing[{name!r}]", case, Proportion, "a proportion, such as repeats.share(...)")
    validate.text("what", what)
    worst = max(losing, key=lambda case: losing[case].share)
    name = next((case for case, share in losing.items() if share.share > 0.5), worst)
    title = f"With a {what} {name}, {losing[name].of_runs} lost updates"
    return _bars(title, list(losing.items()), [share.count > 0 for share in losing.values()], what)


def halves(run: Trace, start: int = 0) -> Picture:
    """Draw the updates of a Value in a recording: a lane a process, each update from its read to its write.

    An update in whose window another process wrote is vermilion and hatched, since it writes over what came in between.
    Raises TypeError and ValueError as `find_updates` does.
    """
    found = find_updates(run, start)
    zero, last = min(update.read_at for update in found), max(update.wrote_at for update in found)
    names = [process.name for process in run.processes]
    lanes = sorted({update.process for update in found})
    result, due = found[-1].written, start + len(found)
    title = f"{len(found)} updates, and the counter says {result}" + (
        f": {due - result} lost" if result < due else ": none lost"
    )
    figure, (axes,) = canvas(title, height=1.5 + 0.65 * len(lanes))
    width = max(last - zero, 1)
    # those that lost something first: they keep their labels where there is no room for all
    for update in sorted(found, key=lambda each: not each.stale):
        _draw_update(axes, lanes.index(update.process), update, zero, width)
    axes.set_yticks(range(len(lanes)), [names[number] for number in lanes])
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_xlim(-0.14 * width / 1e6, 1.14 * width / 1e6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("time in ms, from the first read; a bar lasts from reading to writing")
    give_way(figure, list(axes.texts))
    return Picture(figure, title, " ".join(_say(update, names, zero) for update in found))


def _draw_update(axes: Axes, lane: int, update: Update, zero: int, width: int) -> None:
    begin, length = (update.read_at - zero) / 1e6, (update.wrote_at - update.read_at) / 1e6
    colour = FAILURE if update.stale else colour_of(update.process)
    axes.barh(lane, length, left=begin, height=LANE, color=pale(colour), ec=colour, lw=1.5,
              hatch=HATCH if update.stale else None)  # fmt: skip
    axes.plot([begin], [lane], "o", color=colour, ms=8)
    axes.plot([begin + length], [lane], "s", color=colour, ms=9, mec="white")
    space: dict[str, Any] = {"xytext": (-9, 0), "textcoords": "offset points", "va": "center", "fontsize": 11}
    axes.annotate(f"reads {update.seen}", (begin, lane), ha="right", **space)
    space["xytext"] = (9, 0)
    axes.annotate(f"writes {update.written}", (begin + length, lane), ha="left", **space)
    if update.stale and length > 0.3 * width / 1e6:
        axes.text(begin + length / 2, lane, "another wrote meanwhile", ha="center", va="center", fontsize=10,
                  bbox={"facecolor": "white", "lw": 0, "pad": 1.5})  # fmt: skip


def _say(update: Update, names: Sequence[str], zero: int) -> str:
    when = f"{(update.read_at - zero) / 1e6:.1f} ms", f"{(update.wrote_at - zero) / 1e6:.1f} ms"
    over = ", over what another wrote meanwhile" if update.stale else ""
    return f"{names[update.process]} reads {update.seen} at {when[0]} and writes {update.written} at {when[1]}{over}."


def _bars(title: str, rows: Sequence[tuple[str, Proportion]], lost: Sequence[bool], what: str) -> Picture:
    figure, (axes,) = canvas(title, height=1.4 + 0.45 * len(rows))
    for place, ((_, share), is_lost) in enumerate(zip(rows, lost, strict=True)):
        low, high = (100 * bound for bound in share.interval)
        value = 100 * share.share
        axes.barh(place, value, height=0.6, color=FAILURE if is_lost else KEPT, hatch=HATCH if is_lost else None,
                  ec="white", lw=0)  # fmt: skip
        axes.errorbar(value, place, xerr=[[max(0.0, value - low)], [max(0.0, high - value)]], color=INK, capsize=4)
        axes.annotate(share.of_runs + (", lost" if is_lost else ""), (high, place), xytext=(8, 0),
                      textcoords="offset points", va="center", fontsize=11)  # fmt: skip
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_ylabel(what)
    axes.set_xlim(0, 140)  # with room for labels, which is no part of the scale
    axes.spines["bottom"].set_bounds(0, 100)
    axes.set_xticks(range(0, 101, 20), [f"{number} %" for number in range(0, 101, 20)])
    axes.set_xlabel("share of the runs; the line is its 95 % interval", color=INK)
    axes.tick_params(axis="y", length=0)
    axes.axvline(100, color=FAINT, lw=0.5, ls=":")
    words = (
        f"{what} {label}: {share.of_runs}{', lost' if is_lost else ''}, {_true_share(share)}."
        for (label, share), is_lost in zip(rows, lost, strict=True)
    )
    return Picture(figure, title, " ".join(words))


def _groups(counts: Mapping[Any, int]) -> list[tuple[str, int]]:
    """Return (label, runs) for each outcome, or for ranges of them when there are too many to draw."""
    numbers = all(isinstance(outcome, int | float) for outcome in counts)
    if len(counts) <= MOST_BARS:
        ordered = sorted(counts, reverse=True) if numbers else sorted(counts, key=counts.__getitem__, reverse=True)
        return [(_label(outcome), counts[outcome]) for outcome in ordered]
    return _ranges(counts) if numbers else _most_frequent(counts)


def _ranges(counts: Mapping[float, int]) -> list[tuple[str, int]]:
    """Group numbers into ranges of the same width, the highest first; empty ranges are left out."""
    low, high = min(counts), max(counts)
    width = (high - low) / (MOST_BARS - 1)
    members: dict[int, list[float]] = {}
    for number in counts:
        members.setdefault(min(int((number - low) / width), MOST_BARS - 2), []).append(number)
    return [
        (_label(min(group)) if len(group) == 1 else f"{_label(min(group))} to {_label(max(group))}",
         sum(counts[number] for number in group))
        for _, group in sorted(members.items(), reverse=True)
    ]  # fmt: skip


def _most_frequent(counts: Mapping[Any, int]) -> list[tuple[str, int]]:
    ranked = sorted(counts, key=counts.__getitem__, reverse=True)
    shown, rest = ranked[: MOST_BARS - 1], ranked[MOST_BARS - 1 :]
    others = (f"{len(rest)} others", sum(counts[outcome] for outcome in rest))
    return [*((_label(outcome), counts[outcome]) for outcome in shown), others]


def _label(outcome: Hashable) -> str:
    return f"{outcome:,}" if isinstance(outcome, int | float) else str(outcome)


def _true_share(share: Proportion) -> str:
    low, high = (percent(bound, 2) for bound in share.interval)
    if share.count == 0:
        return f"the true share may be up to {high}"
    if share.count == share.runs:
        return f"the true share is at least {low}"
    return f"the true share is between {low} and {high}"
