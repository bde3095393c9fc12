"""What an experiment came to, with the settings and the machine: durations, or how often each outcome came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from helpers import validate
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import LONGEST, MOST

Settings: TypeAlias = Mapping[str, Any]
Card: TypeAlias = Mapping[str, Any]  # what is known about the machine, by name: texts and numbers


@dataclass(frozen=True)
class Case:
    """The outcomes of the runs of one program, and how many of these runs had something in common.

    Raises TypeError or ValueError for counts that are not a dict of numbers of runs by text, or more hits than runs.
    """

    counts: Mapping[str, int]  # how many runs had each outcome
    what: str  # what some of the runs have in common, such as "lost an update"
    hits: int  # how many these are

    def __post_init__(self) -> None:
        for outcome, count in validate.mapping("counts", self.counts, "numbers of runs by outcome").items():
            validate.text("outcome", outcome)
            validate.whole_number(f"counts[{outcome!r}]", count, 0, MOST)
        validate.text("what", self.what)
        validate.whole_number("hits", self.hits, 0, sum(self.counts.values()))

    @property
    def share(self) -> Proportion:
        """The share of the runs that have it in common."""
        return Proportion(self.hits, sum(self.counts.values()))


@dataclass(frozen=True)
class Result:
    """What was measured, in which settings, on which machine.

    Raises TypeError or ValueError for an experiment that is no text, or settings or a machine that are no dicts.
    """

    experiment: str
    settings: Settings
    machine: Card

    def __post_init__(self) -> None:
        validate.text("experiment", self.experiment)
        validate.mapping("settings", self.settings, "settings by name", 0)
        validate.mapping("machine", self.machine, "facts by name", 0)


@dataclass(frozen=True)
class Timings(Result):
    """Durations in seconds. Each series has a row for each fresh pair of processes: what is in a row is alike.

    Raises as Result does, and for series that are not rows of durations above 0.
    """

    series: Mapping[str, tuple[tuple[float, ...], ...]]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, rows in validate.mapping("series", self.series, "rows of seconds by name").items():
            for number, row in enumerate(validate.sequence(f"series[{name!r}]", rows, "rows, one or more")):
                for value in validate.sequence(f"series[{name!r}][{number}]", row, "seconds, one or more"):
                    validate.seconds(f"series[{name!r}][{number}]", value, LONGEST)


@dataclass(frozen=True)
class Outcomes(Result):
    """How often each outcome came, by the name of the program.

    Raises as Result does, and for cases that are no dict of Case.
    """

    cases: Mapping[str, Case]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, case in validate.mapping("cases", self.cases, "cases by name").items():
            validate.instance(f"cases[{name!r}]", case, Case, "a Case")
