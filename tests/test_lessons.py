"""What every lesson must have: the headings of the template, prose of the right length, outputs that can be read."""

import ast
import json
import re
from importlib import import_module
from multiprocessing import get_all_start_methods
from pathlib import Path

import nbformat
import pytest
from nbconvert import ScriptExporter
from nbformat.v4 import new_code_cell

from helpers.cards import Card
from helpers.exercises.form.overview import exercises_of
from tools.execute_notebooks import METADATA, run
from tools.slides import slide_type

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
REVIEWS = {"29_review"}  # lessons that ask again what others have asked; what they show of processes, those have shown
HEADINGS = ["What it costs", "What goes wrong", "Play", "Summary"]
OPENING = ["**What you will do.**", "**What you will learn**", "**What you need**", "**Time.**"]

OWN = "%%mine "  # how a cell begins in which the learner writes

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
TEACHING = [path for path in NOTEBOOKS if path.stem not in REVIEWS]
each_that_teaches = pytest.mark.parametrize("path", TEACHING, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def cells_of(path, kind):
    return [cell for cell in read(path).cells if cell.cell_type == kind and cell.source.strip()]


def prose_of(path):
    return "\n".join(cell.source for cell in cells_of(path, "markdown"))


def code_of(path):
    return "\n".join(cell.source for cell in cells_of(path, "code"))


def without_exercises(path):
    """Return the cells that are read and run, and not those in which the learner writes."""
    cells = [cell for cell in read(path).cells if cell.source.strip()]
    begins = [number for number, cell in enumerate(cells) if cell.source.startswith(("## Your turn", "## Summary"))]
    return cells[: begins[0]] + cells[begins[-1] :]


def outputs_of(path):
    return [output for cell in cells_of(path, "code") for output in cell.outputs]


def test_lessons_are_numbered_and_named_once():
    assert all(re.fullmatch(r"\d\d_[a-z][a-z0-9_]*", path.stem) for path in NOTEBOOKS)
    for part in (slice(2), slice(3, None)):
        parts = [path.stem[part] for path in NOTEBOOKS]
        assert len(set(parts)) == len(parts) > 0


def test_every_lesson_is_in_the_table_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((notebooks/[^)]+)\)", readme) == [f"notebooks/{path.name}" for path in NOTEBOOKS]


@each_notebook
def test_a_lesson_has_its_module_and_its_tests(path):
    name = path.stem[3:]
    assert (ROOT / "helpers" / "lessons" / f"{name}.py").exists()
    assert (ROOT / "tests" / "lessons" / f"test_{name}.py").exists()


@each_notebook
def test_a_lesson_has_the_parts_of_the_template(path):
    prose = prose_of(path)
    assert prose.startswith("# ") and prose.count("\n# ") == 0, "one title"
    for part in OPENING:
        assert part in prose, part
    headings = ["Summary"] if path.stem in REVIEWS else HEADINGS
    positions = [prose.find(f"## {heading}") for heading in headings]
    assert -1 not in positions, dict(zip(headings, positions, strict=True))
    assert positions == sorted(positions)
    assert re.search(r"\*\*Time\.\*\* About \d+ minutes", prose)
    assert "What just happened?" in prose
    assert "In practice" in prose and "Further reading" in prose


@each_notebook
def test_a_lesson_is_of_the_right_length(path):
    cells = without_exercises(path)
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    words = len(re.findall(r"\w[\w'\u2019-]*", re.sub(r"\]\([^)]*\)|`[^`]*`", "", prose)))
    # a review is read again and again
    fewest, least = (12, 200) if path.stem in REVIEWS else (25, 600)
    assert fewest <= len(cells) <= 66, len(cells)
    assert least <= words <= 1_800, words


@each_notebook
def test_exercises_stand_before_the_summary_as_they_are_declared(path):
    exercises, prose = exercises_of(path.stem[3:]), prose_of(path)
    if not exercises:
        assert "## Your turn" not in prose
        return
    assert prose.find("## Play") < prose.find("## Your turn") < prose.find("## Summary")
    cells = {cell.source.partition("\n")[0]: cell.source for cell in cells_of(path, "code")}
    for number, each in enumerate(exercises, 1):
        assert f"### {number}. {each.kind.capitalize()}: `{each.name}`" in prose
        assert each.task in prose.replace("\n", " ")
        assert cells[f"{OWN}{each.name}"] == f"{OWN}{each.name}\n{each.skeleton.rstrip()}"


@each_that_teaches
def test_an_exercise_takes_no_name_of_a_question(path):
    # a verdict that is run again would look for its question under that name
    asked = re.findall(r"^(\w+) = question\(", code_of(path), flags=re.MULTILINE)
    assert set(asked) & {each.name for each in exercises_of(path.stem[3:])} == set()


@each_that_teaches
def test_a_lesson_asks_before_it_shows(path):
    questions = re.findall(r"^(\w+) = question\(", code_of(path), flags=re.MULTILINE)
    assert 2 <= len(questions) <= 4, questions
    for question in questions:
        assert code_of(path).count(f"{question}.verdict(") == 1, question


@each_notebook
def test_a_lesson_was_run_in_order_and_saved_with_its_outputs(path):
    code = cells_of(path, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for output in outputs_of(path) if output.output_type == "error"]
    assert path.stat().st_size <= 500_000


@each_notebook
def test_each_cell_of_a_lesson_carries_its_kind_of_slide(path):
    carried = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in read(path).cells]
    assert carried == [slide_type(cell) for cell in read(path).cells], f"make notebooks NOTEBOOKS=notebooks/{path.name}"


@each_notebook
def test_a_lesson_says_nothing_of_the_machine_it_ran_on(path):
    saved = json.dumps(outputs_of(path))
    assert not re.search(r"/(root|home|tmp|work|Users)/|site-packages", saved)
    assert "widgets" not in read(path).metadata
    assert read(path).metadata == METADATA


@each_notebook
def test_a_lesson_can_be_had_as_a_script(path):
    script, resources = ScriptExporter().from_filename(path)
    assert resources["output_extension"] == ".py"
    ast.parse(script)


@each_notebook
def test_cells_that_are_the_same_everywhere_are_checked(path):
    tags = [tag for cell in cells_of(path, "code") for tag in cell.metadata.get("tags", [])]
    assert "nbval-check-output" in tags and "NBVAL" not in code_of(path)


@each_notebook
def test_every_picture_has_words_for_those_who_do_not_see_it(path):
    for output in outputs_of(path):
        data = output.get("data", {})
        for image in re.findall(r"<img[^>]*>", str(data.get("text/html", ""))):
            assert re.search(r'alt="[^"]{30,}"', image)
        if "image/png" in data:
            assert len(data["text/plain"]) > 30


@each_notebook
def test_a_lesson_ends_with_its_card(path):
    """Between the summary and the fine print, so that who reads the summary sees all of it on one card."""
    cells = [cell.source for cell in read(path).cells]
    drawn = [number for number, source in enumerate(cells) if re.search(r"^card\(\w+\)$", source, re.MULTILINE)]
    assert len(drawn) == 1
    assert "## Summary" in cells[drawn[0] - 1] and cells[drawn[0] + 1].startswith("### In practice")
    assert isinstance(import_module(f"helpers.lessons.{path.stem[3:]}").CARD, Card)


@each_notebook
def test_the_settings_of_a_lesson_stand_in_one_cell_and_hold_for_all_others(path):
    """So that `make rerun` can put others in their place."""
    cells = cells_of(path, "code")
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) <= 1
    for source in tagged:
        statements = ast.parse(source).body
        names = [statement.targets[0].id for statement in statements]
        assert all(ast.literal_eval(statement.value) for statement in statements) and "method" in names
        rest = "\n".join(cell.source for cell in cells if cell.source != source)
        assert re.findall(rf"^(?:{'|'.join(names)}) = |for (?:{'|'.join(names)}) in", rest, re.MULTILINE) == []
        assert 'get_context("spawn")' not in rest.partition(OWN)[0]


def settings_of(path):
    """Return the number of the cell with a lesson's settings, and their values; None and no values without one."""
    for number, cell in enumerate(read(path).cells):
        if "parameters" in cell.metadata.get("tags", []):
            assigned = ast.parse(cell.source).body
            return number, {each.targets[0].id: ast.literal_eval(each.value) for each in assigned}
    return None, {}


def another(name, value):
    """Return another value for a setting."""
    if name == "method":
        return next((each for each in ("forkserver", "fork") if each in get_all_start_methods()), value)
    return value[:-1] if isinstance(value, list) else value + 1


@pytest.mark.thorough
@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if settings_of(path)[1]], ids=lambda path: path.stem)
def test_a_lesson_runs_with_other_settings(path, tmp_path):
    notebook, (place, settings) = read(path), settings_of(path)
    others = {name: another(name, value) for name, value in settings.items()}
    # as papermill does it
    notebook.cells.insert(place + 1, new_code_cell("\n".join(f"{name} = {value!r}" for name, value in others.items())))
    notebook.cells.append(new_code_cell(f"print({', '.join(others)})"))
    run(notebook, path.parent, {"TALKING_PROCESSES_WORKBOOK": str(tmp_path)})
    assert notebook.cells[-1].outputs[0].text == " ".join(map(str, others.values())) + "\n"


@each_notebook
def test_links_between_lessons_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", prose_of(path)):
        if not link.startswith("https://"):
            assert (path.parent / link).exists(), link


@each_that_teaches
def test_no_cell_hides_multiprocessing(path):
    """Real `Process`, `Pipe`, `start` and `join` stand in the cells; helpers only hold workers and instruments."""
    code = code_of(path)
    assert re.search(r"ctx\.Process\(\s*target=", code)
    assert "sys.path" not in code
    assert ".start()" in code


@each_notebook
def test_every_worker_is_shown_before_it_is_used(path):
    code = code_of(path)
    name = path.stem[3:]
    renamed = re.search(rf"import {name} as (\w+)", code)
    lesson = renamed[1] if renamed else name
    for worker in set(re.findall(rf"target={lesson}\.(\w+)", code)):
        shown = re.search(rf"show_source\([^)]*\b{lesson}\.{worker}\b", code)
        used = re.search(rf"target={lesson}\.{worker}\b", code)
        assert shown and shown.start() < used.start(), f"show_source({lesson}.{worker}) must come before its first use"


@each_notebook
def test_code_cells_are_short(path):
    most = {True: 50, False: 24}  # a whole program of the learner's, and everything else
    shown = [
        cell.source for cell in cells_of(path, "code") if not cell.metadata.get("jupyter", {}).get("source_hidden")
    ]
    assert [source for source in shown if len(source.splitlines()) > most[source.startswith(OWN)]] == []
    too_wide = [line for source in shown for line in source.splitlines() if len(line) > 80]
    assert path.stem == "00_start_here" or too_wide == []


@each_notebook
def test_only_the_imports_of_a_lesson_are_folded(path):
    folded = [cell.source for cell in cells_of(path, "code") if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert all(source.startswith(("import ", "from ")) for source in folded) and len(folded) <= 1
