"""Editions for students show no solution and judge all the same; those for teachers show all, and how it goes."""

import re
import zipfile

import nbformat
import pytest

from helpers.exercises.form.checks import Says
from helpers.exercises.form.exercise import all_known
from helpers.exercises.form.overview import exercises_of
from helpers.exercises.form.sealed import seal, unseal
from tools import editions
from tools.execute_notebooks import run

LESSONS = [path.stem for path in editions.lessons()]
SHORT = "12_shared_memory"
KEPT = ("short_lock", "two_halves")  # one whose check needs the reference, one whose answer is sealed


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """Write the whole edition for students once."""
    folder = tmp_path_factory.mktemp("editions") / "student"
    editions.student(folder)
    return folder


def shortened(path):
    """Return of a lesson the question on a torn read, and two exercises."""
    notebook = nbformat.read(path, as_version=4)
    begin = next(number for number, cell in enumerate(notebook.cells) if "your_turn(" in cell.source)
    mine = [cell for cell in notebook.cells if cell.source.startswith(tuple(f"%%mine {name}\n" for name in KEPT))]
    title, imports = notebook.cells[:2]
    question = next(cell for cell in notebook.cells if cell.source.startswith("torn = "))
    notebook.cells = [title, imports, question, notebook.cells[begin], *mine]
    return notebook


def test_what_is_sealed_cannot_be_read_and_is_opened_again():
    for value in ("with lock:\n    pass\n", 5, 2.5, ["a", "b"], {"a": ["b"]}):
        assert unseal(seal(value)) == value
    assert "lock" not in seal("with lock:\n    pass\n")


@pytest.mark.parametrize("text", ["no such thing", "eNp", "ä", seal("x")[:-4]])
def test_what_was_never_sealed_is_refused(text):
    with pytest.raises(ValueError, match="text must be what seal returned, not"):
        unseal(text)


def test_no_line_of_a_solution_stands_anywhere_in_the_edition_for_students(student):
    texts = {path: path.read_text(encoding="utf-8") for path in student.rglob("*") if path.is_file()}
    exercises = [each for lesson in LESSONS for each in exercises_of(lesson[3:])]
    assert len(exercises) > 10
    declared = {each.lesson: texts[student / "helpers" / "exercises" / f"{each.lesson}.py"] for each in exercises}
    for each in exercises:
        own = _lines(each.own_part(each.reference)) - _lines(each.own_part(each.skeleton))
        # hints may tell a line
        known = "\n".join([*each.hints, each.skeleton])
        own = {line for line in own if line not in known}
        # its own declaration, as others may use the same line
        declaration = declared[each.lesson].partition(f'name="{each.name}",')[2].partition("= Exercise(")[0]
        assert each.task[:40] in declaration and not own & _lines(declaration), each.name
        assert each.solution_part not in "\n".join(texts.values())
        for answer in (_plain(str(check.value)) for check in each.checks if isinstance(check, Says)):
            assert answer not in _plain(declared[each.lesson]), each.name


def _plain(text):
    return re.sub(r"[\s\"',\[\]{}]", "", text)


def _lines(text):
    return {line.strip() for line in text.splitlines() if len(line.strip()) > 12}


def test_the_edition_for_students_is_whole_and_has_no_outputs(student):
    assert sorted(path.stem for path in (student / "notebooks").iterdir()) == LESSONS
    cells = [cell for path in (student / "notebooks").iterdir() for cell in nbformat.read(path, as_version=4).cells]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
    makefile, readme = (student / "Makefile").read_text(), (student / "README.md").read_text(encoding="utf-8")
    assert "lab: $(READY)" in makefile and "pytest" not in makefile and "tools" not in makefile
    assert "## Start" in readme and "CONTRIBUTING" not in readme
    for link in re.findall(r"\]\((?!https)([^)#]+)", readme):
        assert (student / link).exists(), link
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    for link in re.findall(r"\]\((?!https)([^)#]+)", "\n".join(prose)):
        assert (student / "notebooks" / link).exists(), link
    with zipfile.ZipFile(f"{student}.zip") as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert names == {path.relative_to(student.parent).as_posix() for path in student.rglob("*") if path.is_file()}


def test_the_edition_for_students_runs_and_judges_without_solutions(student, tmp_path):
    notebook = shortened(student / "notebooks" / f"{SHORT}.ipynb")
    exercises = {each.name: each for each in exercises_of(SHORT[3:])}
    for name in KEPT:
        notebook.cells.append(nbformat.v4.new_code_cell(f"print({name}.check())\nprint({name}.solution().data)"))
        solved = f"%%mine {name}\n{exercises[name].reference}"
        notebook.cells.append(nbformat.v4.new_code_cell(solved))
        notebook.cells.append(nbformat.v4.new_code_cell(f"print({name}.check())\nprint({name}.solution().data)"))
    notebook.cells.append(nbformat.v4.new_code_cell("import helpers\nprint(helpers.__file__)"))
    run(notebook, student / "notebooks", {"PYTHONPATH": str(student), "TALKING_PROCESSES_WORKBOOK": str(tmp_path)})
    said = "".join(output.text for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output)
    assert said.count("Not attempted yet.") == said.count("✔ Right.\n") == 2
    assert said.count("This edition comes without solutions.") == 4
    assert str(student) in said.splitlines()[-1]
    # who executes a notebook has no workbook to write into
    assert not list(tmp_path.iterdir())


def test_the_edition_for_teachers_shows_answers_solutions_mistakes_and_times(tmp_path):
    path = tmp_path / f"{SHORT}.ipynb"
    nbformat.write(shortened(editions.ROOT / "notebooks" / path.name), path)
    notebook, seconds = editions.teacher_notebook(path)
    told = "\n".join(cell.source for cell in notebook.cells)
    assert "Question `torn`" in told and "The hour was new and the minute still old." in told
    assert f"All cells together took {seconds:.0f} s" in notebook.cells[1].source
    checks = [cell for cell in notebook.cells if cell.source.startswith("verdict = ")]
    shown = [output.data for cell in checks for output in cell.outputs]
    assert ["✔ Right." in data["text/plain"] for data in shown] == [True, True]
    # the lanes of the one that runs processes
    assert "<img" in shown[0]["text/html"] or "<svg" in shown[0]["text/html"]
    for exercise in (each for each in all_known() if each.name in KEPT):
        assert exercise.mistakes[0].words in told and exercise.hints[-1] in told
    nbformat.validate(notebook)


def test_a_declaration_that_hides_its_solution_elsewhere_is_refused():
    exercises_of("pipe")
    text = 'Exercise(name="hang_up", source=SOURCE)\n'
    with pytest.raises(
        ValueError, match="the source of hang_up must be one text with the lines # solution and # given"
    ):
        editions.without_solutions("pipe", text)


def test_what_is_no_lesson_is_refused(tmp_path):
    with pytest.raises(ValueError, match="NB must be one of 00_start_here, .*, not '99_none'"):
        editions.student(tmp_path / "student", ["99_none"])


def test_lessons_are_named_with_or_without_their_folder():
    assert [path.stem for path in editions.lessons(["notebooks/10_pipe.ipynb", "12_shared_memory"])] == [
        "10_pipe",
        "12_shared_memory",
    ]
