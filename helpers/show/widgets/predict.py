"""Predictions: a learner commits to an answer before a cell shows what happens, then reads how it compares.

The question knows no right answer, so it can reveal none; the verdict is told what this machine has just done.
"""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import traitlets
from IPython.display import Markdown

from helpers import validate
from helpers.show.widgets.live import BASE, Live, module
from helpers.words import rounded

LARGEST = 1e15  # number that is told
CLOSE = 2.0  # a number within this factor of what happened counts as right
_FOLDER = Path(__file__).parent


class Prediction(Live):
    """A question that the learner answers before the cell that settles it.

    `answer` is what the learner committed to: one of the answers, a number, or None. On a page without a kernel the
    question, its answers and the learner's own show as text.
    """

    _esm = module(_FOLDER / "predict.js")
    _css = BASE + (_FOLDER / "predict.css").read_text("utf-8")
    question = traitlets.Unicode().tag(sync=True)
    answers: traitlets.List[str] = traitlets.List().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    largest = traitlets.Float(LARGEST).tag(sync=True)
    answered = traitlets.Unicode(None, allow_none=True).tag(sync=True)  # what the learner committed to, as text
    settled = traitlets.Bool(False).tag(sync=True)  # whether the verdict has been told
    compared = traitlets.Bool(False).tag(sync=True)  # whether it was compared with an answer

    def __init__(self, question: str, answers: Sequence[str] = (), unit: str = "") -> None:
        super().__init__(question=question, answers=list(answers), unit=unit)

    @property
    def answer(self) -> str | float | None:
        """What the learner committed to, if anything."""
        if self.answered is None or self.answers:
            return self.answered
        return float(self.answered)

    def page(self) -> str:
        """Return question, answers and the learner's own as HTML."""
        answers = "".join(f"<li>{_html(answer)}</li>" for answer in self.answers) or f"<li>{escape(self._number)}</li>"
        said = f"Your answer: {_html(self._said())}." if self.answered is not None else "Run this cell to answer."
        return f"<p><b>Predict.</b> {_html(self.question)}</p><ul>{answers}</ul><p><i>{said}</i></p>"

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

    def verdict(self, happened: str | float, because: str) -> Markdown:
        """Return what happened and why, compared with the learner's answer if there is one.

        Raises TypeError or ValueError when `happened` is not one of the answers that were offered, or no number where
        a number was asked for.
        """
        if self.answers:
            validate.one_of("happened", happened, self.answers)
        else:
            validate.number("happened", happened, -LARGEST, LARGEST, self.unit)
        validate.text("because", because, may_be_empty=True)
        self.settled, self.compared = True, self.answer is not None
        self.keep()
        shown = happened if isinstance(happened, str) else f"{rounded(happened)} {self.unit}"
        return Markdown(f"{self._comparison(happened)}**What happened: {shown}.** {because}")

    def _comparison(self, happened: str | float) -> str:
        if self.answer is None:
            return ""
        right = self.answer == happened if self.answers else _is_close(float(self.answer), float(happened))
        return f"{'✔ You were right' if right else '✘ Not this time'}: you said {self._said()}. "


def predict(question: str, answers: Sequence[str] = (), unit: str = "") -> Prediction:
    """Ask a question with two to five answers, or (with a `unit`) one whose answer is a number.

    Raises TypeError for a question, answers or a unit that are not text, ValueError for a wrong number of answers, for
    two that are the same, and for neither answers nor a unit.
    """
    validate.text("question", question)
    validate.text("unit", unit, may_be_empty=True)
    allowed = "two to five different answers, or empty if the answer is a number with a unit"
    validate.texts("answers", answers, allowed, least=0 if unit else 2, most=5)
    if len(answers) == 1 or len(set(answers)) < len(answers):
        validate.refuse(ValueError, "answers", f"a list of {allowed}", answers)
    return Prediction(question, answers, unit)


def _html(text: str) -> str:
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))


def _is_close(answer: float, happened: float) -> bool:
    return happened / CLOSE <= answer <= happened * CLOSE
