"""A class without a server: who wants to shares predictions and results as one file, and the teacher reads them all."""

from helpers.front_door import opens

__getattr__ = opens(
    __name__,
    {
        "reading": "read_class",
        "sharing": "join leave published share status tell",
    },
)
