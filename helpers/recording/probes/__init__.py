"""Probes: they stand in for multiprocessing's own methods, and let an instrument see each call."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "attachment": "attach detach is_attached",
        "calls": "Call Channel Instrument",
    },
)
