"""The desk of an exercise: buttons for what its cells can do too, the verdict in words, the story and the lanes."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import traitlets
from IPython import get_ipython
from IPython.display import Markdown

from helpers import progress
from helpers.classroom.sharing import tell
from helpers.exercises.form import court, modules
from helpers.exercises.form.exercise import Exercise
from helpers.exercises.form.finding import Finding, Kind
from helpers.show.figures.lanes import lanes
from helpers.show.listing import FIXED_WIDTH
from helpers.show.theme import Picture
from helpers.show.widgets.frontend import Client, client
from helpers.show.widgets.live import BASE, Live, module
from helpers.show.widgets.predict import html_of

_FOLDER = Path(__file__).parent
_HEADS = {
    Kind.NOT_ATTEMPTED: "Not attempted yet.",
    Kind.RIGHT: "✔ Right.",
    Kind.WRONG: "✘ Wrong.",
    Kind.CRASHED: "✘ It crashes.",
    Kind.HANGS: "✘ It hangs.",
    Kind.LEAKS: "✘ It leaves something behind.",
    Kind.SLOW: "✔ Right, but slow.",
    Kind.UNKNOWN: "This cannot be judged.",
}
_NO_SOLUTION = "This edition comes without solutions. Ask for a hint, or ask your teacher."
_BUTTONS = "Change the cell above, run it, then press Check."


@dataclass(frozen=True)
class Verdict:
    """What a check came to, to be shown in a cell: words, the story step by step, and lanes."""

    exercise: Exercise
    finding: Finding
    said: str  # words for a usual mistake, or one thing to notice

    @property
    def kind(self) -> Kind:
        """Right, wrong, or another of the verdicts."""
        return self.finding.kind

    @cached_property
    def words(self) -> str:
        """The verdict in words, without the story."""
        return "\n".join(filter(None, (_HEADS[self.kind], self.said, self.finding.words)))

    @cached_property
    def picture(self) -> Picture | None:
        """The lanes of the learner's own program, if it came to run."""
        return lanes(self.finding.trace) if self.finding.trace and self.finding.trace.events else None

    def __str__(self) -> str:
        return "\n".join(filter(None, (self.words, self.finding.story)))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<p style='white-space: pre-wrap'>{html_of(self.words)}</p>{self.details()}"

    def details(self) -> str:
        """Return story and lanes as HTML."""
        story = f"<pre style='{FIXED_WIDTH}'>{escape(self.finding.story)}</pre>" if self.finding.story else ""
        return f"{story}{self.picture.html() if self.picture else ''}"


class Desk(Live):
    """The buttons of one exercise, and what came of the last one."""

    _esm = module(_FOLDER / "desk.js")
    _css = BASE + (_FOLDER / "desk.css").read_text("utf-8")
    title = traitlets.Unicode().tag(sync=True)
    stage = traitlets.Unicode().tag(sync=True)  # how far a check has come
    shown = traitlets.Dict().tag(sync=True)  # number of the answer, its words, what stands below as HTML

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self._hints = 0
        self._asked_for_solution = False
        self._is_solved = False
        self._executed: str | None = None  # her program, where the notebook is executed and nobody sits behind it
        self._number = 0
        super().__init__(title=f"Exercise {exercise.name}: {exercise.kind}")
        self._show(_BUTTONS)

    def keep_module(self, text: str) -> None:
        """Take what the learner has written in her cell; a runner, behind which nobody sits, writes nothing."""
        self._executed = text if client() is Client.RUNNER else None
        self._show(_BUTTONS if self._executed is not None else f"{modules.write(self.exercise, text)} {_BUTTONS}")

    def check(self) -> Verdict:
        """Judge what stands in her workbook, note how it went, and return the verdict.

        Where the notebook is executed, what stands in its cell is judged, and nothing is noted.
        """
        text = modules.text_of(self.exercise) if self._executed is None else self._executed
        try:
            finding = court.judged(self.exercise, text, self._tell)
        finally:
            self.stage = ""
        verdict = Verdict(self.exercise, finding, self._said(text, finding))
        if finding.kind not in (Kind.NOT_ATTEMPTED, Kind.UNKNOWN):
            self._is_solved = self._is_solved or finding.kind is Kind.RIGHT
            if self._executed is None:
                self._note(verdict)
        self._show(verdict.words, verdict.details())
        return verdict

    def hint(self) -> Markdown:
        """Return the hints that were given so far, and one more."""
        self._hints = min(self._hints + 1, len(self.exercise.hints))
        given = self.exercise.hints[: self._hints]
        words = "\n".join(
            f"Hint {number} of {len(self.exercise.hints)}: {hint}" for number, hint in enumerate(given, 1)
        )
        self._show(words)
        return Markdown(words.replace("\n", "\n\n"))

    def solution(self) -> Markdown:
        """Return a program that is right, if hers is or she insists, and if this edition has one."""
        if not self.exercise.has_solution:
            self._show(_NO_SOLUTION)
            return Markdown(_NO_SOLUTION)
        if not (self._is_solved or self._asked_for_solution):
            self._asked_for_solution = True
            words = "You have not solved it yet. Ask once more to see a solution all the same."
            self._show(words)
            return Markdown(words)
        self._show("One program that is right; there may be others.", _code(self.exercise.reference))
        return Markdown(f"```python\n{self.exercise.reference}```")

    def reset(self) -> Markdown:
        """Begin anew, and return what says so."""
        words = modules.begin_anew(self.exercise)
        self._hints, self._asked_for_solution = 0, False
        self._show(f"{words} This is where you began:", _code(self.exercise.skeleton))
        if shell := get_ipython():
            shell.set_next_input(f"%%mine {self.exercise.name}\n{self.exercise.skeleton.rstrip()}", replace=False)
        return Markdown(words)

    def perform(self, task: str, content: dict[str, Any]) -> None:
        """Do what one of the buttons says."""
        if task in ("check", "hint", "solution", "reset"):
            getattr(self, task)()

    def page(self) -> str:
        """Return the last answer as HTML."""
        return (
            f"<p><b>{escape(self.title)}</b></p><p style='white-space: pre-wrap'>{self.shown['words']}</p>"
            f"{self.shown['html']}"
        )

    def words(self) -> str:
        """Return the last answer in words."""
        return f"{self.title}. {self._words}"

    def _said(self, text: str, finding: Finding) -> str:
        if finding.kind is Kind.RIGHT:
            return self.exercise.notice
        if finding.kind is Kind.NOT_ATTEMPTED:
            return ""  # a skeleton may look like a mistake, and is none yet
        mistake = self.exercise.recognised(text, finding.kind)
        return mistake.words if mistake else ""

    def _note(self, verdict: Verdict) -> None:
        exercise, said, is_right = self.exercise, str(verdict.kind), verdict.kind is Kind.RIGHT
        # the verdict is told where nothing can be noted, too
        with suppress(OSError):
            progress.note(exercise.lesson, "exercise", exercise.name, said, is_right)
        tell("exercise", exercise.lesson, exercise.name, said, is_right, "" if is_right else verdict.said)

    def _tell(self, stage: str) -> None:
        self.stage = stage

    def _show(self, words: str, html: str = "") -> None:
        self._number += 1
        self._words = words
        self.shown = {"number": self._number, "words": html_of(words), "html": html}
        self.keep()


def of(exercise: Exercise) -> Desk:
    """Return the desk of an exercise, the same one each time."""
    if exercise.name not in _desks or _desks[exercise.name].exercise is not exercise:
        _desks[exercise.name] = Desk(exercise)
    return _desks[exercise.name]


_desks: dict[str, Desk] = {}


def _code(text: str) -> str:
    return f"<pre style='{FIXED_WIDTH}'><code>{escape(text)}</code></pre>"
