"""nbgrader accepts the lessons as assignments, and gives a point for an exercise that is right."""

import csv
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat

from helpers.exercises.form.overview import exercises_of
from tests.missing import skip_without
from tests.tools.test_editions import KEPT, shortened
from tools import editions

if find_spec("nbgrader") is None:
    skip_without("nbgrader", "make browser installs what maintainers need")

LESSON = "12_shared_memory"


def nbgrader(course, *arguments):
    """Run a command of nbgrader in the course folder, with homes of its own."""
    # it calls alembic by its name, as in an environment that is active
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    homes = {name: str(course / ".home") for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = {**os.environ, **homes, "PATH": path}
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], cwd=course, env=environment,
                          capture_output=True, text=True, encoding="utf-8", timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lesson_is_released_as_an_assignment_and_a_program_that_is_right_gets_its_point(tmp_path, monkeypatch):
    lesson = tmp_path / "notebooks" / f"{LESSON}.ipynb"
    lesson.parent.mkdir()
    nbformat.write(shortened(editions.ROOT / "notebooks" / lesson.name), lesson)
    monkeypatch.setattr("tools.lessons.ROOT", tmp_path)
    course = editions.assignment(tmp_path / "course", [LESSON])
    nbgrader(course, "generate_assignment", LESSON)

    exercises = [each for each in exercises_of(LESSON[3:]) if each.name in KEPT]
    released = nbformat.read(course / "release" / LESSON / lesson.name, as_version=4)
    graded = [cell.metadata.nbgrader for cell in released.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [(each.grade_id, each.points) for each in graded] == [(each.name, 1) for each in exercises]
    programs = {cell.source: cell for cell in released.cells if cell.source.startswith("%%mine")}
    # the skeletons stay as they are: learners repair them
    assert list(programs) == [f"%%mine {each.name}\n{each.skeleton.rstrip()}" for each in exercises]

    list(programs.values())[1].source = f"%%mine {exercises[1].name}\n{exercises[1].reference}"
    (course / "submitted" / "ada" / LESSON).mkdir(parents=True)
    nbformat.write(released, course / "submitted" / "ada" / LESSON / lesson.name)
    nbgrader(course, "autograde", LESSON)
    nbgrader(course, "export")
    (row,) = csv.DictReader((course / "grades.csv").read_text(encoding="utf-8").splitlines())
    assert (row["student_id"], float(row["score"]), float(row["max_score"])) == ("ada", 1, 2)
