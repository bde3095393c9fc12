"""A card is drawn from the declaration beside a lesson: no label lies on another, and all of it is told in words."""

import types
from importlib import import_module
from pathlib import Path

import pytest

from helpers.lessons import pipe
from helpers.show import card
from tests.show.figures.overlaps import overlapping

LESSONS = [path.stem[3:] for path in sorted((Path(__file__).parents[3] / "notebooks").glob("*.ipynb"))]


@pytest.mark.parametrize("name", LESSONS)
def test_no_label_of_a_card_lies_on_another_one_or_leaves_the_picture(name):
    figure = card(import_module(f"helpers.lessons.{name}")).picture.figure
    assert overlapping(figure) == []


def test_a_card_is_told_in_words_too():
    told = repr(card(pipe))
    assert told.startswith("A pipe is a line between two processes. Round boxes: parent, child. Square boxes: pipe.")
    assert "parent to pipe: send()." in told
    assert pipe.CARD.code in told and all(f"⚠ {warning}" in told for warning in pipe.CARD.warnings)


def test_code_and_warnings_of_a_card_are_text_and_not_part_of_the_picture():
    shown = card(pipe)._repr_mimebundle_()["text/html"]
    assert "<pre><code>ours, theirs = ctx.Pipe()\n" in shown and shown.count("<li>") == 3
    assert "<code>recv()</code> may wait for ever" in shown
    assert 'alt="A pipe is a line between two processes.' in shown


@pytest.mark.parametrize("lesson", [types, "pipe"])
def test_what_has_no_card_is_refused(lesson):
    with pytest.raises(TypeError, match="lesson must be a module with a CARD"):
        card(lesson)
