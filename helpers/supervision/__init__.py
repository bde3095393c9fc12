"""Supervision: a block of child processes ends in time, leaves nothing, and says what went wrong."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "supervisor": "ProcessesFailed expect_failure supervised",
        "child": "ProcessReport",
    },
)
