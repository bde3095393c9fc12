"""The cards of the lessons: their five lines run as a file of one's own, and a card that cannot be drawn is refused."""

from importlib import import_module
from pathlib import Path

import pytest

from helpers.cards import Card, valid
from helpers.lessons.processes import run_script

LESSONS = [path.stem[3:] for path in sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))]
SMALL = Card("a line", {"parent": (0, 0), "child": (1, 0)}, {}, [("parent", "child", "a word")], "pass\n" * 5, "",
             ["one", "two", "three"])  # fmt: skip


@pytest.mark.parametrize("name", LESSONS)
def test_the_five_lines_of_a_card_run_as_a_file_of_their_own(name, short_folder, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(short_folder))  # a manager has its socket there
    card = import_module(f"helpers.lessons.{name}").CARD
    done = run_script(card.script)  # under a deadline, with all that it starts
    assert (done.exitcode, done.said.strip()) == (0, card.prints), done.errors


def test_the_lines_stand_behind_the_guard_once():
    assert SMALL.script.count('if __name__ == "__main__":\n') == 1
    assert import_module("helpers.lessons.processes").CARD.script.count("__main__") == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "pass"}, r"code must be a list of 5 lines of code, not \['pass'\]"),
        ({"code": "pass\n" * 4 + 59 * "x"}, "code must be at most 58 characters wide, not 'xxx"),
        ({"warnings": ["one"]}, r"warnings must be a list of 3 warnings, not \['one'\]"),
        ({"arrows": [("parent", "Bob", "hello")]}, r"arrows\[0\]\[1\] must be one of parent, child, not 'Bob'"),
        ({"processes": {"alone": (0, 0)}}, "names must be a list of names, two or more"),
    ],
)
def test_a_card_that_cannot_be_drawn_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        valid(SMALL._replace(**change))
