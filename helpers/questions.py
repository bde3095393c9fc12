"""What a lesson asks before it shows, and what it tests: questions and claims, beside the workers, not in the cells."""

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


class Claim(NamedTuple):
    """A claim of others that a lesson puts to the test, in their words.

    `threshold` says in advance what must be measured, so that the claim counts as shown. `holds` takes what a cell has
    measured and tells whether that was so; if not, `otherwise` is said.
    """

    says: str
    threshold: str
    holds: Callable[[Any], bool]
    otherwise: str = "not shown here"

    def verdict(self, measured: Any) -> str:
        """Say whether what was measured shows the claim."""
        return f"The claim is {'shown here' if self.holds(measured) else self.otherwise}."
