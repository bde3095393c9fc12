"""All mechanisms in one picture: what each costs on this machine, and how a task compares with that."""

from matplotlib.ticker import FuncFormatter, NullFormatter

from helpers import validate
from helpers.measuring.advice import Advice, Survey
from helpers.show.figures.labels import move_apart
from helpers.show.theme import FAINT, GRID, INK, MARKERS, Picture, canvas, colour_of, pale
from helpers.words import duration, rounded, times_as_long


def cost_map(survey: Survey) -> Picture:
    """Draw each mechanism at its time for a small round trip (to the right: slower) and its best throughput (up: more).

    Raises TypeError for anything but a survey.
    """
    validate.instance("survey", survey, Survey, "a Survey")
    wait = {name: trips.points[0].median for name, trips in survey.trips.items()}
    most = {name: max(p.size / p.median / 1e6 for p in stream.points) for name, stream in survey.streams.items()}
    size = next(iter(survey.trips.values())).points[0].size
    title = f"A round trip of {size:,} bytes. {times_as_long(wait)}"
    figure, (axes,) = canvas(title, height=4.6)
    labels = []
    for number, name in enumerate(wait):
        axes.plot(wait[name], most[name], MARKERS[number], color=colour_of(number), ms=16, mec=INK)
        text, line = (
            f"{name}\nready in {duration(survey.set_up[name])}",
            {"arrowstyle": "-", "color": FAINT, "shrinkB": 9},
        )
        labels.append(axes.annotate(text, (wait[name], most[name]), xytext=(14, 0), textcoords="offset points",
                                    va="center", fontsize=11, arrowprops=line))  # fmt: skip
    axes.set(xscale="log", yscale="log", ylabel="best throughput in MB/s")
    axes.set_xlabel(f"round trip of {size:,} bytes")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.25, y=0.25)
    axes.grid(color=GRID)
    move_apart(figure, labels)
    words = [
        f"{name}: round trip {duration(wait[name])}, at best {most[name]:,.0f} MB/s, ready in "
        f"{duration(survey.set_up[name])}."
        for name in wait
    ]
    return Picture(figure, title, " ".join(words))


def rates(advice: Advice) -> Picture:
    """Draw how many messages or updates a second each suitable mechanism can do here, and how many are needed.

    Raises TypeError for anything but advice.
    """
    validate.instance("advice", advice, Advice, "what advise(task, survey) returns")
    names, task = list(advice.rates), advice.task
    what = f"messages of {task.size:,} bytes" if task.shares == "messages" else "updates"
    expected = rounded(advice.rates[advice.mechanism])
    title = f"{advice.mechanism} for {task.parties} parties: about {expected} {what} a second, {task.rate:,} needed"
    figure, (axes,) = canvas(title, height=1.6 + 0.45 * len(names))
    for number, name in enumerate(names):
        chosen, colour = name == advice.mechanism, colour_of(number)
        axes.barh(number, advice.rates[name], height=0.6, color=colour if chosen else pale(colour), ec=colour,
                  hatch="" if chosen else "///")  # fmt: skip
    axes.axvline(task.rate, color=INK, ls="--", lw=2)
    axes.annotate("needed", (task.rate, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=11)
    axes.set_yticks(range(len(names)), [f"{name} (advised)" if name == advice.mechanism else name for name in names])
    axes.set_xscale("log")
    axes.set_xlim(min(task.rate, *advice.rates.values(), 10) / 3, 3 * max(task.rate, *advice.rates.values()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_xlabel(f"{what} a second on this machine")
    axes.grid(axis="x", color=FAINT, alpha=0.3)
    axes.invert_yaxis()
    words = ", ".join(f"{name} {rounded(rate)}" for name, rate in advice.rates.items())
    return Picture(figure, title, f"A second: {words}. Needed: {task.rate:,}.")
