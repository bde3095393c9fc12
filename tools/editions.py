"""Write the lessons once more: for students without solutions, for teachers with all answers, for nbgrader with points.

    make student        editions/talking-processes-student, a folder and a zip
    make teacher        editions/talking-processes-teacher, executed here and now
    make assignment     editions/talking-processes-nbgrader, the course folder of nbgrader

All come from the notebooks and from the declarations of the exercises. Solutions never stand in a notebook, so there is
nothing to cut from those: for students the part `# solution` of each declaration goes, or is sealed where a check needs
it, and so are the answers that `Says` compares with; of usual mistakes the words stay, and their programs go. Sealed is
not secret. Left in sight is what the lessons need when they run: hints, and the reasons behind the questions.
"""

import ast
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient.exceptions import CellExecutionError
from nbconvert.preprocessors import ClearOutputPreprocessor
from nbformat.v4 import new_code_cell, new_markdown_cell

from helpers.exercises.form.exercise import Exercise, named
from helpers.exercises.form.overview import exercises_of
from helpers.exercises.form.sealed import MARK, seal
from helpers.questions import Question
from helpers.show.widgets.predict import questions_of
from tools.execute_notebooks import cleaned, run
from tools.lessons import EDITIONS, ROOT, lessons

COPIED = ("README.md", "LICENSE", "CITATION.cff", "Makefile", "pyproject.toml", "requirements.txt", "helpers")
SECTIONS = ("Start", "Lessons")  # of README.md, for students
TARGETS = (
    ".PHONY",
    "lab",
    "fresh",
    "share",
    "class",
    "$(READY)",
    "clean",
)  # of the Makefile, for those who have no tests
MINE = re.compile(r"%%mine (\w+)\n")
ASKED = re.compile(r"^(\w+) = question\((\w+), \"(\w+)\"\)", re.MULTILINE)
SLOW = 1.0  # s; cells that take longer are named to the teacher
GRADED = """verdict = {name}.check()
print(verdict)
assert verdict.kind == "right"
"""
COURSE = """c = get_config()
c.CourseDirectory.course_id = "talking_processes"
"""


def student(folder: Path, chosen: Sequence[str] = ()) -> Path:
    """Write the edition for students into a folder, and a zip of it; return the path of the zip.

    Raises ValueError for what is no lesson, and for a declaration whose solution cannot be taken out.
    """
    _begin(folder)
    for path in sorted((folder / "helpers" / "exercises").glob("*.py")):
        path.write_text(without_solutions(path.stem, path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    for path in lessons(chosen):
        _write(student_notebook(path), folder / "notebooks" / path.name)
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def teacher(folder: Path, chosen: Sequence[str] = ()) -> Path:
    """Write the edition for teachers into a folder, with every lesson executed; return the path of its zip.

    Raises ValueError for what is no lesson, and CellExecutionError where a cell fails or a solution is not right.
    """
    _begin(folder)
    if (guide := ROOT / "TEACHING.md").exists():
        shutil.copy(guide, folder)
    for path in lessons(chosen):
        print(f"{path.stem} ...", end=" ", flush=True)
        notebook, seconds = teacher_notebook(path)
        print(f"{seconds:.0f} s", flush=True)
        _write(notebook, folder / "notebooks" / path.name)
    return Path(shutil.make_archive(str(folder), "zip", folder.parent, folder.name))


def assignment(folder: Path, chosen: Sequence[str] = ()) -> Path:
    """Write a course for nbgrader: each lesson with exercises as an assignment, a point an exercise; return its folder.

    Raises ValueError for what is no lesson.
    """
    _fresh(folder)
    (folder / "nbgrader_config.py").write_text(COURSE, encoding="utf-8")
    for path in lessons(chosen):
        if exercises_of(path.stem[3:]):
            (folder / "source" / path.stem).mkdir(parents=True)
            _write(graded_notebook(path), folder / "source" / path.stem / path.name)
    return folder


def student_notebook(path: Path) -> nbformat.NotebookNode:
    """Return a lesson without outputs; solutions are in no notebook."""
    notebook, _ = ClearOutputPreprocessor().preprocess(nbformat.read(path, as_version=4), {})
    return notebook


def graded_notebook(path: Path) -> nbformat.NotebookNode:
    """Return a lesson in which a locked cell behind each exercise checks it, for a point."""
    exercises_of(path.stem[3:])
    notebook = student_notebook(path)
    return _with_cells_behind(notebook, lambda cell: [_graded(each) for each in _written_in(cell)])


def teacher_notebook(path: Path) -> tuple[nbformat.NotebookNode, float]:
    """Return a lesson with every question answered and every exercise solved, executed here; and its seconds.

    Raises CellExecutionError where a cell fails, or where a solution is not right.
    """
    exercises_of(path.stem[3:])
    notebook = student_notebook(path)
    for cell in notebook.cells:
        for exercise in _written_in(cell):
            cell.source = f"%%mine {exercise.name}\n{exercise.reference.rstrip()}"
    questions = questions_of(path.stem[3:])
    notebook = _with_cells_behind(notebook, lambda cell: _notes_on(cell, questions))
    with TemporaryDirectory(prefix="workbook-") as workbook:
        took = run(notebook, path.parent, {"TALKING_PROCESSES_WORKBOOK": workbook})
    seconds = sum(took.values())
    notebook = cleaned(notebook)
    notebook.cells.insert(1, new_markdown_cell(_told(notebook, took), id="timing"))
    return notebook, seconds


def without_solutions(lesson: str, text: str) -> str:
    """Return the declarations of a lesson's exercises with no solution that can be read.

    Raises ValueError for a declaration that is not written out as it should be.
    """
    exercises_of(lesson)
    lines = text.splitlines(keepends=True)
    edits = [edit for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) for edit in _edits(node, lines)]
    # from the end, so that places before it stay where they are
    for edit in sorted(edits, key=lambda edit: edit.first, reverse=True):
        lines[edit.first : edit.end] = [edit.text]
    if any("unseal(" in edit.text for edit in edits):
        imports = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
        lines.insert(imports[-1].end_lineno or 0, "from helpers.exercises.form.sealed import unseal\n")
    return "".join(lines)


@dataclass(frozen=True)
class _Edit:
    """What takes the place of some lines, from the first to the one before the end."""

    first: int
    end: int
    text: str


def _edits(call: ast.Call, lines: list[str]) -> list[_Edit]:
    """Return what is to be changed about an exercise or about an answer to compare with."""
    given = {word.arg: word.value for word in call.keywords}
    match getattr(call.func, "id", ""):
        case "Exercise":
            return [_without_solution(given, lines)]
        case "Says":
            answer = call.args[1] if len(call.args) > 1 else given["value"]
            return [_with_instead(answer, f'unseal("{seal(ast.literal_eval(answer))}")', lines)]
        case "Mistake":
            # only tests need its program, half of which may be right
            return [_with_instead(call.args[1] if len(call.args) > 1 else given["source"], '"left out"', lines)]
    return []


def _without_solution(given: dict[str | None, ast.expr], lines: list[str]) -> _Edit:
    exercise, source = named(ast.literal_eval(given["name"])), given["source"]
    place = range(source.lineno - 1, source.end_lineno or source.lineno)
    marks = [number for number in place if lines[number].strip() in ("# solution", "# given")]
    if len(marks) != 2 or not isinstance(source, ast.Constant):
        raise ValueError(f"the source of {exercise.name} must be one text with the lines # solution and # given")
    needed = any(getattr(check, "needs_reference", False) for check in exercise.checks)
    return _Edit(marks[0] + 1, marks[1], f"{MARK}{seal(exercise.solution_part)}\n" if needed else "")


def _with_instead(node: ast.expr, text: str, lines: list[str]) -> _Edit:
    """Return how an expression is replaced by a text."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, after = lines[first].encode()[: node.col_offset], lines[last].encode()[node.end_col_offset or 0 :]
    return _Edit(first, last + 1, before.decode() + text + after.decode())


def _written_in(cell: nbformat.NotebookNode) -> list[Exercise]:
    """Return the exercise whose program stands in a cell, if there is one."""
    match = MINE.match(cell.source)
    return [named(match[1])] if match and cell.cell_type == "code" else []


def _with_cells_behind(
    notebook: nbformat.NotebookNode, behind: Callable[[nbformat.NotebookNode], list[nbformat.NotebookNode]]
) -> nbformat.NotebookNode:
    notebook.cells = [each for cell in notebook.cells for each in (cell, *behind(cell))]
    return notebook


def _graded(exercise: Exercise) -> nbformat.NotebookNode:
    """Return the cell by which nbgrader gives a point for an exercise."""
    grading = {
        "schema_version": 3, "grade_id": exercise.name, "grade": True, "locked": True, "solution": False,
        "task": False, "points": 1, "cell_type": "code",
    }  # fmt: skip
    source = GRADED.format(name=exercise.name)
    return new_code_cell(source, id=f"graded-{exercise.name}", metadata={"nbgrader": grading})


def _notes_on(cell: nbformat.NotebookNode, questions: Mapping[str, Question]) -> list[nbformat.NotebookNode]:
    """Return what a teacher is told behind a cell: the answers to a question, or the verdict on a solution."""
    if cell.cell_type != "code":
        return []
    notes = [
        new_markdown_cell(_told_of(key, questions[key]), id=f"answers-{key}")
        for _, _, key in ASKED.findall(cell.source)
    ]
    for exercise in _written_in(cell):
        # a solution that is not right stops the edition
        check = f"verdict = {exercise.name}.check()\nassert verdict.kind == 'right', verdict\nverdict"
        notes.append(new_code_cell(check, id=f"check-{exercise.name}"))
        notes.append(new_markdown_cell(_told_of_exercise(exercise), id=f"mistakes-{exercise.name}"))
    return notes


def _told_of(key: str, question: Question) -> str:
    offered = "; ".join(question.answers.values()) or f"a number, in {question.unit}"
    head = f"> **For the teacher.** Question `{key}`. To choose from: {offered}. What can come out, and why:\n>"
    if isinstance(question.because, str):
        return f"{head}\n> - {question.because}"
    rows = [f"> - {question.answers.get(answer, answer)}: {why}" for answer, why in question.because.items()]
    return "\n".join([head, *rows])


def _told_of_exercise(exercise: Exercise) -> str:
    hints = [f"> {number}. {hint}" for number, hint in enumerate(exercise.hints, 1)]
    mistakes = [f"> - {mistake.words}" for mistake in exercise.mistakes]
    return "\n".join(["> **For the teacher.** Hints:\n>", *hints, ">\n> Usual mistakes:\n>", *mistakes])


def _told(notebook: nbformat.NotebookNode, took: dict[int, float]) -> str:
    """Return how long the cells took, all together and those that take longest."""
    slowest = sorted((number for number in took if took[number] >= SLOW), key=lambda number: -took[number])
    first_lines = {number: _first_line(notebook.cells[number].source) for number in slowest[:6]}
    rows = [f"> | `{line}` | {took[number]:.1f} s |" for number, line in first_lines.items()]
    head = f"> **For the teacher.** All cells together took {sum(took.values()):.0f} s where this edition was made."
    return "\n".join([head, *([">\n> | cell | time |\n> |---|---|", *rows] if rows else [])])


def _first_line(source: str) -> str:
    return source.splitlines()[0].replace("|", "\\|")


def _write(notebook: nbformat.NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def _begin(folder: Path) -> None:
    """Lay what both editions have in common."""
    _fresh(folder)
    (folder / "notebooks").mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, folder / name)
    readme, makefile = folder / "README.md", folder / "Makefile"
    readme.write_text(_readme(readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    makefile.write_text(_makefile(makefile.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _readme(text: str) -> str:
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return head + "".join(
        section for section in sections if section.startswith(tuple(f"## {name}" for name in SECTIONS))
    )


def _makefile(text: str) -> str:
    """Return the settings, and the rules that need no tests and no tools."""
    # what stands above the first setting names tests
    paragraphs = text.split("\n\n")[1:]
    rule = re.compile(r"^([\w.$()-][^:=\n]*):(?!=)", re.MULTILINE)
    kept = [each for each in paragraphs if not (targets := rule.findall(each)) or targets[0] in TARGETS]
    return "\n\n".join(kept).rstrip("\n") + "\n"


KINDS = {"student": student, "teacher": teacher, "nbgrader": assignment}

if __name__ == "__main__":
    kind, *chosen = sys.argv[1:] or [""]
    if kind not in KINDS:
        sys.exit(f"python -m tools.editions {'|'.join(KINDS)} [lesson ...]")
    try:
        print(KINDS[kind](EDITIONS / f"talking-processes-{kind}", chosen))
    except (ValueError, CellExecutionError) as refusal:
        sys.exit(str(refusal))
