"""Predictions: a learner commits to an answer before a cell shows what happens, then reads how it compares.

The page knows no right answer, so it can reveal none; the verdict is told what this machine has just done.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import traitlets
from IPython.display import Markdown

from helpers import progress, validate
from helpers.classroom.sharing import tell
from helpers.questions import Question
from helpers.show.widgets.frontend import has_cells, progress_shown
from helpers.show.widgets.live import BASE, Live, module
from helpers.words import rounded

LARGEST = 1e15  # number that is told
UNEXPECTED = "The lesson did not expect this. Run the cells again, and if it comes back, please tell us."
CLOSE = 2.0  # a number within this factor of what happened counts as right
_FOLDER = Path(__file__).parent


class Prediction(Live):
    """A question that the learner answers before the cell that settles it.

    `asked` is the question, and `answer` what the learner committed to: the key of an answer, a number, or None. It is
    noted under `lesson` and `name`, where these are given. `before` is what she answered when she was asked before, if
    she was, which she may change, and `compared` says whether a verdict has told her of it. On a page without a kernel
    the question, its answers and the learner's own show as text.
    """

    _esm = module(_FOLDER / "predict.js")
    _css = BASE + (_FOLDER / "predict.css").read_text("utf-8")
    question = traitlets.Unicode().tag(sync=True)
    answers: traitlets.List[str] = traitlets.List().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    largest = traitlets.Float(LARGEST).tag(sync=True)
    answered = traitlets.Unicode(None, allow_none=True).tag(sync=True)  # what the learner committed to, as text
    reopened = traitlets.Bool(False).tag(sync=True)  # whether the answer is one of before, and may be changed
    settled = traitlets.Bool(False).tag(sync=True)  # whether the verdict has been told
    has_cells = traitlets.Bool(True).tag(sync=True)  # which the learner can run
    compared = traitlets.Bool(False).tag(sync=True)  # whether it was compared with an answer

    def __init__(
        self,
        asked: Question,
        lesson: str = "",
        name: str = "",
        before: str | float | None = None,
        compared: bool = False,
    ) -> None:
        self.asked, self.lesson, self.name = asked, lesson, name
        self._noted = before
        super().__init__(
            question=asked.asks,
            answers=list(asked.answers.values()),
            unit=asked.unit,
            answered=None if before is None else _words_for(before, asked),
            reopened=before is not None,
            settled=compared,
            compared=compared,
            has_cells=has_cells(),
        )

    @property
    def answer(self) -> str | float | None:
        """What the learner committed to, if anything."""
        if self.answered is None:
            return None
        if not self.answers:
            return float(self.answered)
        return next(key for key, words in self.asked.answers.items() if words == self.answered)

    @traitlets.observe("answered")
    def _note_answer(self, _: object) -> None:
        if not self.lesson or self.answer in (None, self._noted):
            return
        self._noted, self.compared = self.answer, False
        # a lesson goes on where nothing can be noted
        with suppress(OSError):
            progress.note(self.lesson, "answer", self.name, str(self.answer), False)
        tell("answer", self.lesson, self.name, str(self.answer))

    def page(self) -> str:
        """Return question, answers and the learner's own as HTML."""
        answers = "".join(f"<li>{html_of(answer)}</li>" for answer in self.answers or [self._number])
        said = f"Your answer: {html_of(self._said())}." if self.answered is not None else "Run this cell to answer."
        return f"<p><b>Predict.</b> {html_of(self.question)}</p><ul>{answers}</ul><p><i>{said}</i></p>"

    def words(self) -> str:
        """Return the question and its answers as Markdown."""
        answers = "".join(f"\n- {answer}" for answer in self.answers) or f"\n- {self._number}"
        return f"**Predict.** {self.question}\n{answers}"

    def bundle(self) -> dict[str, str]:
        """Return what is shown without a kernel, by MIME type."""
        return {**super().bundle(), "text/markdown": self.words()}

    @property
    def _number(self) -> str:
        return f"a number, in {self.unit}"

    def _said(self) -> str:
        return str(self.answered) if self.answers else f"{self.answer:g} {self.unit}"

    def verdict(self, measured: Any) -> Markdown:
        """Return what happened and why, compared with the learner's answer, or folded if there is none.

        `measured` is what the question's `judge` takes. Raises TypeError or ValueError when what that makes of it is
        not the key of an answer, or no number where a number was asked for.
        """
        happened = self.asked.judge(measured)
        if self.answers:
            validate.one_of("measured", happened, list(self.asked.answers))
        else:
            validate.number("measured", happened, -LARGEST, LARGEST, self.unit)
        self.settled, self.compared, self.reopened = True, self.answer is not None, False
        self.keep()
        self._note_verdict(happened)
        told = f"**What happened: {self._told(happened)}.** {self._reason(happened)}"
        return Markdown(_folded(told) if self.answer is None else self._comparison(happened) + told)

    def _told(self, happened: str | float) -> str:
        return self.asked.answers[happened] if isinstance(happened, str) else f"{rounded(happened)} {self.unit}"

    def _reason(self, happened: str | float) -> str:
        because = self.asked.because
        return because if isinstance(because, str) else because.get(str(happened), UNEXPECTED)

    def _comparison(self, happened: str | float) -> str:
        return f"{'✔ You were right' if self.is_right(happened) else '✘ Not this time'}: you said {self._said()}. "

    def is_right(self, happened: str | float) -> bool:
        """Tell whether the answer is what happened, or a number that is close to it."""
        return self.answer == happened if self.answers else _is_close(float(self.answer or 0), float(happened))

    def _note_verdict(self, happened: str | float) -> None:
        if self.lesson and self.answer is not None:
            said, is_right = str(self.answer), self.is_right(happened)
            with suppress(OSError):
                progress.note(self.lesson, "prediction", self.name, said, is_right, str(happened))
            tell("verdict", self.lesson, self.name, said, is_right)


def question(lesson: ModuleType, key: str) -> Prediction:
    """Ask a question of a lesson: one of those in the dict `QUESTIONS` of its module.

    Who has answered it before finds her last answer there, and may change it: the first one that was judged counts.

    Raises TypeError for a module that has none, and for one that is no Question; ValueError for a key that none has,
    and for a question without words, or with a wrong number of answers.
    """
    bank = getattr(lesson, "QUESTIONS", None)
    if not isinstance(lesson, ModuleType) or not isinstance(bank, dict):
        validate.refuse(TypeError, "lesson", "a module with a dict QUESTIONS, such as helpers.lessons.pipe", lesson)
    validate.one_of("key", key, list(bank))
    asked = bank[key]
    if not isinstance(asked, Question):
        validate.refuse(TypeError, f"QUESTIONS[{key!r}]", "a Question", asked)
    name = lesson.__name__.rpartition(".")[2]
    return Prediction(_valid(asked), name, key, *_before(asked, name, key))


def _before(asked: Question, lesson: str, key: str) -> tuple[str | float | None, bool]:
    """Return the learner's last answer, and whether its verdict has been told."""
    # a page without cells may be open to many, who share one workbook
    last = progress_shown().last_answer(lesson, key) if has_cells() else None
    # the question may have other answers by now
    if last is None or (answer := answer_of(asked, last[0])) is None:
        return None, False
    return answer, last[1]


def _words_for(answer: str | float, asked: Question) -> str:
    """Return an answer as the page has it: the words that she chose, or what she typed."""
    return asked.answers[answer] if isinstance(answer, str) else str(answer).removesuffix(".0")


def answer_of(asked: Question, noted: str) -> str | float | None:
    """Return what was noted as the question has it, a key or a number; None where that is no answer to it."""
    if asked.answers:
        return noted if noted in asked.answers else None
    with suppress(ValueError):
        if abs(number := float(noted)) <= LARGEST:
            return number
    return None


def questions_of(lesson: str) -> Mapping[str, Question]:
    """Return what a lesson such as "pipe" asks, by key; nothing for one that is not there, or asks nothing of its own.

    Raises TypeError or ValueError for what is no text.
    """
    module = f"helpers.lessons.{validate.text('lesson', lesson, may_be_empty=True)}"
    # a name may come from a file that others wrote
    is_there = lesson.isidentifier() and find_spec(module) is not None
    return getattr(import_module(module), "QUESTIONS", {}) if is_there else {}


def _valid(asked: Question) -> Question:
    validate.text("asks", asked.asks)
    validate.text("unit", asked.unit, may_be_empty=True)
    validate.mapping("answers", asked.answers, "a dict of answers", least=0)
    words = list(asked.answers.values())
    allowed = "two to five different answers, or empty if the answer is a number with a unit"
    validate.texts("answers", words, allowed, least=0 if asked.unit else 2, most=5)
    if len(words) == 1 or len(set(words)) < len(words):
        validate.refuse(ValueError, "answers", f"a dict of {allowed}", asked.answers)
    return asked


def _folded(told: str) -> str:
    return f"<details><summary>What happened? Answer first, then open this.</summary>\n\n{told}\n\n</details>"


def html_of(text: str) -> str:
    """Return text as HTML, in which what stands between backticks is code, and between two stars bold."""
    code = re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([\w ]*\w)\*\*", r"<b>\1</b>", code)


def _is_close(answer: float, happened: float) -> bool:
    return happened / CLOSE <= answer <= happened * CLOSE
