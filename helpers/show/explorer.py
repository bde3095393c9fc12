"""The explorer: the learner is the scheduler of a scenario, finds the schedule that breaks it, and replays it.

The state graph travels to the browser, so that stepping, searching and counting go on without a kernel, in a saved
page too. Only what happens on real processes needs Python: replays, and free runs.
"""

import base64
import json
import zlib
from collections.abc import Callable, Hashable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from helpers.core import checks
from helpers.core.behaviour import Place
from helpers.core.exploration import Exploration, Predicate, deadlock, ends_with, explore, violation
from helpers.core.model import GRAINS, Model, Step, lost_updates
from helpers.core.replays import Replay, replay
from helpers.core.rules import READS, WRITES
from helpers.core.sampling import Frequency, Sample, sample
from helpers.core.scenario import Build, Scenario
from helpers.core.stategraph import MOST_STATES, graph_data
from helpers.show.lanes import lanes
from helpers.show.theme import Picture, colour_of

Goal = Predicate | Hashable  # a test of a state, such as `deadlock`, or an outcome
Goals = Mapping[str, Goal]  # the task in words -> when it is done

SCRIPT = Path(__file__).with_suffix(".js")
MOST_RUNS = 10_000
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
        # at once, so that the page can tell a kernel that works from one that is not there
        self.send({"kind": "started", "task": content.get("task")})
        if content.get("task") == "replay":
            self.replayed = _attempt(lambda: self._replay(content["schedule"]))
        elif content.get("task") == "observe":
            self.observed = _attempt(lambda: _frequencies(sample(self.scenario, self.runs, method=self.method)))
        self.send({"kind": "done", "task": content.get("task")})

    def _replay(self, schedule: list[int]) -> dict[str, Any]:
        played = replay(self.scenario, schedule, method=self.method, grain=self.grain)
        picture = picture_of(played)
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
    """Return an explorer of a scenario of at most 5,000 states.

    goal: what the learner is to reach. An outcome, or a test of a state such as `deadlock` or `violation`; or a dict
    of several, each with its task in words as key. Without one the task is to break the scenario in any way.
    grain: "access" lets a statement such as `counter.value += 1` be expanded into its atomic steps; "step" does not.
    Without it, "access" where it makes a difference and has few enough states.
    runs: how many free runs on real processes "observe" makes; method: their start method.

    Raises CannotExplore for a scenario that has too many states or is not deterministic; TypeError or ValueError for
    what is not a scenario, a goal, a grain, a number of runs from 1 to 10,000, or a start method.
    """
    checks.whole_number("runs", runs, 1, MOST_RUNS)
    checks.start_method(method)
    goals = _goals(goal)
    explored = _explored(scenario, grain)
    return Explorer(explored.model.scenario, explorer_data(explored, goals), runs, method)
