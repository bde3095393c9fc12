"""Share what one does with a class, under a nickname: off unless chosen, all of it can be seen, and be taken back.

Her own file in the workbook is the truth. Where the environment variable TALKING_PROCESSES_CLASS names a folder, what
is there follows it: what is missing is added, and what is not hers is written anew. So a share that was full or away
for a while has everything at the next word.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from helpers import progress, validate, workbook
from helpers.atomic_write import write_atomically
from helpers.classroom.lines import MEASURED, Line, head, key_of, nickname_of
from helpers.words import plural

FOLDER = "TALKING_PROCESSES_CLASS"  # of the environment
NOTED = {"prediction": "verdict", "exercise": "exercise"}  # the kind of a line by that of an entry of progress
CHOICE = "class.json"  # in the workbook: nickname, key, and whether measurements are shared


class _Member(NamedTuple):
    nickname: str
    key: str
    measurements: bool

    @property
    def file(self) -> str:
        return f"{self.nickname}-{self.key}.jsonl"


def join(nickname: str, measurements: bool = False) -> str:
    """Share from now on what is answered and checked, and, if wished, what is measured; return what was chosen.

    Raises TypeError or ValueError for what is no nickname, and OSError where the workbook cannot be written.
    """
    nickname_of(nickname)
    validate.flag("measurements", measurements)
    if before := _member():
        return f"You are {before.nickname} already. To choose anew, leave first: python -m helpers class leave"
    member = _Member(nickname, secrets.token_hex(4), measurements)
    workbook.write(CHOICE, json.dumps(member._asdict()))
    workbook.append(member.file, head(member.nickname, member.key))
    with suppress(OSError):
        published()
    return status()


def leave() -> str:
    """Take back all that was shared, and share nothing more; return what is gone.

    Raises OSError where the folder of the class cannot be written: then you are still a member, to try once more.
    """
    member = _member()
    if member is None:
        return "You share nothing."
    places = [place / member.file for place in (_folder(), workbook.WORKBOOK) if place]
    for place in places:
        place.unlink(missing_ok=True)
    (workbook.WORKBOOK / CHOICE).unlink()
    return "\n".join(["You share nothing any more. Gone is:", *map(str, places)])


def share(nickname: str = "") -> Path:
    """Return one file to be sent, with all that was predicted and solved so far.

    Who has not joined chooses a nickname with it. Raises ValueError where one is missing, and OSError where the
    workbook cannot be written.
    """
    if nickname != "" or _member() is None:
        # nothing happens to who has joined already
        join(nickname)
    member = _member()
    assert member is not None
    path = workbook.WORKBOOK / member.file
    there = set(path.read_text(encoding="utf-8").splitlines())
    # an answer is shared when it is given, and a review is hers alone
    for entry in (each for each in progress.read().entries if each.kind in NOTED):
        line = Line(kind=NOTED[entry.kind], lesson=entry.lesson, name=entry.name, answer=entry.answer,
                    right=entry.right, when=entry.when)  # fmt: skip
        # what was shared when it happened says more: the words for a mistake
        if not any(_is_same(line, each) for each in there):
            workbook.append(member.file, str(line))
    return path


def tell(kind: str, lesson: str, name: str, answer: str = "", right: bool = False, mistake: str = "",
         value: float = 0.0, count: int = 0, runs: int = 0) -> None:  # fmt: skip
    """Add a line to what is shared, if that was chosen. A lesson goes on where nothing can be written.

    Raises TypeError or ValueError for what is no `Line`.
    """
    line = Line(kind=kind, lesson=lesson, name=name, answer=answer, right=right, mistake=mistake, value=value,
                count=count, runs=runs, when=progress.now())  # fmt: skip
    member = _member()
    if member and (member.measurements or kind not in MEASURED):
        with suppress(OSError):
            workbook.append(member.file, str(line))
            published()


def published() -> Path | None:
    """Let the file in the folder of the class be as the own one, and return it; None where there is none to be.

    Raises OSError where the folder cannot be written.
    """
    member, folder = _member(), _folder()
    if member is None or folder is None:
        return None
    own, target = (workbook.WORKBOOK / member.file).read_bytes(), folder / member.file
    there = target.read_bytes() if target.exists() else b""
    if there and own.startswith(there):
        with target.open("ab") as file:
            file.write(own[len(there) :])
    else:
        write_atomically(target, own)
    return target


def status() -> str:
    """Return who you are in the class, what is shared, and where: every line of it."""
    member = _member()
    if member is None:
        return "You share nothing. To share answers and results with a class: python -m helpers class join NICKNAME"
    path = workbook.WORKBOOK / member.file
    written = path.read_text(encoding="utf-8").splitlines()
    measured = "and measurements too" if member.measurements else "and no measurements"
    said = [
        f"You are {member.nickname}. {plural(len(written) - 1, 'line')} of answers and results, {measured}:",
        *written,
    ]
    return "\n".join([*said, f"This is {path}", _where(), "To take it all back: python -m helpers class leave"])


def _where() -> str:
    try:
        place = published()
    except OSError as error:
        return f"The folder of the class cannot be written ({error.strerror or error}): the lines wait here."
    return (
        f"The class sees it as {place}" if place else f"Nobody else sees it: {FOLDER} names no folder. Send the file."
    )


def _member() -> _Member | None:
    """Return what was chosen; None where nothing was, or where that cannot be read."""
    try:
        chosen = json.loads((workbook.WORKBOOK / CHOICE).read_bytes())
        member = _Member(nickname_of(chosen["nickname"]), key_of(chosen["key"]), chosen["measurements"] is True)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # who removes her file by hand has left, too
    return member if (workbook.WORKBOOK / member.file).exists() else None


def _folder() -> Path | None:
    named = os.environ.get(FOLDER)
    return Path(named) if named else None


def _is_same(line: Line, text: str) -> bool:
    """Tell whether a line says that the same was done with the same result."""
    with suppress(ValueError, AttributeError):
        other = json.loads(text)
        return all(other.get(name, "") == getattr(line, name) for name in ("kind", "lesson", "name", "answer"))
    return False
