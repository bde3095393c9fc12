"""All probes together."""

from collections.abc import Callable
from importlib import import_module

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_PROBES = ("locks", "values", "channels", "queues", "managers", "pools", "processes", "resources", "untracked")


def load() -> None:
    """Import what the probes stand in front of."""
    for name in _PROBES:
        import_module(f"helpers.control.probes.{name}")


def install(folder: str, connect_to_new_process: Callable[[list[int]], tuple[int, int]]) -> None:
    """Put every probe in place.

    Spawned processes come from where `connect_to_new_process` gets them; what they name is noted in the folder.
    """
    arguments = {"processes": (connect_to_new_process,), "resources": (folder,)}
    for name in _PROBES:
        import_module(f"helpers.control.probes.{name}").install(*arguments.get(name, ()))
