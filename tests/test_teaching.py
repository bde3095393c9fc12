"""TEACHING.md speaks of lessons, questions, exercises and commands that there are."""

import re
from pathlib import Path

import nbformat
import pytest

from helpers.exercises.form.overview import exercises_of
from helpers.show.widgets.predict import questions_of

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
LESSONS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
SECTIONS = dict(re.findall(r"^### (\d\d_\w+)\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))
TABLE = "| what people believe | question |"
PARTS = ["**Goal.**", "**Minutes.**", TABLE, "**Demonstrate.**", "**Beware.**"]

each_lesson = pytest.mark.parametrize("lesson", LESSONS)


def test_each_lesson_is_told_of_in_its_order():
    assert list(SECTIONS) == list(LESSONS)


@each_lesson
def test_each_misconception_has_a_question_of_its_lesson_that_shows_it(lesson):
    section = SECTIONS[lesson]
    asked = questions_of(lesson[3:])
    # a lesson may ask nothing of its own
    assert [part for part in PARTS if part not in section and (asked or part != TABLE)] == []
    assert sorted(re.findall(r"^\| .* \| `(\w+)` \|$", section, re.MULTILINE)) == sorted(asked)


@each_lesson
def test_the_minutes_are_those_of_the_lesson(lesson):
    cells = nbformat.read(LESSONS[lesson], as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert f"**Minutes.** {re.search(r'[*][*]Time[.][*][*] About ([0-9]+) minutes', prose)[1]}\n" in SECTIONS[lesson]


def test_plans_name_lessons_questions_and_exercises_that_there_are():
    plans = TEXT.partition("## Plans")[2].partition("## Recipes")[0]
    assert set(re.findall(r"lesson (\d\d)", TEXT)) <= {lesson[:2] for lesson in LESSONS}
    known = set()
    for lesson in LESSONS:
        known |= set(questions_of(lesson[3:]))
        known |= {each.name for each in exercises_of(lesson[3:])}
    assert {name for name in re.findall(r"`(\w+)`", plans)} <= known


def test_commands_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+(?: [a-z]+)*):", makefile, re.MULTILINE))
    known = {word for target in targets for word in target.split()}
    named = set(re.findall(r"(?:`|^    )make (?:[A-Z]+=\S+ )?([a-z]+)", TEXT, re.MULTILINE))
    assert {"student", "teacher", "class", "share"} <= named <= known
