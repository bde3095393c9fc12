"""What came of a check, told apart: wrong is not crashed, and a program that waits for ever is neither."""

import enum
from dataclasses import dataclass

from helpers.recording.trace import Trace

__tracebackhide__ = True  # an instrument: never the place where somebody waits


class Kind(enum.StrEnum):
    """How an exercise stands."""

    NOT_ATTEMPTED = "not attempted"
    RIGHT = "right"
    WRONG = "wrong"
    CRASHED = "crashed"
    HANGS = "hangs"
    LEAKS = "leaks"
    SLOW = "right but slow"
    UNKNOWN = "cannot be judged"


@dataclass(frozen=True)
class Finding:
    """What a check found: in words, as a story step by step, and as a recording for `lanes`."""

    kind: Kind
    words: str
    story: str = ""
    trace: Trace | None = None
