"""What an experiment is: a function that measures, with parameters of which each says what it allows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from multiprocessing import get_all_start_methods
from typing import Any, TypeAlias

from helpers import validate
from helpers.experiments.card import card
from helpers.measuring.results import Case, Outcomes, Timings

Told: TypeAlias = Callable[[float], object]  # is called with the share of the work that is done, 0 to 1
Rows: TypeAlias = Mapping[str, tuple[tuple[float, ...], ...]]
Measure: TypeAlias = Callable[..., Rows | Mapping[str, Case]]


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`: a whole one if the default is."""

    default: float
    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} from {self.low:,} to {self.high:,} {self.unit}".strip()

    def check(self, name: str, value: Any) -> float:
        """Return the value if it is allowed; TypeError or ValueError if not."""
        if isinstance(self.default, int):
            return validate.whole_number(name, value, int(self.low), int(self.high))
        return float(validate.number(name, value, self.low, self.high, self.unit))

    def parse(self, name: str, text: str) -> float:
        """Return the value that a text means; ValueError if there is none, or it is not allowed."""
        try:
            return self.check(name, type(self.default)(text))
        except ValueError:
            validate.refuse(ValueError, name, str(self), text)


@dataclass(frozen=True)
class Choice:
    """One of some words, which may depend on the machine."""

    default: str
    words: Callable[[], Collection[str]]

    def __str__(self) -> str:
        return f"one of {', '.join(self.words())}"

    def check(self, name: str, value: Any) -> str:
        """Return the value if it is allowed; TypeError or ValueError if not."""
        return validate.one_of(name, value, self.words())

    def parse(self, name: str, text: str) -> str:
        """Return the value that a text means; ValueError if it is not allowed."""
        return self.check(name, text)


@dataclass(frozen=True)
class Several:
    """One value or more, each as another parameter allows; as text with commas between them."""

    default: tuple[Any, ...]
    each: Number | Choice

    def __str__(self) -> str:
        return f"one or more, with commas between them, each {self.each}"

    def check(self, name: str, value: Any) -> tuple[Any, ...]:
        """Return the values if they are allowed; TypeError or ValueError if not."""
        values = validate.sequence(name, value, f"values, one or more, each {self.each}")
        return tuple(self.each.check(name, each) for each in values)

    def parse(self, name: str, text: str) -> tuple[Any, ...]:
        """Return the values that a text means; ValueError if there are none, or one is not allowed."""
        return tuple(self.each.parse(name, part.strip()) for part in text.split(","))


Parameter: TypeAlias = Number | Choice | Several
METHOD = Choice("spawn", get_all_start_methods)


@dataclass(frozen=True)
class Experiment:
    """Something that is measured, with its parameters; it returns durations, or how often each outcome came."""

    name: str
    measure: Measure
    parameters: Mapping[str, Parameter]
    seconds: float  # that it takes with its defaults, about, on two processors

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return (self.measure.__doc__ or "").partition("\n")[0]

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each parameter, the given one or its default.

        Raises TypeError or ValueError for a parameter that there is not, or a value that it does not allow.
        """
        for name in validate.mapping("given", given, "values by the name of the parameter", 0):
            validate.one_of(f"a parameter of {self.name}", name, self.parameters)
        checked = {name: self.parameters[name].check(name, value) for name, value in given.items()}
        return {name: checked.get(name, parameter.default) for name, parameter in self.parameters.items()}

    def run(self, progress: Told | None = None, with_names: bool = False, **given: Any) -> Timings | Outcomes:
        """Measure, and return what came of it, with the settings and a card of the machine.

        `progress` is called with the share that is done, from 0 to 1. The card names host and paths only `with_names`.
        Raises TypeError or ValueError before anything starts, ProcessesFailed when a child fails or the time is up.
        """
        if progress is not None:
            validate.function("progress", progress, "a function of a share from 0 to 1, or None", 1)
        validate.flag("with_names", with_names)
        settings = self.settings(given)
        machine = card(with_names)
        found: Mapping[str, Any] = self.measure(progress or _nobody_asks, **settings)
        kind: type[Timings] | type[Outcomes] = Timings
        if any(isinstance(each, Case) for each in found.values()):
            kind = Outcomes
        return kind(self.name, settings, machine, found)


def _nobody_asks(share: float) -> None:
    pass
