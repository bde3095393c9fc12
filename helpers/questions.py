"""What a lesson asks before it shows: questions, answers and reasons, kept beside the workers, not in the cells."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


def _as_measured(measured: Any) -> Any:
    return measured


class Question(NamedTuple):
    """A question that a learner answers before a cell settles it.

    `answers` maps keys, by which answers are remembered, to the words that she reads. It is empty where the answer is a
    number, which has a `unit`. `because` says why: one text that holds whatever comes out, or one for each key that can
    come out. `judge` takes what a cell has measured and returns the key of the answer that it proves, or the number.
    """

    asks: str
    because: str | Mapping[str, str]
    answers: Mapping[str, str] = {}
    unit: str = ""
    judge: Callable[[Any], str | float] = _as_measured
