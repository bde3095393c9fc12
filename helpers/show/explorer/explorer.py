"""The explorer: the learner is the scheduler of a scenario, finds the schedule that breaks it, and replays it.

The state graph travels to the browser, so that stepping, searching and counting go on without a kernel, in a saved
page too. Only what happens on real processes needs Python: replays, and free runs.
"""

import itertools
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import traitlets

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.scheduling.model.exploration import Exploration, Predicate, as_predicate, deadlock, explore, violation
from helpers.scheduling.model.export import graph_data
from helpers.scheduling.model.model import GRAINS
from helpers.scheduling.model.worker_graph import CannotExplore
from helpers.scheduling.program.scenario import Build, Scenario
from helpers.scheduling.real.free_runs import Sample, sample
from helpers.scheduling.real.replays import replay
from helpers.scheduling.real.worker_pool import ReadyWorkers
from helpers.show.explorer.page import SCRIPT, STYLE, page, title
from helpers.show.figures.replay_lanes import replay_lanes
from helpers.show.theme import colour_of
from helpers.show.widgets.live import Live

Goal = Predicate | Hashable  # a test of a state, such as `deadlock`, or an outcome
Goals = Mapping[str, Goal]  # the task in words -> when it is done

MAX_LIVE = 25_000  # states; more take too long to get ready, and to travel to the browser
MAX_RUNS = 10_000
_ATTEMPTS = itertools.count(1)
ready_workers = ReadyWorkers()  # for the explorer that was asked last
_READY_MADE: dict[Callable[..., Any], str] = {
    deadlock: "make the processes wait for ever",
    violation: "break the invariant",
}


class Explorer(Live):
    """A scenario in the learner's hands. `schedule` holds the process numbers of the steps taken so far.

    On a page without a kernel all works but what real processes do; without scripts it shows in words.
    """

    _esm = SCRIPT
    _css = STYLE
    _asked_last = ""  # the key of the explorer for which processes are kept
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

    def page(self) -> str:
        """Return the explorer as it is now, as HTML that needs no kernel."""
        return page({name: getattr(self, name) for name in ("graph", "schedule", "replayed", "observed")})

    def words(self) -> str:
        """Return what is explored, in one sentence."""
        return title(self.graph)

    def perform(self, task: str, content: dict[str, Any]) -> None:
        """Replay a schedule on real processes, or observe free runs."""
        if task == "replay":
            self._show_as("replayed", lambda: self._replay(content["schedule"]))
        elif task == "observe":
            self._show_as("observed", self._observe)

    def close(self) -> None:
        """End the explorer, and the processes that are kept for it."""
        if Explorer._asked_last == self.key:
            ready_workers.close()
        super().close()

    def _replay(self, schedule: list[int]) -> dict[str, Any]:
        with self._with_workers():
            played = replay(self.scenario, schedule, method=self.method, grain=self.grain)
        picture = replay_lanes(played)
        return {"html": picture.html(), "words": picture.title, "schedule": schedule}

    def _observe(self) -> dict[str, Any]:
        with self._with_workers():
            return _frequencies(sample(self.scenario, self.runs, method=self.method))

    def _with_workers(self) -> AbstractContextManager[None]:
        """Keep the processes for the next click, which then need not start any."""
        Explorer._asked_last = self.key
        return ready_workers.in_use()

    def _show_as(self, trait: str, task: Callable[[], dict[str, Any]]) -> None:
        """Show what the task returns, or its error in words, under a new number, so that the page hears of it."""
        shown: dict[str, Any] = {"error": "Interrupted. Press the button to begin again."}
        try:
            shown = task()
        except Exception as error:
            shown = {"error": f"{type(error).__name__}: {error}"}
        finally:
            self.set_trait(trait, {**shown, "number": next(_ATTEMPTS)})


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
    validate.whole_number("runs", runs, 1, MAX_RUNS)
    validate.start_method(method)
    goals = _goals(goal)
    explored = _explored(scenario, grain)
    return Explorer(explored.model.scenario, explorer_data(explored, goals), runs, method)


def explorer_data(explored: Exploration, goals: Mapping[str, Predicate]) -> dict[str, Any]:
    """Return the state graph as `graph_data` does, with a colour for each process."""
    data = graph_data(explored, MAX_LIVE, goals)
    for number, process in enumerate(data["processes"]):
        process["colour"] = colour_of(number)
    return data


def _goals(goal: Goals | Goal) -> dict[str, Predicate]:
    if goal is None:
        return {}
    if not isinstance(goal, Mapping):
        test = as_predicate("goal", goal)
        return {_task(goal): test}
    if not goal or not all(isinstance(task, str) and task for task in goal):
        validate.refuse(TypeError, "goal", "an outcome, a test of a state, or a dict of them by task in words", goal)
    return {task: as_predicate(f"goal[{task!r}]", one) for task, one in goal.items()}


def _task(goal: Goal) -> str:
    if callable(goal):
        name = str(getattr(goal, "__name__", "reach the goal"))
        return _READY_MADE.get(goal, name.strip("<>").replace("_", " "))
    return f"end with {goal}"


def _explored(scenario: Scenario | Build, grain: str | None) -> Exploration:
    if grain is not None:
        return explore(scenario, validate.one_of("grain", grain, GRAINS), MAX_LIVE)
    whole = explore(scenario, "step", MAX_LIVE)
    try:
        fine = explore(scenario, "access", MAX_LIVE)
    except CannotExplore:
        return whole
    return fine if len(fine) > len(whole) else whole


def _frequencies(seen: Sample) -> dict[str, Any]:
    outcomes = {str(outcome): _row(seen.frequency(outcome)) for outcome in seen.outcomes}
    never, deadlocks = Proportion(0, seen.runs), Proportion(seen.deadlocks, seen.runs)
    return {"runs": seen.runs, "outcomes": outcomes, "never": _row(never), "deadlock": _row(deadlocks)}


def _row(seen: Proportion) -> list[float]:
    return [seen.count, seen.share, *seen.interval]
