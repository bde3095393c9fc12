"""Lay the files of a new lesson: a small whole lesson that passes all tests, to be replaced piece by piece.

    make lesson NAME=31_zero_copy

The notebook, the module and its tests are those of `tools/lesson_template`, under the name of the lesson; the notebook
is executed, and the lesson gets a row in the table of README.md.
"""

import keyword
import re
import sys
from pathlib import Path

from tools.execute_notebooks import execute

ROOT = Path(__file__).parents[1]
TEMPLATE = Path(__file__).with_name("lesson_template")
LESSON = re.compile(r"(\d\d)_([a-z][a-z0-9_]*)")
ROW = re.compile(r"^\| \[(\d\d) .*\n", re.MULTILINE)


def lay(lesson: str) -> list[Path]:
    """Write the files of a lesson such as "31_zero_copy", and return their paths.

    Raises ValueError for a name that is no lesson's or cannot be one's, and FileExistsError for one that is taken.
    """
    number, name = _parts(lesson)
    files = {
        "module.py": ROOT / "helpers" / "lessons" / f"{name}.py",
        "test_module.py": ROOT / "tests" / "lessons" / f"test_{name}.py",
        "notebook.ipynb": ROOT / "notebooks" / f"{lesson}.ipynb",
    }
    taken = [*(path for path in files.values() if path.exists()), *(ROOT / "notebooks").glob(f"{number}_*.ipynb")]
    if taken:
        raise FileExistsError(f"{taken[0].relative_to(ROOT)} is there already: choose another number or another name")
    words = name.replace("_", " ").capitalize()
    for template, path in files.items():
        text = (TEMPLATE / template).read_text(encoding="utf-8")
        text = text.replace("new_lesson", name).replace("New lesson", words)
        path.write_text(text, encoding="utf-8", newline="\n")
    _list_in_readme(number, f"| [{number} {words}](notebooks/{lesson}.ipynb) | say here what happens there |\n")
    return list(files.values())


def _parts(lesson: str) -> tuple[str, str]:
    match = LESSON.fullmatch(lesson)
    if not match:
        raise ValueError(
            f"NAME must be two digits, _ and a name of small letters, such as 31_zero_copy, not {lesson!r}"
        )
    number, name = match.groups()
    if keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise ValueError(f"NAME must not be a word or a module of Python itself, such as {name!r}: take {name + 's'!r}")
    return number, name


def _list_in_readme(number: str, row: str) -> None:
    """Put the row behind those of all lessons with a smaller number."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    rows = list(ROW.finditer(text))
    before = [row.end() for row in rows if row[1] < number]
    place = before[-1] if before else rows[0].start()
    readme.write_text(text[:place] + row + text[place:], encoding="utf-8", newline="\n")


if __name__ == "__main__":
    try:
        laid = lay(sys.argv[1] if len(sys.argv) == 2 else "")
    except (ValueError, FileExistsError) as refusal:
        sys.exit(str(refusal))
    execute(laid[-1])
    for path in laid:
        print(path.relative_to(ROOT))
