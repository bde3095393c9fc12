"""Predictions: a learner commits to an answer before a cell shows what happens, then reads how it compares.

The question knows no right answer, so it can reveal none; the verdict is told what this machine has just done.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets
from IPython.display import Markdown

from helpers import validate
from helpers.words import rounded

LARGEST = 1e15  # number that is told
CLOSE = 2.0  # a number within this factor of what happened counts as right


class Prediction(ipywidgets.VBox):
    """A question that the learner answers before the cell that settles it.

    `answer` is what the learner committed to: one of the answers, a number, or None. On a page without a kernel the
    question and its answers show as text.
    """

    def __init__(self, question: str, answers: Sequence[str] = (), unit: str = "") -> None:
        self.question = question
        self.answers = tuple(answers)
        self.unit = unit
        self.answer: str | float | None = None
        self._choice = _radio_buttons(self.answers) if answers else ipywidgets.Text(placeholder=f"a number, in {unit}")
        self._commit = ipywidgets.Button(description="That is my answer", button_style="primary")
        self._said = ipywidgets.HTML()
        self._commit.on_click(self._take)
        asked = ipywidgets.HTML(f"<b>Predict.</b> {escape(question)}")
        super().__init__([asked, self._choice, self._commit, self._said])

    def _take(self, _: ipywidgets.Button) -> None:
        try:
            self.answer = self._choice.value if self.answers else _number(self._choice.value)
        except ValueError:
            self.answer = None
        if self.answer is None:
            self._said.value = "Choose an answer first." if self.answers else "Type a number first, such as 2.5."
            return
        self._choice.disabled = self._commit.disabled = True
        self._said.value = f"Your answer: <b>{escape(self._choice.value)} {self.unit}</b>. Now run the next cell."

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        choices = "".join(f"\n- {answer}" for answer in self.answers) or f"\n- a number, in {self.unit}"
        text = f"**Predict.** {self.question}\n{choices}"
        return {**super()._repr_mimebundle_(**kwargs), "text/markdown": text, "text/plain": text}

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
        shown = happened if isinstance(happened, str) else f"{rounded(happened)} {self.unit}"
        return Markdown(f"{self._comparison(happened)}**What happened: {shown}.** {because}")

    def _comparison(self, happened: str | float) -> str:
        if self.answer is None:
            return ""
        right = self.answer == happened if self.answers else _is_close(self.answer, happened)
        said = self.answer if self.answers else f"{self.answer:g} {self.unit}"
        return f"{'✔ You were right' if right else '✘ Not this time'}: you said {said}. "


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


def _radio_buttons(answers: Sequence[str]) -> ipywidgets.RadioButtons:
    # none is marked at first, so that none is suggested
    return ipywidgets.RadioButtons(options=answers, value=None, layout={"width": "max-content"})


def _number(said: str) -> float:
    return validate.number("your answer", float(said), -LARGEST, LARGEST)


def _is_close(answer: float, happened: float) -> bool:
    return happened / CLOSE <= answer <= happened * CLOSE
