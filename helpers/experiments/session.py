"""A session: experiments one after the other, each with a file of its own, so that one that was killed goes on."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import validate
from helpers.experiments.catalogue import EXPERIMENTS, find
from helpers.experiments.declaration import Experiment
from helpers.experiments.files import ENDINGS, UnusableFile, read_result, write_result
from helpers.measuring.results import Result


@dataclass(frozen=True)
class Planned:
    """An experiment with the value of each of its parameters."""

    experiment: Experiment
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far a session has come."""

    experiment: str
    number: int  # of this experiment, from 1
    experiments: int
    share: float  # of this experiment that is done, 0 to 1
    left: float  # s until all are done, as far as can be told


@dataclass(frozen=True)
class Ran:
    """An experiment whose result is in its file."""

    experiment: str
    path: Path
    seconds: float  # that it took
    was_there: bool = False  # from an earlier session, in the same settings


def plan(names: Sequence[str] = (), given: Mapping[str, str] | None = None) -> list[Planned]:
    """Return the experiments of these names, or all, each with those of the given parameters (as text) that it has.

    Raises TypeError or ValueError for a name that there is not, a parameter that none of them has, or a value that is
    not allowed.
    """
    validate.texts("names", names, "names of experiments", 0)
    chosen = [find(name) for name in dict.fromkeys(names)] or list(EXPERIMENTS.values())
    texts = validate.mapping("given", given if given is not None else {}, "texts by the name of a parameter", 0)
    known = dict.fromkeys(name for each in chosen for name in each.parameters)
    for name, text in texts.items():
        validate.one_of("the name of a given parameter", name, known)
        validate.text(f"given[{name!r}]", text)
    return [Planned(each, each.settings(_parsed(each, texts))) for each in chosen]


def _parsed(experiment: Experiment, texts: Mapping[str, str]) -> dict[str, Any]:
    parameters = experiment.parameters
    return {name: parameters[name].parse(name, text) for name, text in texts.items() if name in parameters}


def run_session(
    planned: Sequence[Planned],
    folder: str | os.PathLike[str],
    tell: Callable[[Progress], object] | None = None,
    again: bool = False,
    with_names: bool = False,
) -> Iterator[Ran]:
    """Run experiments one after the other, write each result into the folder when it is there, and yield it.

    What is there already, in the same settings and by the same Python, is not measured again, unless `again` is true.
    `tell` hears how far the session has come; host and paths are named only `with_names`.

    Raises UnusableFile, before anything starts, when there is a file that was measured in other settings, or that
    cannot be read; TypeError or ValueError for what is not allowed; ProcessesFailed when an experiment fails.
    """
    check_planned(planned)
    if tell is not None:
        validate.function("tell", tell, "a function of a Progress, or None", 1)
    validate.flag("again", again)
    validate.flag("with_names", with_names)
    place = Path(validate.path("folder", folder))
    there = {} if again else {each.experiment.name: path for each in planned if (path := _done_before(each, place))}
    return _session(planned, place, _Watch(planned, there, tell), there, with_names)


def check_planned(planned: Sequence[Planned]) -> None:
    """Raise TypeError or ValueError for what is no list of planned experiments, as `plan` returns it."""
    for number, each in enumerate(validate.sequence("planned", planned, "what plan() returns")):
        validate.instance(f"planned[{number}]", each, Planned, "what plan() returns")


def _session(
    planned: Sequence[Planned], folder: Path, watch: "_Watch", there: Mapping[str, Path], with_names: bool
) -> Iterator[Ran]:
    for number, each in enumerate(planned, 1):
        name = each.experiment.name
        if name in there:
            yield Ran(name, there[name], 0.0, was_there=True)
            continue
        watch.begin(each, number)
        path = write_result(each.experiment.run(watch.hear, with_names, **each.settings), folder)
        yield Ran(name, path, watch.end())


class _Watch:
    """Tells how far a session has come, and how long the rest takes: at the pace of what is done."""

    def __init__(
        self, planned: Sequence[Planned], there: Mapping[str, Path], tell: Callable[[Progress], object] | None
    ) -> None:
        self.count, self.tell = len(planned), tell
        self.due = sum(each.experiment.seconds for each in planned if each.experiment.name not in there)
        self.done = self.taken = 0.0  # s, as expected and as it was

    def begin(self, planned: Planned, number: int) -> None:
        """Watch the next experiment."""
        self.current, self.number, self.since = planned.experiment, number, time.monotonic()
        self.hear(0.0)

    def hear(self, share: float) -> None:
        """Hear how much of it is done, 0 to 1."""
        done = self.done + share * self.current.seconds
        pace = (self.taken + time.monotonic() - self.since) / done if done else 1.0
        if self.tell:
            left = max(0.0, pace * (self.due - done))
            self.tell(Progress(self.current.name, self.number, self.count, share, left))

    def end(self) -> float:
        """Return how long it took, in seconds."""
        seconds = time.monotonic() - self.since
        self.done, self.taken = self.done + self.current.seconds, self.taken + seconds
        return seconds


def _done_before(planned: Planned, folder: Path) -> Path | None:
    """Return the file with the result, None if there is none; UnusableFile if it is not what would be measured now."""
    for path in (folder / f"{planned.experiment.name}{ending}" for ending in ENDINGS):
        if path.exists():
            if differences := list(_differences(planned, read_result(path))):
                what = "; ".join(differences)
                raise UnusableFile(f"{path} is another result: {what}. Use --out for another folder, or --again")
            return path
    return None


def _differences(planned: Planned, there: Result) -> Iterator[str]:
    for name, value in planned.settings.items():
        # in a file a tuple is a list
        before, now = there.settings.get(name), list(value) if isinstance(value, tuple) else value
        if before != now:
            yield f"{name} was {before}, now it is {now}"
    version, here = str(there.machine.get("python_version", "not told")).split(" ")[0], platform.python_version()
    if version != here:
        yield f"Python was {version}, now it is {here}"
