"""Notices what is done without an operation: what is shared so, what is forked so, and who is sent a signal so."""

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
    elif event in ("os.fork", "os.forkpty") and (participant := here()) and not participant.exemptions:
        participant.refuse(
            f"the program calls {event} itself, and what happens in that process is out of control's sight; "
            "start it with multiprocessing"
        )
    elif event in ("mmap.__new__", "sqlite3.connect") and (participant := here()) and not participant.exemptions:
        participant.accessed("untracked", event)
