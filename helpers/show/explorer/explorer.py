"""The explorer: the learner is the scheduler of a scenario, finds the schedule that breaks it, and replays it.

The state graph travels to the browser, so that stepping, searching and counting go on without a kernel, in a saved
page too. Only what happens on real processes needs Python: replays, and free runs.
"""

import base64
import itertools
import json
import textwrap
import zlib
from collections.abc import Callable, Hashable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from helpers import validate
from helpers.recording.trace import Event
from helpers.scheduling.model.exploration import Exploration, Predicate, deadlock, ends_with, explore, violation
from helpers.scheduling.model.export import MOST_STATES, graph_data
from helpers.scheduling.model.model import GRAINS, Model, Step, lost_updates
from helpers.scheduling.model.worker_graph import CannotExplore, Place
from helpers.scheduling.program.scenario import Build, Scenario
from helpers.scheduling.program.semantics import READS, WRITES
from helpers.scheduling.real.free_runs import Frequency, Sample, frequency, sample
from helpers.scheduling.real.replays import Replay, replay
from helpers.show.theme import FAILURE, INK, PAPER, Picture, canvas, colour_of, pale
from helpers.show.widgets.kernel import in_main_thread

Goal = Predicate | Hashable  # a test of a state, such as `deadlock`, or an outcome
Goals = Mapping[str, Goal]  # the task in words -> when it is done

SCRIPT = Path(__file__).with_suffix(".js")
MOST_LIVE = 25_000  # states; more take too long to get ready, and to travel to the browser
MOST_RUNS = 10_000
MOST_LABELS = 10  # steps of a replay that are labelled; of more, only the numbers show
DARK = 1.2  # sum of red, green and blue, each from 0 to 1, below which text is white
LANE = 0.6  # height of a bar, of the 1.0 between two lanes
_ATTEMPTS = itertools.count(1)
_READY_MADE = {deadlock: "make the processes wait for ever", violation: "break the invariant"}
# what a page without widgets runs: it brings every explorer on the page to life that still is words
_AWAKEN = """
(async () => {
  for (const place of document.querySelectorAll("[data-talking-processes-explorer]")) {
    const packed = place.dataset.talkingProcessesExplorer;
    delete place.dataset.talkingProcessesExplorer;
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const { script, graph } = JSON.parse(await new Response(stream).text());
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const { still } = await import(address);
    still(graph, place);
  }
})();
"""


class Explorer(anywidget.AnyWidget):
    """A scenario in the learner's hands. `schedule` holds the process numbers of the steps taken so far.

    Shows as a widget; where there are no widgets, as a page that works without a kernel; and without scripts, in words.
    """

    _esm = SCRIPT
    graph = traitlets.Dict().tag(sync=True)
    schedule = traitlets.List(traitlets.Int()).tag(sync=True)
    replayed = traitlets.Dict().tag(sync=True)
    observed = traitlets.Dict().tag(sync=True)

    def __init__(self, scenario: Scenario, graph: dict[str, Any], runs: int, method: str) -> None:
        super().__init__(graph=graph)
        self.scenario = scenario
        self.grain = graph["grain"]
        self.runs = runs
        self.method = method
        self.on_msg(self._answer)

    def _answer(self, _: object, content: dict[str, Any], __: object) -> None:
        task = content.get("task")
        # at once, so that the page can tell a kernel that works from one that is not there
        self.send({"kind": "started", "task": task})
        in_main_thread(lambda: self._perform(task, content))

    def _perform(self, task: str | None, content: dict[str, Any]) -> None:
        if task == "replay":
            self.replayed = _attempt(lambda: self._replay(content["schedule"]))
        elif task == "observe":
            self.observed = _attempt(lambda: _frequencies(sample(self.scenario, self.runs, method=self.method)))
        self.send({"kind": "done", "task": task})

    def _replay(self, schedule: list[int]) -> dict[str, Any]:
        played = replay(self.scenario, schedule, method=self.method, grain=self.grain)
        picture = replay_lanes(played)
        return {"html": picture.html(), "words": picture.title, "schedule": schedule}

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        words = _in_words(self.graph)
        return {**data, "text/html": _page(self.graph, words), "text/plain": _title(self.graph)}, metadata


def explorer(
    scenario: Scenario | Build,
    goal: Goals | Goal = None,
    grain: str | None = None,
    runs: int = 200,
    method: str = "spawn",
) -> Explorer:
    """Return an explorer of a scenario. Up to 5,000 states are saved with the page, up to 25,000 work with a kernel.

    goal: what the learner is to reach. An outcome, or a test of a state such as `deadlock` or `violation`; or a dict
    of several, each with its task in words as key. Without one the task is to break the scenario in any way.
    grain: "access" lets a statement such as `counter.value += 1` be expanded into its atomic steps; "step" does not.
    Without it, "access" where it makes a difference and has few enough states.
    runs: how many free runs on real processes "observe" makes; method: their start method.

    Raises CannotExplore for a scenario that has too many states or is not deterministic; TypeError or ValueError for
    what is not a scenario, a goal, a grain, a number of runs from 1 to 10,000, or a start method.
    """
    validate.whole_number("runs", runs, 1, MOST_RUNS)
    validate.start_method(method)
    goals = _goals(goal)
    explored = _explored(scenario, grain)
    return Explorer(explored.model.scenario, explorer_data(explored, goals), runs, method)


def _goals(goal: Goals | Goal) -> dict[str, Predicate]:
    if goal is None:
        return {}
    if not isinstance(goal, Mapping):
        return {_task(goal): _test(goal)}
    if not goal or not all(isinstance(task, str) and task for task in goal):
        raise TypeError(f"goal must be an outcome, a test of a state, or a dict of them by task in words, not {goal!r}")
    return {task: _test(one) for task, one in goal.items()}


def _task(goal: Goal) -> str:
    if callable(goal):
        return _READY_MADE.get(goal, getattr(goal, "__name__", "reach the goal").strip("<>").replace("_", " "))
    return f"end with {goal}"


def _test(goal: Goal) -> Predicate:
    try:
        hash(goal)
    except TypeError:
        raise TypeError(f"goal must be an outcome that is hashable, or a test of a state, not {goal!r}") from None
    return goal if callable(goal) else ends_with(goal)


def _explored(scenario: Scenario | Build, grain: str | None) -> Exploration:
    if grain is not None:
        return explore(scenario, validate.one_of("grain", grain, GRAINS), MOST_LIVE)
    whole = explore(scenario, "step", MOST_LIVE)
    try:
        fine = explore(scenario, "access", MOST_LIVE)
    except CannotExplore:
        return whole
    return fine if len(fine) > len(whole) else whole


def explorer_data(explored: Exploration, goals: Mapping[str, Predicate]) -> dict[str, Any]:
    """Return the state graph as `graph_data` does, with what an explorer needs besides.

    processes get a colour; places get `depth`, accesses since the worker last stood at a yield, and `doing`, what
    comes next in words; steps get `touches`: list of [variable, whether it is read, whether it is written].
    deadlock: {schedules: str, coin: float}. invariant: whether the scenario has one.
    goals: list of {task, states in which it is reached}.
    """
    data = graph_data(explored, MOST_LIVE)
    for number, process in enumerate(data["processes"]):
        process["colour"] = colour_of(number)
    _add_places(data, explored)
    _add_touches(data, explored)
    coin = float(explored.probability(deadlock, "coin"))
    data["deadlock"] = {"schedules": str(explored.deadlocks), "coin": coin}
    data["invariant"] = explored.model.scenario.invariant is not None
    states = [explored[number] for number in range(len(explored))]
    data["goals"] = [
        {"task": task, "states": [number for number, state in enumerate(states) if test(state)]}
        for task, test in goals.items()
    ]
    return data


def _add_places(data: dict[str, Any], explored: Exploration) -> None:
    for number, (_, rows, _, _) in enumerate(data["states"]):
        for row, place in zip(rows, explored[number].places, strict=True):
            if "depth" not in data["places"][row]:
                data["places"][row] |= {"depth": place.depth, "doing": _doing(place, explored.model)}


def _doing(place: Place, model: Model) -> str:
    if place.access is None:
        return ""
    name, verb = model.rules[place.access.slot].name, place.access.verb
    item = f"[{place.access.arguments[0]!r}]" if model.rules[place.access.slot].kind == "dict" else ""
    return f"{verb} {name}{item if place.access.arguments else ''}"


def _add_touches(data: dict[str, Any], explored: Exploration) -> None:
    variables: dict[tuple, int] = {}
    for number, (_, _, _, rows) in enumerate(data["states"]):
        for process, row in enumerate(rows):
            if row is not None and "touches" not in data["steps"][row]:
                step = explored[number].step(process)
                data["steps"][row]["touches"] = _touches(step, variables)


def _touches(step: Step, variables: dict[tuple, int]) -> list[list]:
    accesses = [access for access, _ in step.done if access.verb in READS | WRITES]
    return [
        [variables.setdefault(access.variable, len(variables)), access.verb in READS, access.verb in WRITES]
        for access in accesses
    ]


def replay_lanes(played: Replay) -> Picture:
    """Draw a replay: a lane per process, pale while it waits for its turn, with its steps in their order.

    Under each step stands when it began; lengths say nothing. Lost updates and endless waiting are vermilion, hatched,
    and named. The title says what came of it.
    """
    names, steps, waits = [process.name for process in played.trace.processes], _steps(played), _waits(played)
    figure, (axes,) = canvas(_finding(played), height=1.2 + 0.75 * len(names))
    columns = max(len(steps) + 2 * bool(waits), 1)
    axes.set_xlim(0, columns)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="both", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel("when each step began, in ms")
    _label_times(axes, steps)
    for number in range(len(names)):
        axes.barh(number, columns, height=LANE, color=pale(colour_of(number)), lw=0)
    for event in waits:
        _draw_wait(axes, event, len(steps), columns)
    for number, event in enumerate(steps):
        _draw_step(axes, event, number, len(steps))
    return Picture(figure, _finding(played), _told(played))


def _steps(played: Replay) -> list[Event]:
    return [event for event in played.trace.events if event.kind == "step"]


def _waits(played: Replay) -> list[Event]:
    return [event for event in played.trace.events if event.kind == "wait" and event.failed]


def _label_times(axes: Axes, steps: list[Event]) -> None:
    every = -(-len(steps) // MOST_LABELS) or 1
    shown = range(0, len(steps), every)
    times = [f"{(steps[number].begin - steps[0].begin) / 1e6:.2f}" for number in shown]
    axes.set_xticks([number + 0.5 for number in shown], times)


def _draw_step(axes: Axes, event: Event, number: int, count: int) -> None:
    colour, hatch = (FAILURE, "///") if event.failed else (colour_of(event.process), None)
    axes.barh(event.process, 0.9, left=number + 0.05, height=LANE, color=colour, ec=INK, hatch=hatch, lw=0, zorder=3)
    text = event.detail if count <= MOST_LABELS else ""
    text = textwrap.fill(textwrap.shorten(text, 40), max(8, 72 // max(count, 4)))
    if event.failed:
        text = f"✗ {text}\nlost update" if text else "✗"
    is_dark = sum(to_rgb(colour)) < DARK and not event.failed
    axes.text(number + 0.5, event.process, text, ha="center", va="center", fontsize=10, zorder=5, clip_on=True,
              color=PAPER if is_dark else INK, fontweight="bold" if event.failed or is_dark else "normal",
              bbox={"facecolor": PAPER, "alpha": 0.8, "lw": 0, "pad": 1} if event.failed else None)  # fmt: skip


def _draw_wait(axes: Axes, event: Event, begin: int, end: int) -> None:
    axes.barh(event.process, end - begin - 0.1, left=begin + 0.05, height=LANE, color=pale(FAILURE), hatch="///",
              ec=FAILURE, lw=0)  # fmt: skip
    text = textwrap.fill(f"✗ {event.detail}", 28)
    axes.text((begin + end) / 2, event.process, text, ha="center", va="center", fontsize=10, fontweight="bold",
              bbox={"facecolor": PAPER, "alpha": 0.8, "lw": 0, "pad": 1})  # fmt: skip


def _finding(played: Replay) -> str:
    lost = len(lost_updates(played.steps))
    end = "a deadlock" if played.state.deadlocked else f"the outcome is {played.outcome}"
    if not played.state.finished and not played.state.deadlocked:
        end = "stopped before the end"
    loss = f", {lost} update{'' if lost == 1 else 's'} lost" if lost else ""
    count = len(played.steps)
    return f"{count} step{'' if count == 1 else 's'} on real processes: {end}{loss}"


def _told(played: Replay) -> str:
    names = [process.name for process in played.trace.processes]
    steps = _steps(played)
    told = [
        f"Step {number}, at {(event.begin - steps[0].begin) / 1e6:.2f} ms: {names[event.process]}, {event.detail}"
        + (", an update is lost." if event.failed else ".")
        for number, event in enumerate(steps, start=1)
    ]
    return " ".join(told + [f"{names[event.process]} {event.detail}." for event in _waits(played)])


def _frequencies(seen: Sample) -> dict[str, Any]:
    outcomes = {str(outcome): _row(seen.frequency(outcome)) for outcome in seen.outcomes}
    never, deadlocks = frequency(0, seen.runs), frequency(seen.deadlocks, seen.runs)
    return {"runs": seen.runs, "outcomes": outcomes, "never": _row(never), "deadlock": _row(deadlocks)}


def _row(seen: Frequency) -> list[float]:
    return [seen.count, seen.share, seen.low, seen.high]


def _attempt(task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what the task returns, or its error in words; in any case something new, so that the page hears of it."""
    number = next(_ATTEMPTS)
    try:
        return {**task(), "number": number}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "number": number}


def _title(graph: dict[str, Any]) -> str:
    names = ", ".join(process["name"] for process in graph["processes"])
    return f"Explorer of {graph['name']}: be the scheduler of {names}."


def _page(graph: dict[str, Any], words: str) -> str:
    if len(graph["states"]) > MOST_STATES:
        return f"{words}<p>Its {len(graph['states']):,} states are too many to be saved with the page.</p>"
    content = json.dumps({"script": SCRIPT.read_text("utf-8"), "graph": graph}, separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(content.encode(), 9)).decode()
    return f'<div data-talking-processes-explorer="{packed}">{words}</div><script>{_AWAKEN}</script>'


def _in_words(graph: dict[str, Any]) -> str:
    """Say in HTML what can be read without a script: the task, the code, the start, all outcomes."""
    tasks = "".join(f"<li>{escape(goal['task'])}</li>" for goal in graph["goals"])
    sources = "".join(f"<pre>{escape(chr(10).join(source['lines']))}</pre>" for source in graph["sources"])
    values = graph["shared"][graph["states"][0][0]]["values"]
    shared = ", ".join(f"{thing['name']} = {value}" for thing, value in zip(graph["objects"], values, strict=True))
    return (
        f"<p><b>{escape(_title(graph))}</b> Run this notebook to take their steps yourself.</p>"
        + (f"<p>The task:</p><ul>{tasks}</ul>" if tasks else "")
        + f"{sources}<p>At the start: {escape(shared)}.</p>{_outcome_table(graph)}"
    )


def _outcome_table(graph: dict[str, Any]) -> str:
    ends = graph["outcomes"] + ([{"text": "deadlock", **graph["deadlock"]}] if None in graph["ends"].values() else [])
    head = "<tr><th>outcome</th><th>exact count</th><th>with a fair coin</th></tr>"
    rows = (
        f"<td>{escape(end['text'])}</td><td>{end['schedules'].replace('inf', 'endlessly many')} schedules</td>"
        f"<td>{end['coin']:.1%}</td>"
        for end in ends
    )
    return f"<table>{head}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
