"""Notices what is done without an operation: what is shared so, what is forked so, and who is sent a signal so."""

import os
import re
import sys
from typing import Any

from helpers.control.participant import here

__tracebackhide__ = True  # an instrument: never the place where somebody waits

# read by imports and tracebacks; and what the first import of a module writes, under a name that is not its last
_CODE = re.compile(r"[.](py|pyc|so|pyd|pyc[.]\d+)$")


def install() -> None:
    """Notice files, memory mapped from files, and plain shared memory."""
    sys.addaudithook(_notice)


def _notice(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        path = args[0]
        if (
            isinstance(path, str)
            and not _CODE.search(path)
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
