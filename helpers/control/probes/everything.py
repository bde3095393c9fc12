"""All probes together."""

from collections.abc import Callable
from importlib import import_module

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_PROBES = ("locks", "values", "channels", "queues", "managers", "pools", "processes", "resources", "untracked")


def load() -> None:
    """Import what the probes stand in front of."""
    for name in _PROBES:
        import_module(f"helpers.control.probes.{name}")


def install(connect_to_new_process: Callable[[list[int]], tuple[int, int]] | None) -> None:
    """Put every probe in place; spawned processes come from where `connect_to_new_process` gets them."""
    for name in _PROBES:
        module = import_module(f"helpers.control.probes.{name}")
        if name == "processes":
            module.install(connect_to_new_process)
        else:
            module.install()
