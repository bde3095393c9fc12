"""What a scenario is: shared objects, workers, and what to ask of them. Light, because worker processes import it."""

import functools
from collections.abc import Callable, Generator, Hashable, Mapping
from typing import Any, NamedTuple, ParamSpec

from helpers import validate
from helpers.scheduling.program.handles import SharedObjects

Worker = Callable[..., Generator[Any, None, None]]
Build = Callable[[SharedObjects], list[tuple[Worker, tuple[Any, ...]]]]
Shared = Mapping[str, Any]  # name of a shared object -> its value, in plain types
Parameters = ParamSpec("Parameters")


class _Fields(NamedTuple):
    build: Build
    outcome: Callable[[Shared], Hashable] | None
    invariant: Callable[[Shared], bool] | None
    title: str
    raises: tuple[type[Exception], ...]
    endless: tuple[str, ...]


class Scenario(_Fields):
    """A concurrent program: `build` declares the shared objects and returns a list of (worker, arguments).

    `outcome` makes a hashable result of the final values of the shared objects. Without it the outcome is the final
    value of the integer, dict, queue or pipe; a tuple of them, in order of declaration, if there are several.
    `invariant` says of such values whether all is well; it is asked in every state.
    Locks show as True (taken) or False, semaphores as permits left, conditions and barriers as processes inside.
    `raises` are the exceptions that may end a worker, as an outcome among others; any other is a mistake in it.
    `endless` names workers that need not end, such as servers: to wait for ever is no deadlock of theirs.
    `title` names it; without one the name of the function that builds it does.

    Raises TypeError for what cannot be called so, for names that are no text, or for what
    is no exception.
    """

    __slots__ = ()

    def __new__(
        cls,
        build: Build,
        outcome: Callable[[Shared], Hashable] | None = None,
        invariant: Callable[[Shared], bool] | None = None,
        title: str = "",
        raises: tuple[type[Exception], ...] = (),
        endless: tuple[str, ...] = (),
    ) -> "Scenario":
        """Check what is given, before anything is built."""
        validate.function("build", build, "a function of SharedObjects", 1)
        for name, function in (("outcome", outcome), ("invariant", invariant)):
            if function is not None:
                validate.function(name, function, "a function of the values of the shared objects, or None", 1)
        validate.text("title", title, may_be_empty=True)
        for number, kind in enumerate(validate.sequence("raises", raises, "exceptions, such as (KeyError,)", least=0)):
            if not (isinstance(kind, type) and issubclass(kind, Exception | SystemExit)):
                validate.refuse(TypeError, f"raises[{number}]", "an exception, such as KeyError", kind)
        for number, worker in enumerate(validate.sequence("endless", endless, "names of workers", least=0)):
            validate.text(f"endless[{number}]", worker)
        return super().__new__(cls, build, outcome, invariant, title, tuple(raises), tuple(endless))

    @property
    def name(self) -> str:
        """The title, or else the name of the function that builds it."""
        return self.title or self.build.__name__


def scenario(
    **ranges: tuple[int, int],
) -> Callable[[Callable[Parameters, Scenario | Build]], Callable[Parameters, Scenario]]:
    """Decorate a function that returns a scenario of some size: each parameter is a whole number within its range.

    The scenario is named after the function, and the function's docstring tells the ranges. It raises TypeError or
    ValueError for any other argument, before anything is built.
    """

    def decorate(make: Callable[Parameters, Scenario | Build]) -> Callable[Parameters, Scenario]:
        @functools.wraps(make)
        def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Scenario:
            for name, value in _arguments(make, args, kwargs).items():
                if name in ranges:
                    validate.whole_number(name, value, *ranges[name])
            return as_scenario(make(*args, **kwargs))._replace(title=make.__name__)

        if ranges:
            allowed = "; ".join(f"{name} is from {low:,} to {high:,}" for name, (low, high) in ranges.items())
            checked.__doc__ = f"{make.__doc__}\n\nRaises TypeError or ValueError for anything else: {allowed}."
        return checked

    return decorate


def _arguments(make: Callable, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    # here, since worker processes that import scenarios never build one, and inspect takes time to load
    from inspect import signature

    given = signature(make).bind(*args, **kwargs)
    given.apply_defaults()
    return given.arguments


def as_scenario(scenario: Scenario | Build) -> Scenario:
    """Return a scenario for a scenario or for a function that builds one.

    Raises TypeError for anything else.
    """
    if isinstance(scenario, Scenario):
        return scenario
    allowed = "a Scenario or a function of SharedObjects"
    if isinstance(scenario, type):
        validate.refuse(TypeError, "scenario", allowed, scenario)
    validate.function("scenario", scenario, allowed, 1)
    return Scenario(scenario)
