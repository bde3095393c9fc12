"""Notices what may be shared without an operation, so that no two orders are taken for the same because of it."""

import os
import sys
from typing import Any

from helpers.control.participant import here

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_CODE = (".py", ".pyc", ".so", ".pyd")  # read by imports and tracebacks


def install() -> None:
    """Notice files, memory mapped from files, and plain shared memory."""
    sys.addaudithook(_notice)


def _notice(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        path = args[0]
        if (
            isinstance(path, str)
            and not path.endswith(_CODE)
            and path != os.devnull
            and (participant := here())
            and not participant.exemptions
        ):
            participant.accessed("untracked", path)
    elif event in ("mmap.__new__", "sqlite3.connect") and (participant := here()) and not participant.exemptions:
        participant.accessed("untracked", event)
