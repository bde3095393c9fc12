"""A new lesson is laid whole: it keeps to the template, passes its tests, and is listed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import new_lesson

ROOT = Path(__file__).parents[2]
PARTS = ["helpers", "tests", "tools", "notebooks", "README.md", "conftest.py"]
LAID = ["helpers/lessons/zero_copy.py", "tests/lessons/test_zero_copy.py", "notebooks/31_zero_copy.ipynb"]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Copy the project, and let `new_lesson` work there."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            # with what is compiled, so that Python need not compile all of it again
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns(".*"))
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    monkeypatch.setattr(new_lesson, "ROOT", tmp_path)
    return tmp_path


def run(folder, *arguments):
    """Run a module of Python in the copy; its kernels and children too import from there."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True,
                          text=True, encoding="utf-8", timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_lesson_passes_all_tests_of_lessons_at_once(copied):
    assert run(copied, "tools.new_lesson", "31_zero_copy").split() == LAID
    rules = ["tests/test_lessons.py", "tests/test_imports.py", "tests/test_nonsense.py"]
    own = "tests/lessons/test_zero_copy.py"
    chosen = "zero_copy or table_of_the_readme or numbered_and_named"
    told = run(copied, "pytest", "-o", "addopts=", "--quiet", *rules, own, "-k", chosen)
    assert "failed" not in told and "31_zero_copy" in (copied / "README.md").read_text(encoding="utf-8")


def test_rows_of_the_readme_are_in_the_order_of_the_numbers(copied):
    for lesson in ["31_zero_copy", "08_sockets", "32_more"]:
        new_lesson.lay(lesson)
    numbers = new_lesson.ROW.findall((copied / "README.md").read_text(encoding="utf-8"))
    assert numbers == sorted(numbers) and {"08", "31", "32"} < set(numbers)


def test_no_word_of_the_template_stays(copied):
    for path in new_lesson.lay("31_zero_copy"):
        assert "ew_lesson" not in path.read_text(encoding="utf-8") and "ew lesson" not in path.read_text(
            encoding="utf-8"
        )


@pytest.mark.parametrize(
    "lesson", ["", "31", "zero_copy", "3_zero_copy", "31_Zero", "31-zero", "31_zero.ipynb", "../31_x"]
)
def test_what_is_no_name_of_a_lesson_is_refused(lesson):
    with pytest.raises(
        ValueError, match="NAME must be two digits, _ and a name of small letters, such as 31_zero_copy"
    ):
        new_lesson.lay(lesson)


@pytest.mark.parametrize("lesson", ["31_queue", "31_socket", "31_import"])
def test_a_lesson_does_not_take_the_name_of_a_module_of_python(lesson):
    with pytest.raises(ValueError, match=f"of Python itself, such as '{lesson[3:]}': take '{lesson[3:]}s'"):
        new_lesson.lay(lesson)


@pytest.mark.parametrize("lesson", ["31_pipe", "10_zero_copy"])
def test_what_is_there_is_not_overwritten(lesson, copied):
    with pytest.raises(FileExistsError, match="pipe.* is there already: choose another number or another name"):
        new_lesson.lay(lesson)
    assert not (copied / "tests" / "lessons" / "test_zero_copy.py").exists()
