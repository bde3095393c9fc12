"""The file of one person in a class: JSON Lines of version 1, and nothing that is ever run.

The first line is the head. It says nothing of who somebody is but the nickname that she chose:

    {"format": "talking-processes class", "version": 1, "nickname": "Ada", "key": "5e0f3a91",
     "machine": {"system": "Linux", "python": "3.12", "processors": 8}}

Each other line is one thing that she did. What is empty, false or 0 is left out.

    {"kind": "answer", "lesson": "shared_memory", "name": "torn", "answer": "9:59", "when": "2025-03-01T10:00:00+00:00"}
    {"kind": "verdict", "lesson": "shared_memory", "name": "torn", "answer": "10:59", "right": true, "when": ...}
    {"kind": "exercise", "lesson": "shared_memory", "name": "till", "answer": "wrong",
     "mistake": the words for a usual one, "when": ...}
    {"kind": "duration", "lesson": "round_trips", "name": "Pipe, 100 bytes", "value": 2.5e-05, "when": ...}
    {"kind": "share", "lesson": "races", "name": "4 workers", "count": 3, "runs": 40, "when": ...}

An answer is what somebody committed to, a verdict the same when she was told what happened. `lesson` is the experiment
of a measurement; a duration is in seconds. A last line without an end is still being written.
"""

import json
import platform
from dataclasses import asdict, dataclass
from typing import Any

from helpers import validate
from helpers.measuring import machine

FORMAT = "talking-processes class"
VERSION = 1
DONE = ("answer", "verdict", "exercise")
MEASURED = ("duration", "share")
LONGEST_NAME = 30  # characters of a nickname
MOST = 10**12


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that somebody did, or measured.

    Raises TypeError or ValueError for what is none of these, or a share with more hits than runs.
    """

    kind: str  # one of DONE or MEASURED
    lesson: str
    name: str  # the key of a question, an exercise, or what was measured
    when: str  # ISO 8601, in UTC
    answer: str = ""  # the key of an answer or a number, or the kind of a verdict on an exercise
    right: bool = False
    mistake: str = ""  # the words for a usual mistake
    value: float = 0.0  # s, of a duration
    count: int = 0  # of a share: in so many of the runs
    runs: int = 0

    def __post_init__(self) -> None:
        validate.one_of("kind", self.kind, (*DONE, *MEASURED))
        for name in ("lesson", "answer", "mistake"):
            validate.text(name, getattr(self, name), may_be_empty=True)
        validate.text("name", self.name)
        validate.text("when", self.when)
        validate.flag("right", self.right)
        validate.number("value", self.value, 0, MOST, "s")
        validate.whole_number("runs", self.runs, 0, MOST)
        validate.whole_number("count", self.count, 0, self.runs)
        if self.kind == "share" and not self.runs:
            validate.refuse(ValueError, "runs", "1 or more for a share", self.runs)

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value}, ensure_ascii=False)


def head(nickname: str, key: str) -> str:
    """Return the first line of a file; raises TypeError or ValueError for what is no nickname or no key."""
    facts = {
        "system": platform.system(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "processors": machine.processors(),
    }
    given = {"format": FORMAT, "version": VERSION, "nickname": nickname_of(nickname), "key": key_of(key)}
    return json.dumps({**given, "machine": facts}, ensure_ascii=False)


def nickname_of(name: Any) -> str:
    """Check for a nickname: letters, digits, blanks and hyphens, so that it may be part of a file's name."""
    allowed = f"1 to {LONGEST_NAME} letters, digits, blanks or hyphens, and begin with a letter"
    plain = validate.text("nickname", name).replace(" ", "").replace("-", "")
    if not plain.isalnum() or not name[0].isalpha() or name != name.strip() or len(name) > LONGEST_NAME:
        validate.refuse(ValueError, "nickname", allowed, name)
    return name


def key_of(key: Any) -> str:
    """Check for the key that tells two people of one nickname apart: eight digits, base 16."""
    if len(validate.text("key", key)) != 8 or set(key) - set("0123456789abcdef"):
        validate.refuse(ValueError, "key", "eight digits of 0 to f", key)
    return key
