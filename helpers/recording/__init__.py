"""Recording: what each process did and when, from plain multiprocessing code that does not know of it."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "recorder": "record",
        "kinds": "EventKind Outcome",
        "trace": "Event Message ProcessInfo Trace",
        "updates": "Update find_updates",
    },
)
