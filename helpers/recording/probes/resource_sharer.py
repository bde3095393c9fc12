"""Probes on how multiprocessing passes connections on between processes: nothing of that is seen."""

from types import ModuleType

from helpers.recording.probes.calls import hide, hide_static

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach(resource_sharer: ModuleType) -> None:
    """Hide the talk in which a connection is handed over."""
    hide(resource_sharer._ResourceSharer, "_start")
    hide_static(resource_sharer._ResourceSharer, "get_connection")
