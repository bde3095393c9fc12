"""Put the probes in place, here and in every process that is started, and take them away again."""

import functools
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from helpers.recording.probes import calls, processes
from helpers.supervision import start_hooks

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# module of multiprocessing -> module here that attaches the probes to it
_PROBES = {
    "multiprocessing.connection": "connections",
    "multiprocessing.queues": "queues",
    "multiprocessing.synchronize": "locks",
    "multiprocessing.sharedctypes": "shared_values",
    "multiprocessing.managers": "managers",
    "multiprocessing.resource_sharer": "resource_sharer",
}


def attach(instrument: calls.Instrument) -> None:
    """Let the instrument see this process from now on, and each that it starts."""
    calls.local.thread = calls.Thread()
    is_fork = calls.instrument is not None
    calls.instrument = instrument
    instrument.open()
    start_hooks.install(instrument)
    if is_fork:
        return  # with the probes of its parent
    processes.attach()
    for name in _PROBES:
        if name in sys.modules:
            _attach_to(sys.modules[name])
    finder = _OnImport()
    sys.meta_path.insert(0, finder)
    calls.undo.append(functools.partial(sys.meta_path.remove, finder))


def detach() -> None:
    """Put everything back as it was."""
    while calls.undo:
        calls.undo.pop()()
    if attached := calls.instrument:
        start_hooks.remove(attached)
        attached.close()
    calls.instrument = None


def is_attached() -> bool:
    """Tell whether an instrument sees this process."""
    return calls.instrument is not None


def _attach_to(module: ModuleType) -> None:
    import_module(f"helpers.recording.probes.{_PROBES[module.__name__]}").attach(module)


class _OnImport:
    """Attaches to a module of multiprocessing when it is imported: a worker that does without it need not load it."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _PROBES or (spec := PathFinder.find_spec(name, path)) is None:
            return None
        loader: Any = spec.loader
        plain = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            plain(module)
            if calls.instrument is not None:
                _attach_to(module)

        loader.exec_module = exec_module
        return spec
