"""Probes on shared values: the lock of a Value or an Array is seen under the name of what it guards."""

import functools
from types import ModuleType
from typing import Any

from helpers.recording.probes import locks
from helpers.recording.probes.calls import Channel, replace

__tracebackhide__ = True  # an instrument: never the place where somebody waits


def attach(sharedctypes: ModuleType) -> None:
    """Name the lock of each Value and Array that is made."""
    base = sharedctypes.SynchronizedBase
    plain = base.__init__

    @functools.wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        if channel := locks.channel_of(self._lock):
            label = "Array" if isinstance(self, sharedctypes.SynchronizedArray) else "Value"
            self._lock._channel = Channel(channel.identity, label)

    replace(base, "__init__", init)
