"""An exercise as one declaration that reads like a page: task, source, hints, usual mistakes and checks.

The source is written once. Three lines mark what is whose:

    def deposit(account, amount):
        # yours
        account.value += amount
        # solution
        with account.get_lock():
            account.value += amount
    # given
    def program():
        ...

The skeleton is the source without the part `solution`, the reference the one without the part `yours`. What follows
`given` is the learner's to read and to run, and each check brings its own copy of it.

In an edition for students the part `solution` is empty, or one line that is sealed, where a check needs the reference.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from helpers import validate
from helpers.exercises.form.checks import Check
from helpers.exercises.form.finding import Kind
from helpers.exercises.form.sealed import MARK, unseal

if TYPE_CHECKING:
    from IPython.display import Markdown

    from helpers.exercises.form.desk import Desk, Verdict

KINDS = ("repair it", "break it", "build it", "choose it", "explain it")
GIVEN = "# Given: the check brings its own copy of what follows."
_MARKS = ("# yours", "# solution", "# given")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Mistake:
    """A repair that is none, as people usually write it, with words of its own.

    It is recognised by its `sign`, a regular expression that matches the learner's part without comments and as
    `ast.unparse` writes it, and by the kind of verdict, where one is named.
    """

    words: str
    source: str  # what stands in place of the part that is the learner's
    sign: str = ""
    kind: Kind | None = None

    def __post_init__(self) -> None:
        validate.text("words", self.words)
        validate.text("source", self.source)
        validate.text("sign", self.sign, may_be_empty=True)
        if self.kind is not None:
            validate.instance("kind", self.kind, Kind, "a kind of verdict, such as Kind.HANGS")


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise:
    """One exercise; `check`, `hint`, `solution` and `reset` are what a learner calls.

    Raises TypeError or ValueError for a name that is no module's, for a kind that is none of `KINDS`, for a source
    without its three marks, and for no hint or no check.
    """

    name: str  # also of the learner's module
    kind: str
    task: str
    source: str
    hints: Sequence[str]
    checks: Sequence[Check]
    mistakes: Sequence[Mistake] = ()
    notice: str = ""  # one thing to notice about a program that is right
    lesson: str = ""  # such as "pipe"; where it counts

    def __post_init__(self) -> None:
        validate.text("name", self.name)
        if not _NAME.fullmatch(self.name):
            validate.refuse(ValueError, "name", "a module's name of small letters, such as till", self.name)
        validate.one_of("kind", self.kind, KINDS)
        validate.text("task", self.task)
        validate.text("source", self.source)
        found = [line.strip() for line in self.source.splitlines() if line.strip() in _MARKS]
        if found != list(_MARKS):
            allowed = f"a program with the lines {', '.join(_MARKS)}, each once and in this order"
            validate.refuse(ValueError, "source", allowed, self.source)
        validate.texts("hints", self.hints, "hints, each a text")
        _validate_each("checks", self.checks, Check, "checks, such as Always('program', 5)", least=1)
        _validate_each("mistakes", self.mistakes, Mistake, "usual mistakes", least=0)
        validate.text("notice", self.notice, may_be_empty=True)
        validate.text("lesson", self.lesson, may_be_empty=True)
        _known[self.name] = self

    @cached_property
    def skeleton(self) -> str:
        """What the learner is given."""
        return self.with_part(self._parts[1])

    @cached_property
    def reference(self) -> str:
        """The program as it should be; there may be others. Without its solution in an edition that has none."""
        part = self.solution_part
        return self.with_part(unseal(part.strip().removeprefix(MARK)) if part.startswith(MARK) else part)

    @property
    def solution_part(self) -> str:
        """What the source has as solution, as it stands there."""
        return self._parts[2]

    @property
    def has_solution(self) -> bool:
        """Whether the solution may be shown: it is there, and not sealed."""
        return bool(self.solution_part) and not self.solution_part.startswith(MARK)

    def with_part(self, part: str) -> str:
        """Return the source with the learner's part as given here."""
        head, _, _, given = self._parts
        return f"{head}{_ended(part)}{_AFTER if given else ''}{given}".lstrip("\n")

    def own_part(self, text: str) -> str:
        """Return what the learner wrote, without what was given."""
        return text.partition(GIVEN)[0]

    def judged(self, text: str) -> str:
        """Return the learner's program with a fresh copy of what is given, whatever became of hers."""
        given = self._parts[3]
        return f"{_ended(self.own_part(text).rstrip())}{_AFTER if given else ''}{given}"

    def is_untouched(self, text: str) -> bool:
        """Tell whether a text is the skeleton still, whatever became of comments and blanks."""
        try:
            return _plain(self.own_part(text)) == _plain(self.own_part(self.skeleton))
        except SyntaxError:
            return False

    def recognised(self, text: str, kind: Kind) -> Mistake | None:
        """Return the first usual mistake whose sign the learner's part carries, when it failed in this way."""
        try:
            plain = ast.unparse(ast.parse(self.own_part(text)))
        except SyntaxError:
            return None
        fitting = (each for each in self.mistakes if each.kind in (None, kind))
        return next((each for each in fitting if re.search(each.sign, plain, re.DOTALL | re.MULTILINE)), None)

    @cached_property
    def _parts(self) -> tuple[str, str, str, str]:
        """The source cut at its marks: what stands above, the skeleton's part, the solution's, and what is given."""
        parts: list[list[str]] = [[]]
        for line in self.source.strip("\n").splitlines(keepends=True):
            if line.strip() in _MARKS:
                parts.append([])
            else:
                parts[-1].append(line)
        head, yours, solution, given = ("".join(part) for part in parts)
        return head, yours, solution, _ended(given.strip("\n")) if given.strip() else ""

    # -- what a learner calls ----------------------------------------------------------------------------------------

    def check(self) -> "Verdict":
        """Judge what stands in your workbook under this name."""
        return self._desk.check()

    def hint(self) -> "Markdown":
        """Say a little more each time."""
        return self._desk.hint()

    def solution(self) -> "Markdown":
        """Show a program that is right: once yours is, or when you ask a second time."""
        return self._desk.solution()

    def reset(self) -> "Markdown":
        """Begin anew; what you had is kept beside it."""
        return self._desk.reset()

    @property
    def _desk(self) -> "Desk":
        # what is heavy to load, and the process that judges does without
        from helpers.exercises.form import desk

        return desk.of(self)


def named(name: str) -> Exercise:
    """Return the exercise of that name; raises ValueError where there is none in what has been imported."""
    return _known[validate.one_of("name", name, _known)]


def all_known() -> list[Exercise]:
    """Return every exercise that has been imported, in the order of their declarations."""
    return list(_known.values())


_known: dict[str, Exercise] = {}
_AFTER = f"\n\n{GIVEN}\n"


def _validate_each(name: str, value: Sequence[object], kind: type, allowed: str, least: int) -> None:
    for number, each in enumerate(validate.sequence(name, value, allowed, least)):
        validate.instance(f"{name}[{number}]", each, kind, f"one of the {allowed}")


def _ended(text: str) -> str:
    return text.rstrip() + "\n" if text.strip() else ""


def _plain(text: str) -> str:
    return ast.dump(ast.parse(text))
