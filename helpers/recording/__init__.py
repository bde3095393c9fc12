"""Recording: what each process did and when, from plain multiprocessing code that does not know of it."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "recorder": "record",
        "trace": "Event Message ProcessInfo Trace",
    },
)
