"""Notices what parties may share unseen, so that no two orders are taken for the same because of it."""

import os
import sys
from typing import Any

from helpers.control.party import here

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
            and (party := here())
            and not party.free
        ):
            party.touch("outside", path)
    elif event in ("mmap.__new__", "sqlite3.connect") and (party := here()) and not party.free:
        party.touch("outside", event)
