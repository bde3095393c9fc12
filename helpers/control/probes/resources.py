"""Stands in for the resource tracker: the controller itself removes what a run leaves, however the run ends."""

from multiprocessing import resource_tracker

from helpers.control.participant import note

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def install() -> None:
    """Tell the controller, and nobody else, which named semaphores and blocks of memory there are."""
    resource_tracker.register = _register
    resource_tracker.unregister = _unregister
    resource_tracker.ensure_running = lambda: None
    resource_tracker.getfd = lambda: -1


def _register(name: str, rtype: str) -> None:
    note("named", rtype, name)


def _unregister(name: str, rtype: str) -> None:
    note("unnamed", rtype, name)
