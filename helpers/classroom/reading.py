"""What a class did, read from a folder with one file a person; what cannot be read gets one clear sentence.

Files are read while they are being written: a last line without an end is left for the next look. Nothing is ever
unpickled or run.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from helpers import validate
from helpers.classroom.lines import FORMAT, MEASURED, VERSION, Line, key_of, nickname_of
from helpers.words import plural

LARGEST = 5_000_000  # bytes of one file
MOST_FILES = 1_000


@dataclass(frozen=True)
class Person:
    """One of the class, and what she did, in its order."""

    nickname: str
    key: str
    machine: Mapping[str, Any]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Vote:
    """How many chose which answer to a question: at first, and last before they were told what happened."""

    lesson: str
    name: str
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True)
class Standing:
    """How the class stands with one exercise."""

    lesson: str
    name: str
    solved: int
    tried: int  # of these the last try of some was not right
    mistake: str = ""  # the usual mistake that most of these made last, in its words
    made_by: int = 0

    @property
    def stuck(self) -> int:
        """How many tried, and have not solved it."""
        return self.tried - self.solved


@dataclass(frozen=True)
class Classroom:
    """All that could be read, and a sentence for each file that is damaged or twice there."""

    people: tuple[Person, ...]
    problems: tuple[str, ...]

    @cached_property
    def votes(self) -> tuple[Vote, ...]:
        """The questions that were answered, in the order in which the first answers came."""
        votes = []
        for question in self._asked():
            given = list(filter(None, (_answers(person, question) for person in self.people)))
            first, last = (Counter(answers[place] for answers in given) for place in (0, -1))
            votes.append(Vote(*question, first, last))
        return tuple(votes)

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """The exercises that were tried; first those at which most are stuck."""
        last: dict[tuple[str, str], dict[str, Line]] = {}
        for person in self.people:
            for line in person.lines:
                if line.kind == "exercise":
                    tries = last.setdefault((line.lesson, line.name), {})
                    # who solved it once has solved it
                    if not (person.key in tries and tries[person.key].right):
                        tries[person.key] = line
        standings = []
        for (lesson, name), tries in last.items():
            solved_by = sum(line.right for line in tries.values())
            mistakes = Counter(line.mistake for line in tries.values() if line.mistake and not line.right)
            usual = mistakes.most_common(1)[0] if mistakes else ("", 0)
            standings.append(Standing(lesson, name, solved_by, len(tries), *usual))
        return tuple(sorted(standings, key=lambda each: -each.stuck))

    @cached_property
    def measured(self) -> Mapping[str, Mapping[str, Line]]:
        """What was measured, by its name; for each the last line of each person, by nickname."""
        found: dict[str, dict[str, Line]] = {}
        for name, person in self.by_name.items():
            for line in person.lines:
                if line.kind in MEASURED:
                    found.setdefault(f"{line.lesson}: {line.name}", {})[name] = line
        return found

    @property
    def by_name(self) -> Mapping[str, Person]:
        """The people by nicknames that are told apart: Ada, Ada 2."""
        met: Counter[str] = Counter()
        named = {}
        for person in self.people:
            met[person.nickname] += 1
            count = met[person.nickname]
            named[person.nickname if count == 1 else f"{person.nickname} {count}"] = person
        return named

    def _asked(self) -> list[tuple[str, str]]:
        answers = [line for person in self.people for line in person.lines if line.kind in ("answer", "verdict")]
        return list(dict.fromkeys((line.lesson, line.name) for line in sorted(answers, key=lambda line: line.when)))


def read_class(folder: str | os.PathLike[str]) -> Classroom:
    """Return what the files in a folder say.

    Raises TypeError or ValueError for what is no path, and NotADirectoryError where there is no such folder.
    """
    place = Path(validate.path("folder", folder))
    if not place.is_dir():
        raise NotADirectoryError(f"There is no folder {place}. Name the one into which the files of the class come.")
    people: dict[str, tuple[Path, Person]] = {}
    problems: list[str] = []
    for path in sorted(place.glob("*.jsonl"))[:MOST_FILES]:
        try:
            person, said = _read(path)
        except _Unusable as error:
            problems.append(f"{path.name} {error}")
            continue
        problems += said
        if person.key in people:
            first, other = people[person.key]
            problems.append(
                f"{path.name} is {other.nickname} once more, as {first.name}: the one with more lines counts."
            )
            if len(other.lines) >= len(person.lines):
                continue
        people[person.key] = path, person
    return Classroom(tuple(person for _, person in people.values()), tuple(problems))


class _Unusable(ValueError):
    """A file holds nothing of a class; the message goes on after its name."""


def _read(path: Path) -> tuple[Person, list[str]]:
    """Return whose file it is, and what is to be said about it."""
    try:
        if path.stat().st_size > LARGEST:
            raise _Unusable(f"is too large to be a file of a class: more than {LARGEST:,} bytes.")
        content = path.read_bytes()
    except OSError as error:
        raise _Unusable(f"cannot be read: {error.strerror or error}.") from None
    first, *others = content.split(b"\n")
    nickname, key, machine = _head(first)
    # what stands behind the last end of a line is still being written
    lines = [_line(line) for line in others[:-1] if line.strip()]
    good = tuple(line for line in lines if line)
    lost = len(lines) - len(good)
    said = f"{path.name} is damaged: {lost} of {plural(len(lines), 'line')} cannot be read, the others count."
    return Person(nickname, key, machine, good), [said] if lost else []


def _head(line: bytes) -> tuple[str, str, Mapping[str, Any]]:
    if not line.strip():
        raise _Unusable("is empty: ask for it once more.")
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        raise _Unusable(
            "is damaged, or holds something else: its first line is no JSON. Ask for it once more."
        ) from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _Unusable(f"holds something else: its first line does not say that it is {FORMAT}.")
    version = head.get("version")
    if isinstance(version, int) and version > VERSION:
        raise _Unusable(f"was written by a newer Talking Processes, in version {version} of its format. Update first.")
    if version != VERSION:
        raise _Unusable(f"is damaged: its format has the version {validate.shown(version)}.")
    try:
        machine = head.get("machine", {})
        return nickname_of(head.get("nickname")), key_of(head.get("key")), machine if isinstance(machine, dict) else {}
    except (TypeError, ValueError) as error:
        raise _Unusable(f"is damaged: {error}.") from None


def _line(text: bytes) -> Line | None:
    try:
        return Line(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None


def _answers(person: Person, question: tuple[str, str]) -> list[str]:
    """Return what somebody answered before she was told what happened, in its order."""
    asked = [line for line in person.lines if (line.lesson, line.name) == question]
    open_ones = [line.answer for line in takewhile(lambda line: line.kind == "answer", asked)]
    # who sent her file has only what she was told
    return open_ones or [line.answer for line in asked[:1]]
