"""What a scenario is: shared objects, workers, and what to ask of them. Light, because worker processes import it."""

from collections.abc import Callable, Generator, Hashable, Mapping
from typing import Any, NamedTuple

from helpers.scheduling.program.handles import Memory

Worker = Callable[..., Generator[Any, None, None]]
Build = Callable[[Memory], list[tuple[Worker, tuple[Any, ...]]]]
Shared = Mapping[str, Any]  # name of a shared object -> its value, in plain types


class Scenario(NamedTuple):
    """A concurrent program: `build` declares the shared objects and returns a list of (worker, arguments).

    `outcome` makes a hashable result of the final values of the shared objects. Without it the outcome is the final
    value of the integer, dict, queue or pipe; a tuple of them, in order of declaration, if there are several.
    `invariant` says of such values whether all is well; it is asked in every state.
    Locks show as True (taken) or False, semaphores as permits left, conditions and barriers as processes inside.
    """

    build: Build
    outcome: Callable[[Shared], Hashable] | None = None
    invariant: Callable[[Shared], bool] | None = None

    @property
    def name(self) -> str:
        """The name of the function that builds it."""
        return self.build.__name__


def as_scenario(scenario: Scenario | Build) -> Scenario:
    """Return a scenario for a scenario or for a function that builds one.

    Raises TypeError for anything else.
    """
    if isinstance(scenario, Scenario):
        return scenario
    if not callable(scenario):
        raise TypeError(f"scenario must be a Scenario or a function of a Memory, not {scenario!r}")
    return Scenario(scenario)
