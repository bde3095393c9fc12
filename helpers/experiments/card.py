"""The card of the machine that goes with each result: what pyperf finds out, and what it lacks."""

import re
from typing import Any

import pyperf

from helpers import validate
from helpers.measuring.facts import facts

# texts that name a machine, or may hold the folders of a person
NAMES = ("hostname", "python_executable", "python_cflags", "python_config_args", "boot_time")
A_PATH = re.compile(r"(?:^|[\s'\"=:,;(])(?:~?/[^\s/]|[A-Za-z]:\\)")


def card(with_names: bool = False) -> dict[str, Any]:
    """Return facts about this machine by name; the name of the host, and paths, only when asked for.

    Raises TypeError for anything but True or False.
    """
    validate.flag("with_names", with_names)
    # a Run collects what pyperf knows; its duration is not used
    known: dict[str, Any] = {**pyperf.Run((1.0,)).get_metadata(), **facts()}
    if with_names:
        return known
    return {name: fact for name, fact in known.items() if name not in NAMES and not A_PATH.search(str(fact))}
