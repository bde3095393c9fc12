"""A review: questions of the lessons that were answered wrong come back one by one, when their time has come."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import traitlets

from helpers import progress, validate
from helpers.lessons.review import WAITS, Item, plan
from helpers.questions import Question
from helpers.show.widgets.frontend import progress_shown
from helpers.show.widgets.live import BASE, Live, module
from helpers.show.widgets.predict import LARGEST, Prediction, answer_of, html_of, questions_of
from helpers.words import plural

NOTHING_YET = (
    "Nothing is to be asked again. A question that you answer wrong in a lesson comes back here, for the first time a "
    "day later."
)
_FOLDER = Path(__file__).parent


def _now() -> datetime:
    return datetime.now(UTC)


class Review(Live):
    """One question at a time, why it is asked, and after an answer what happened on the learner's machine, and why."""

    _esm = module(_FOLDER / "review.js")
    _css = BASE + (_FOLDER / "predict.css").read_text("utf-8")
    asked = traitlets.Dict().tag(sync=True)  # number, why, question, answers, unit
    largest = traitlets.Float(LARGEST).tag(sync=True)  # number that may be typed
    told = traitlets.Unicode("").tag(sync=True)  # what is said of the answer, as HTML

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        allowed = "a function that returns the moment with its time zone"
        moment = validate.function("clock", clock, allowed, 0)()
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            validate.refuse(TypeError, "clock", allowed, clock)
        self._clock = clock
        self._number = 0
        super().__init__()
        self._ask()

    def perform(self, task: str, content: dict[str, Any]) -> None:
        """Judge an answer, or go on to the next question."""
        if task == "answer" and self._prediction and not self.told:
            self._judge(content["answer"])
        elif task == "next" and self.told:
            self._ask()

    def page(self) -> str:
        """Return reason, question and verdict as HTML."""
        answers = self.asked["answers"] or ([f"a number, in {self.asked['unit']}"] if self._prediction else [])
        listed = f"<ul>{''.join(f'<li>{html_of(answer)}</li>' for answer in answers)}</ul>" if answers else ""
        question = f"<p><b>{html_of(self.asked['question'])}</b></p>" if self._prediction else ""
        return f"<p>{html_of(self.asked['why'])}</p>{question}{listed}<p>{self.told}</p>"

    def words(self) -> str:
        """Return the same in words."""
        return " ".join(filter(None, (self.asked["why"], self.asked["question"], *self.asked["answers"], self._said)))

    def _ask(self) -> None:
        now = self._clock()
        planned = plan(progress_shown(), now)
        due = [(item, prediction) for item in planned.due if (prediction := _prediction(item))]
        self._item: Item | None = due[0][0] if due else None
        self._prediction: Prediction | None = due[0][1] if due else None
        if self._item:
            why = f"{plural(len(due), 'question')} to ask. This one is {_reason(self._item, now)}."
        elif later := [item for item in planned.later if _prediction(item)]:
            when = f"{later[0].due:%Y-%m-%d at %H:%M} UTC"
            why = f"Nothing is to be asked now. The next one comes on {when}: {_box(later[0])}."
        else:
            why = NOTHING_YET
        asked = self._prediction.asked if self._prediction else Question("", "")
        self._number += 1
        self._said = self.told = ""
        self.asked = {
            "number": self._number,
            "why": why,
            "question": asked.asks,
            "answers": list(asked.answers.values()),
            "unit": asked.unit,
        }
        self.keep()

    def _judge(self, answer: str) -> None:
        prediction, item = self._prediction, self._item
        assert prediction and item
        prediction.answered = answer
        happened = answer_of(prediction.asked, item.happened)
        assert happened is not None
        self._said = prediction.verdict(happened).data.replace("**", "")
        right = prediction.is_right(happened)
        # it is told where nothing can be noted, too
        with suppress(OSError):
            progress.note(item.lesson, "review", item.name, str(prediction.answer), right, item.happened)
        box = item.box + 1 if right else 1
        last = f"It comes back in box {box}, after {plural(WAITS[box - 1], 'day')}." if box <= len(WAITS) else ""
        self._said = f"{self._said} {last or 'You know it: it does not come back.'}"
        self.told = html_of(self._said)


def review(clock: Callable[[], datetime] = _now) -> Review:
    """Ask again what was answered wrong in the lessons, one question after the other, as far as its time has come.

    `clock` returns the moment, with its time zone. Raises TypeError for what is no such function.
    """
    return Review(clock)


def _prediction(item: Item) -> Prediction | None:
    """Return the question of an item, judged by what happened then; None for one that is not there any more."""
    asked = questions_of(item.lesson).get(item.name)
    if asked is None or answer_of(asked, item.happened) is None:
        return None
    return Prediction(Question(asked.asks, asked.because, asked.answers, asked.unit))


def _reason(item: Item, now: datetime) -> str:
    days = (now - item.since).days
    return f"{_box(item)}, where it has been for {plural(days, 'day')}"


def _box(item: Item) -> str:
    return f"from lesson `{escape(item.lesson)}`, box {item.box} of {len(WAITS)}"
