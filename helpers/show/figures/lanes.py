"""Lanes: one a process, time to the right. An outline is Python starting, solid is work, pale is waiting."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, FancyArrowPatch
from matplotlib.text import Annotation

from helpers import validate
from helpers.recording.kinds import WAITING, Outcome
from helpers.recording.trace import A_RECORDING, Event, Message, ProcessInfo, Trace
from helpers.show.figures.labels import give_way
from helpers.show.theme import FAILURE, FAINT, INK, PAPER, Picture, canvas, colour_of, pale
from helpers.supervision.child import signal_name
from helpers.words import plural, rounded

MOST_ARROWS = 120
MOST_LABELS = 24
LANE = 0.5  # height of a bar, of the 1.0 between two lanes
MAGNIFY_BELOW = 0.2  # of the whole: a busy part that is shorter gets a panel of its own


def lanes(run: Trace, title: str | None = None) -> Picture:
    """Draw a recording; where the messages crowd together, a second panel magnifies that part.

    Raises TypeError when `run` is no recording, ValueError when nothing was recorded in it.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    if not run.processes:
        raise ValueError("run has recorded no process; did its block end?")
    title = validate.text("title", _finding(run) if title is None else title) + left_out(run)
    whole = _span(run)
    busy = _busy_span(run, whole)
    spans = [whole, busy] if busy else [whole]
    figure, panels = canvas(title, height=(0.55 * len(run.processes) + 0.9) * len(spans) + 0.4, panels=len(spans))
    for panel, span in zip(panels, spans, strict=True):
        _draw(panel, run, span)
    if busy:
        _join_to_its_place(figure, panels, busy, whole[0])
    # how a process has ended is an annotation; the text within a bar says less
    labels = [text for panel in panels for text in panel.texts]
    give_way(figure, sorted(labels, key=lambda text: not isinstance(text, Annotation)))
    return Picture(figure, title, _words(run))


def _join_to_its_place(figure: Figure, panels: list[Axes], busy: tuple[int, int], zero: int) -> None:
    """Lead from the busy part in the first panel to the edges of the second, which shows it alone."""
    place = _ms(busy, zero)
    panels[0].axvspan(*place, color=FAINT, alpha=0.25, lw=0)
    panels[1].set_title(f"magnified: these {rounded(place[1] - place[0])} ms", loc="center", fontsize=11, color=INK)
    panels[0].set_xlabel("")
    panels[1].set_xlabel("time in ms from there on")
    for edge, corner in zip(place, (0, 1), strict=True):
        line = ConnectionPatch((edge, 0), (corner, 1), panels[0].get_xaxis_transform(), panels[1].transAxes,
                               color=FAINT, lw=0.8, ls=(0, (4, 3)), zorder=-1)  # fmt: skip
        line.set_in_layout(False)
        figure.add_artist(line)
    for label in panels[0].get_xticklabels():
        label.set_bbox({"facecolor": PAPER, "lw": 0, "pad": 1})  # over the lines


def left_out(run: Trace) -> str:
    """Return what a title has to add when not all of a recording could be read."""
    return f"; {plural(run.left_out, 'later call')} left out" if run.left_out else ""


def _span(run: Trace) -> tuple[int, int]:
    begin = min(process.begin for process in run.processes)
    ends = [process.end or process.begin for process in run.processes] + [event.end for event in run.events]
    return begin, max(*ends, begin + 1)


def _busy_span(run: Trace, whole: tuple[int, int]) -> tuple[int, int] | None:
    """Return the part in which messages pass, if it is so short that nothing can be seen in the whole."""
    if not run.messages:
        return None
    # a message that lay and waited to be read only passes when it is read
    first = min(max(message.left, message.received.begin) for message in run.messages)
    last = max(message.arrived for message in run.messages)
    margin = max((last - first) // 8, 50_000)
    if last - first + 2 * margin > MAGNIFY_BELOW * (whole[1] - whole[0]):
        return None
    return first - margin, last + margin


def _ms(span: tuple[int, int], zero: int) -> tuple[float, float]:
    return (span[0] - zero) / 1e6, (span[1] - zero) / 1e6


def _draw(axes: Axes, run: Trace, span: tuple[int, int]) -> None:
    zero = span[0]
    left, right = _ms(span, zero)
    axes.set_xlim(left, right)
    axes.set_ylim(len(run.processes) - 0.4, -0.6)
    axes.set_yticks(range(len(run.processes)), [process.name for process in run.processes])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("time in ms")
    for number, process in enumerate(run.processes):
        _draw_life(axes, number, process, run, zero, span)
    _draw_waiting(axes, run, span, zero)
    _draw_messages(axes, run, span, zero)


def _draw_life(axes: Axes, number: int, process: ProcessInfo, run: Trace, zero: int, span: tuple[int, int]) -> None:
    begin, end = _ms((process.begin, process.end or span[1]), zero)
    ready = begin
    if process.ready:
        ready = _ms((process.begin, process.ready), zero)[1]
        _draw_start(axes, number, begin, ready, (span[1] - span[0]) / 1e6)
    axes.barh(number, end - ready, left=ready, height=LANE, color=colour_of(number), lw=0)
    starter = next((n for n, other in enumerate(run.processes) if other.pid == process.parent), None)
    if starter is not None and span[0] <= process.begin <= span[1]:
        axes.plot([begin, begin], [starter, number], color=FAINT, lw=1, ls=":", zorder=1)
    if process.exitcode and process.end and span[0] <= process.end <= span[1]:
        reason = signal_name(-process.exitcode) if process.exitcode < 0 else f"exit code {process.exitcode}"
        axes.plot(end, number, "X", color=FAILURE, ms=13, mec="white", zorder=6)
        axes.annotate(reason, (end, number), xytext=(-12, 0), textcoords="offset points", color="white",
                      ha="right", va="center", fontsize=10, fontweight="bold",
                      bbox={"facecolor": FAILURE, "lw": 0, "pad": 2})  # fmt: skip


def _draw_start(axes: Axes, number: int, begin: float, ready: float, width: float) -> None:
    axes.barh(number, ready - begin, left=begin, height=LANE, color=PAPER, ec=colour_of(number), lw=1.3)
    shown = max(begin, 0.0), min(ready, width)
    if shown[1] - shown[0] > 0.16 * width:
        axes.text(sum(shown) / 2, number, "Python starts", ha="center", va="center", fontsize=10, color=INK, zorder=5)


def _draw_waiting(axes: Axes, run: Trace, span: tuple[int, int], zero: int) -> None:
    shortest = (span[1] - span[0]) / 400  # narrower than a line
    waits = [event for event in _in(run.events, span) if _is_wait(event) and event.end - event.begin >= shortest]
    for event in waits:
        begin, end = _ms((max(event.begin, span[0]), min(event.end, span[1])), zero)
        colour = FAILURE if event.outcome.is_failure else colour_of(event.process)
        axes.barh(event.process, end - begin, left=begin, height=LANE, color=pale(colour), hatch="///",
                  ec=colour, lw=0, zorder=2)  # fmt: skip
        if end - begin > 0.09 * (span[1] - span[0]) / 1e6 and len(waits) <= MOST_LABELS:
            axes.text((begin + end) / 2, event.process, event.kind, ha="center", va="center", fontsize=10, zorder=5,
                      bbox={"facecolor": "white", "lw": 0, "pad": 1.5})  # fmt: skip
    for event in _in(run.events, span):
        if event.outcome.is_failure:
            axes.plot(event.end / 1e6 - zero / 1e6, event.process, "X", color=FAILURE, ms=11, mec="white", zorder=6)


def _is_wait(event: Event) -> bool:
    return event.kind in WAITING and event.thread == "MainThread"  # the process goes on when another thread waits


def _draw_messages(axes: Axes, run: Trace, span: tuple[int, int], zero: int) -> None:
    inside = [m for m in run.messages if m.arrived >= span[0] and m.left <= span[1]]
    shown = inside[:: -(-len(inside) // MOST_ARROWS) or 1]
    for message in shown:
        _draw_arrow(axes, message, zero)
    if len(shown) < len(inside):
        axes.text(1, 1.0, f"{len(shown)} of {len(inside):,} messages drawn", transform=axes.transAxes,
                  ha="right", va="bottom", fontsize=10, color=INK)  # fmt: skip


def _draw_arrow(axes: Axes, message: Message, zero: int) -> None:
    sender, receiver = message.sent.process, message.received.process
    down = 1 if receiver > sender else -1
    start = ((message.left - zero) / 1e6, sender + down * LANE / 2)
    end = ((message.arrived - zero) / 1e6, receiver - down * LANE / 2)
    # a patch, unlike an annotation, is cut off at the edge of its panel
    arrow = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=INK, lw=1.3, shrinkA=0, shrinkB=0)
    axes.add_patch(arrow).set_zorder(4)
    axes.plot(*start, "o", color=INK, ms=4, zorder=4)


def _in(events: list[Event], span: tuple[int, int]) -> list[Event]:
    return [event for event in events if event.end >= span[0] and event.begin <= span[1]]


def _waited(run: Trace, number: int) -> float:
    """Return the share of its life, 0 to 1, that a process spent waiting."""
    process = run.processes[number]
    life = (process.end or _span(run)[1]) - process.begin
    waits = [e for e in run.events if e.process == number and _is_wait(e)]
    return min(1.0, sum(event.end - event.begin for event in waits) / max(life, 1))


def _finding(run: Trace) -> str:
    count = f"{plural(len(run.processes), 'process', 'es')}, {plural(len(run.messages), 'message')}"
    if run.left_out:
        # nobody knows how long it waited later
        return f"{count} at first"
    if stuck := _stuck(run):
        return f"{count}; {stuck} for ever"
    waits = [event for event in run.events if _is_wait(event)]
    longest = max(waits, key=lambda event: event.end - event.begin, default=None)
    if longest is None:
        return f"{count}; nobody waited"
    name, took = run.processes[longest.process].name, (longest.end - longest.begin) / 1e6
    return f"{count}; {name} waited longest, {rounded(took)} ms in {longest.kind}{_for_a_start(run, longest)}"


def _stuck(run: Trace) -> str:
    """Name those that were in a call that can wait when the recording ended, each once, and the call."""
    calls = {e.process: e.kind for e in run.events if e.outcome is Outcome.NEVER_RETURNED and _is_wait(e)}
    return " and ".join(f"{run.processes[number].name} waits in {kind}" for number, kind in sorted(calls.items()))


def _for_a_start(run: Trace, wait: Event) -> str:
    """Say so if most of a wait passed while Python started in another process."""
    for number, process in enumerate(run.processes):
        if number != wait.process and process.ready:
            common = min(wait.end, process.ready) - max(wait.begin, process.begin)
            if 2 * common > wait.end - wait.begin:
                return f", mostly while Python started in {process.name}"
    return ""


def _words(run: Trace) -> str:
    zero, last = _span(run)
    lines = [f"{(last - zero) / 1e6:.0f} ms in all."]
    if run.left_out:
        at = max((event.end - zero for event in run.events), default=0) / 1e6
        lines.append(f"From {at:.1f} ms on calls are left out, {run.left_out:,} of them.")
    for number, process in enumerate(run.processes):
        begin, end = _ms((process.begin, process.end or last), zero)
        wait = "" if run.left_out else f", waiting {_waited(run, number):.0%}"
        fate = "" if not process.exitcode else f", ended with exit code {process.exitcode}"
        start = f", at work from {_ms((process.ready, last), zero)[0]:.1f} ms on" if process.ready else ""
        lines.append(f"{process.name} ran from {begin:.1f} to {end:.1f} ms{start}{wait}{fate}.")
    names = [process.name for process in run.processes]
    for message in run.messages[:6]:
        sent, received = _ms((message.left, message.arrived), zero)
        pair = f"{names[message.sent.process]} to {names[message.received.process]}"
        lines.append(f"Message from {pair}: sent at {sent:.1f} ms, received at {received:.1f} ms.")
    if len(run.messages) > 6:
        lines.append(f"And {len(run.messages) - 6:,} more messages.")
    return " ".join(lines)
