"""What a learner takes home from a lesson: its mechanism as a picture, five lines of code, three warnings."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from helpers import validate

LINES = 5  # of code
WIDEST = 58  # characters of a line, so that four cards fit onto a printed page
WARNINGS = 3
GUARD = 'if __name__ == "__main__":'

Place = tuple[float, float]  # column and row, the first of each is 0
Arrow = tuple[str, str, str]  # from, to, label


class Card(NamedTuple):
    """One card. `processes` and `things` (memory, a lock, a stage) have a place each, `arrows` lead between them.

    The code may use `ctx`, what `imports` names, and prints `prints`.
    """

    title: str
    processes: Mapping[str, Place]
    things: Mapping[str, Place]
    arrows: Sequence[Arrow]
    code: str
    prints: str
    warnings: Sequence[str]
    imports: str = ""

    @property
    def above(self) -> list[str]:
        """The lines above the five in a file of one's own, which a child may read as well."""
        lines = ["from multiprocessing import get_context", *self.imports.splitlines(), 'ctx = get_context("spawn")']
        return lines if GUARD in self.code else [*lines, GUARD]

    @property
    def script(self) -> str:
        """The whole file, to be run as `python card.py`."""
        code = self.code if GUARD in self.code else textwrap.indent(self.code, "    ")
        return "\n".join([*self.above, code, ""])


def valid(card: Card) -> Card:
    """Return a card that can be drawn.

    Raises TypeError or ValueError for what is none, for a name without a place, an arrow from or to what has none, or
    another number of lines or warnings.
    """
    validate.instance("card", card, Card, "a Card")
    places = {**validate.mapping("processes", card.processes, "places by name", 0),
              **validate.mapping("things", card.things, "places by name", 0)}  # fmt: skip
    validate.texts("names", list(places), "names, two or more", 2)
    for number, arrow in enumerate(validate.sequence("arrows", card.arrows, "(from, to, label)")):
        first, second, _ = validate.texts(f"arrows[{number}]", arrow, "three texts: from, to, label", 3, 3)
        validate.one_of(f"arrows[{number}][0]", first, list(places))
        validate.one_of(f"arrows[{number}][1]", second, list(places))
    lines = validate.text("code", card.code).splitlines()
    validate.texts("code", lines, f"{LINES} lines of code", LINES, LINES)
    if max(map(len, lines)) > WIDEST:
        validate.refuse(ValueError, "code", f"at most {WIDEST} characters wide", max(lines, key=len))
    validate.texts("warnings", card.warnings, f"{WARNINGS} warnings", WARNINGS, WARNINGS)
    return card
