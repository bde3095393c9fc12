"""The learner's own copies: laid without outputs, never written over where they are hers, at home for her modules."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from multiprocessing import get_all_start_methods
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_client import BlockingKernelClient
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import workbook
from tests.lab_server import PATIENCE, lab_server

ROOT = Path(__file__).parent.parent
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def write(path, *sources, outputs=()):
    """Write a notebook of one heading and code cells; JupyterLab writes in the same way what it saves."""
    code = [new_code_cell(source, outputs=list(outputs), execution_count=3) for source in sources]
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A lesson"), *code], metadata=KERNEL), path)


def sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells[1:]]


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != workbook.RECORD)


def of_project(folder):
    return SimpleNamespace(notebooks=folder / "notebooks", workbook=folder / "workbook")


@pytest.fixture
def learner(tmp_path, monkeypatch):
    """Two lessons of two cells, with outputs, and no copies yet."""
    at = of_project(tmp_path)
    monkeypatch.setattr(workbook, "NOTEBOOKS", at.notebooks)
    monkeypatch.setattr(workbook, "WORKBOOK", at.workbook)
    write_lessons(at.notebooks)
    return at


def write_lessons(notebooks):
    notebooks.mkdir(exist_ok=True)
    printed = [new_output("stream", name="stdout", text="the answer\n")]
    write(notebooks / "00_start.ipynb", "print(1)", "2 + 2", outputs=printed)
    write(notebooks / "10_pipe.ipynb", "print(2)", "3 + 3", outputs=printed)


# -- laying ------------------------------------------------------------------------------------------------------------


def test_every_lesson_is_laid_without_outputs(learner):
    assert workbook.lay() == []
    assert files(learner.workbook) == ["00_start.ipynb", "10_pipe.ipynb"]
    assert workbook.first_lesson() == learner.workbook / "00_start.ipynb"
    for path in learner.workbook.glob("*.ipynb"):
        copy = nbformat.read(path, as_version=4)
        nbformat.validate(copy)
        assert [(cell.outputs, cell.execution_count) for cell in copy.cells[1:]] == [([], None)] * 2
        assert "the answer" not in path.read_text(encoding="utf-8")
        assert copy.cells[0] == nbformat.read(learner.notebooks / path.name, as_version=4).cells[0]


def test_a_second_time_nothing_is_written(learner):
    workbook.lay()
    before = {path: path.stat().st_mtime_ns for path in learner.workbook.iterdir()}
    assert workbook.lay() == []
    assert {path: path.stat().st_mtime_ns for path in learner.workbook.iterdir()} == before


def test_a_changed_copy_stays_and_the_lesson_is_laid_beside_it_when_it_has_changed_too(learner):
    workbook.lay()
    mine = learner.workbook / "10_pipe.ipynb"
    write(mine, "print('mine')")
    saved = mine.read_bytes()
    assert workbook.lay() == []
    write(learner.notebooks / "10_pipe.ipynb", "print('second edition')")
    said = "10_pipe.ipynb stays as you have it; the lesson as it is now lies beside it: 10_pipe (new).ipynb"
    assert workbook.lay() == [said]
    assert mine.read_bytes() == saved
    assert sources(learner.workbook / "10_pipe (new).ipynb") == ["print('second edition')"]
    assert workbook.lay() == [], "once is enough"
    (learner.workbook / "10_pipe (new).ipynb").unlink()
    assert workbook.lay() == [], "she has seen it, and did not want it"
    assert files(learner.workbook) == ["00_start.ipynb", "10_pipe.ipynb"]


def test_what_lies_beside_is_renewed_or_kept_by_the_same_rule(learner):
    workbook.lay()
    write(learner.workbook / "10_pipe.ipynb", "print('mine')")
    new = learner.workbook / "10_pipe (new).ipynb"
    for edition in ("second", "third"):
        write(learner.notebooks / "10_pipe.ipynb", f"print('{edition}')")
        assert workbook.lay()[0].endswith(": 10_pipe (new).ipynb")
        assert sources(new) == [f"print('{edition}')"]
    write(new, "print('mine, too')")
    write(learner.notebooks / "10_pipe.ipynb", "print('fourth')")
    assert workbook.lay()[0].endswith(": 10_pipe (new 2).ipynb")
    assert sources(new) == ["print('mine, too')"]
    assert sources(learner.workbook / "10_pipe (new 2).ipynb") == ["print('fourth')"]


def test_an_unchanged_copy_follows_its_lesson(learner):
    workbook.lay()
    write(learner.notebooks / "00_start.ipynb", "print('second edition')")
    assert workbook.lay() == []
    assert files(learner.workbook) == ["00_start.ipynb", "10_pipe.ipynb"]
    assert sources(learner.workbook / "00_start.ipynb") == ["print('second edition')"]


def test_running_a_copy_does_not_change_it_and_writing_in_it_does(learner):
    workbook.lay()
    printed = [new_output("stream", name="stdout", text="what I saw\n")]
    # JupyterLab adds an empty cell when the last one is run with Shift and Enter
    write(learner.workbook / "00_start.ipynb", "print(1)", "2 + 2", "", outputs=printed)
    write(learner.workbook / "10_pipe.ipynb", "3 + 3", "print(2)")
    for lesson in learner.notebooks.iterdir():
        write(lesson, "print('second edition')")
    assert len(workbook.lay()) == 1
    assert files(learner.workbook) == ["00_start.ipynb", "10_pipe (new).ipynb", "10_pipe.ipynb"]
    assert sources(learner.workbook / "00_start.ipynb") == ["print('second edition')"]
    assert sources(learner.workbook / "10_pipe.ipynb") == ["3 + 3", "print(2)"], "the order counts"


@pytest.mark.parametrize(
    "damaged", [None, "", "{", "[]", "null", '{"10_pipe.ipynb": null, "00_start.ipynb": []}', "\0"]
)
def test_without_its_record_every_copy_is_hers(learner, damaged):
    workbook.lay()
    record = learner.workbook / workbook.RECORD
    record.unlink() if damaged is None else record.write_text(damaged)
    write(learner.notebooks / "10_pipe.ipynb", "print('second edition')")
    assert workbook.lay() == [
        "10_pipe.ipynb stays as you have it; the lesson as it is now lies beside it: 10_pipe (new).ipynb"
    ]
    assert sources(learner.workbook / "10_pipe.ipynb") == ["print(2)", "3 + 3"]
    assert workbook.lay() == []
    write(learner.notebooks / "00_start.ipynb", "print('second edition')")
    assert workbook.lay() == [], "a copy that is like its lesson is recorded again"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"cells": 5}', b'{"cells": [{}]}', b"\xff\xfe"])
def test_a_copy_that_cannot_be_read_is_hers(learner, content):
    workbook.lay()
    (learner.workbook / "10_pipe.ipynb").write_bytes(content)
    write(learner.notebooks / "10_pipe.ipynb", "print('second edition')")
    assert workbook.lay()[0].endswith("10_pipe (new).ipynb")
    assert (learner.workbook / "10_pipe.ipynb").read_bytes() == content


def test_a_copy_that_was_deleted_comes_back(learner):
    workbook.lay()
    (learner.workbook / "10_pipe.ipynb").unlink()
    assert workbook.lay() == []
    assert files(learner.workbook) == ["00_start.ipynb", "10_pipe.ipynb"]


def test_the_copy_of_a_former_lesson_goes_unless_it_is_hers(learner):
    workbook.lay()
    write(learner.workbook / "10_pipe.ipynb", "print('mine')")
    for lesson in list(learner.notebooks.iterdir()):
        lesson.rename(lesson.with_stem(f"9{lesson.stem}"))
    assert workbook.lay() == ["00_start.ipynb is no longer a lesson; its copy was unchanged, and is gone."]
    assert files(learner.workbook) == ["10_pipe.ipynb", "900_start.ipynb", "910_pipe.ipynb"]
    assert workbook.lay() == []


def test_a_module_that_would_hide_one_of_pythons_is_named(learner):
    workbook.lay()
    for name in ("queue.py", "helpers.py", "mine.py"):
        (learner.workbook / name).touch()
    rest = "hides a module that Python or a lesson needs; please give yours another name."
    assert workbook.lay() == [f"helpers.py {rest}", f"queue.py {rest}"]


# -- one lesson as new -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["10_pipe", "10_pipe.ipynb", "workbook/10_pipe.ipynb"])
def test_fresh_gives_a_lesson_back_and_keeps_what_was_there(learner, name):
    workbook.lay()
    mine = learner.workbook / "10_pipe.ipynb"
    for number, kept in enumerate(("10_pipe (kept).ipynb", "10_pipe (kept 2).ipynb")):
        write(mine, f"print('mine {number}')")
        assert workbook.fresh(name) == f"10_pipe.ipynb is as new; what was there is kept: {kept}"
        assert sources(mine) == ["print(2)", "3 + 3"]
        assert sources(learner.workbook / kept) == [f"print('mine {number}')"]
    write(learner.notebooks / "10_pipe.ipynb", "print('second edition')")
    assert workbook.lay() == [], "as new means unchanged, too"
    assert sources(mine) == ["print('second edition')"]


def test_fresh_lays_a_lesson_that_has_no_copy(learner):
    assert workbook.fresh("10_pipe") == "10_pipe.ipynb is as new"
    assert files(learner.workbook) == ["10_pipe.ipynb"]


@pytest.mark.parametrize("nonsense", ["11_pipe", "", "10_pipe (new)", "../10_pipe.py"])
def test_fresh_names_the_lessons_when_it_is_asked_for_another(learner, nonsense):
    with pytest.raises(ValueError, match="lesson must be one of 00_start, 10_pipe, not '"):
        workbook.fresh(nonsense)
    assert not learner.workbook.exists()


# -- nothing of hers is ever lost --------------------------------------------------------------------------------------

ACTIONS = ["lay", "fresh", "edit", "edit what is new", "next edition", "lose the record", "damage the record"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_whatever_happens_in_whatever_order_all_that_she_wrote_is_still_there(tmp_path_factory, actions):
    at = of_project(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook, "NOTEBOOKS", at.notebooks)
        patch.setattr(workbook, "WORKBOOK", at.workbook)
        write_lessons(at.notebooks)
        workbook.lay()
        hers = {}
        for number, action in enumerate(actions):
            edited = at.workbook / ("10_pipe (new).ipynb" if action == "edit what is new" else "10_pipe.ipynb")
            if action.startswith("edit"):
                # saving in JupyterLab replaces what she herself had saved there
                hers[edited.name] = [f"print('mine {number}')"]
                write(edited, *hers[edited.name])
            elif action == "next edition":
                write(at.notebooks / "10_pipe.ipynb", f"print('edition {number}')")
            elif action == "lose the record":
                (at.workbook / workbook.RECORD).unlink(missing_ok=True)
            elif action == "damage the record":
                (at.workbook / workbook.RECORD).write_text("{")
            elif action == "lay":
                workbook.lay()
                assert {name: sources(at.workbook / name) for name in hers} == hers
            else:
                kept = re.search(r"10_pipe \(kept.*", workbook.fresh("10_pipe"))
                hers |= {kept.group(): hers.pop("10_pipe.ipynb")} if "10_pipe.ipynb" in hers else {}
        assert {name: sources(at.workbook / name) for name in hers} == hers


# -- from the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    """A clone of this project with two small lessons, since `python -m helpers` works where it stands."""
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    at = of_project(tmp_path)
    write_lessons(at.notebooks)
    return at


def start(project, *arguments, code=()):
    return subprocess.Popen(
        [sys.executable, *(code or ("-m", "helpers")), *arguments],
        cwd=project.notebooks.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project, *arguments, code=()):
    command = start(project, *arguments, code=code)
    out, err = command.communicate(timeout=PATIENCE)
    return command.returncode, out.splitlines(), err.splitlines()


def test_the_command_says_in_a_line_each_what_it_did(project):
    where = f"Your copies are in {project.workbook}"
    assert run(project, "workbook") == (0, [where], [])
    assert run(project, "fresh", "10_pipe") == (
        0, ["10_pipe.ipynb is as new; what was there is kept: 10_pipe (kept).ipynb", where], []
    )  # fmt: skip


def test_the_command_names_mistakes_in_one_line(project):
    assert run(project, "fresh", "11_pipe") == (1, [], ["lesson must be one of 00_start, 10_pipe, not '11_pipe'"])
    code, out, err = run(project, "fresh", "10_pipe", "--port")
    assert (code, out, err[-1]) == (2, [], "python -m helpers: error: fresh does not know --port")
    (project.notebooks / "10_pipe.ipynb").write_text("<<<<<<< HEAD")
    code, out, [said] = run(project, "workbook")
    assert (code, out) == (1, [])
    assert re.fullmatch(r".*10_pipe.ipynb is damaged \(.*\); get it back with: git checkout .*10_pipe.ipynb", said)


def test_options_go_through_to_jupyterlab(project):
    code, out, err = run(project, "lab", "--no-browser", "--port", "0", "--version")
    assert code == 0 and re.fullmatch(r"\d+\.\d+\.\d+.*", out[-1])
    assert files(project.workbook) == ["00_start.ipynb", "10_pipe.ipynb"]


def test_the_lab_opens_in_a_workbook_that_is_not_in_the_project(project, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("mine")
    monkeypatch.setenv("TALKING_PROCESSES_WORKBOOK", str(elsewhere))
    code, out, err = run(project, "lab", "--no-browser", "--port", "0", "--version")
    assert code == 0 and re.fullmatch(r"\d+\.\d+\.\d+.*", out[-1]), err
    assert files(elsewhere) == ["00_start.ipynb", "10_pipe.ipynb"]


def test_several_at_once_lay_each_copy_once_and_lose_nothing(project):
    for command in [start(project, "workbook") for _ in range(4)]:
        assert command.communicate(timeout=PATIENCE)[1] == ""
    assert files(project.workbook) == ["00_start.ipynb", "10_pipe.ipynb"]
    write(project.workbook / "10_pipe.ipynb", "print('mine')")
    for lesson in project.notebooks.iterdir():
        write(lesson, "print('second edition')")
    for command in [start(project, "workbook") for _ in range(4)]:
        assert command.communicate(timeout=PATIENCE)[1] == ""
    assert files(project.workbook) == ["00_start.ipynb", "10_pipe (new).ipynb", "10_pipe.ipynb"]
    assert sources(project.workbook / "10_pipe.ipynb") == ["print('mine')"]
    for command in [start(project, "fresh", "10_pipe") for _ in range(4)]:
        assert command.communicate(timeout=PATIENCE)[1] == ""
    assert sources(project.workbook / "10_pipe.ipynb") == ["print('second edition')"]
    kept = list(project.workbook.glob("10_pipe (kept*"))
    assert len(kept) == 4 and ["print('mine')"] in map(sources, kept)
    assert list(json.loads((project.workbook / workbook.RECORD).read_text())) == [
        "00_start.ipynb", "10_pipe (new).ipynb", "10_pipe.ipynb"
    ]  # fmt: skip


CRAMPED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))  # bytes of a file: more cannot be written, as on a full disk
from helpers.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="this system has no limit for a file's size")
@pytest.mark.parametrize("arguments", [["workbook"], ["fresh", "10_pipe"]])
def test_a_full_disk_is_one_clear_error_and_leaves_no_parts(project, arguments):
    project.workbook.mkdir()
    write(project.workbook / "10_pipe.ipynb", "print('mine')")
    code, out, [said] = run(project, *arguments, code=["-B", "-c", CRAMPED])
    assert (code, out) == (1, [])
    assert said == (
        f"{project.workbook} cannot be written: File too large. Nothing of yours was touched. "
        "Make room, or make the folder writable, and try again."
    )
    assert files(project.workbook) == ["10_pipe.ipynb"]
    assert sources(project.workbook / "10_pipe.ipynb") == ["print('mine')"]


def is_allowed_everything():
    return os.name == "nt" or os.geteuid() == 0


@pytest.mark.skipif(is_allowed_everything(), reason="this user may write into read-only folders")
def test_a_read_only_folder_is_one_clear_error_if_something_must_be_written(project):
    project.workbook.mkdir(mode=0o500)
    code, out, [said] = run(project, "workbook")
    assert (code, out) == (1, [])
    assert said.startswith(f"{project.workbook} cannot be written: Permission denied.")
    project.workbook.chmod(0o700)
    run(project, "workbook")
    project.workbook.chmod(0o500)
    assert run(project, "workbook")[0] == 0
    project.workbook.chmod(0o700)


def test_a_file_in_the_way_of_the_folder_is_one_clear_error(project):
    project.workbook.write_text("mine")
    code, out, [said] = run(project, "workbook")
    assert code == 1 and said.startswith(f"{project.workbook} cannot be written: File exists.")
    assert project.workbook.read_text() == "mine"


def test_helpers_without_lessons_beside_them_say_where_to_go(project):
    shutil.rmtree(project.notebooks)
    project.notebooks.mkdir()
    assert run(project, "workbook") == (
        1, [], [f"There are no lessons in {project.notebooks}: run this in the folder of the project."]
    )  # fmt: skip


# -- the copies at work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_links_of_a_lesson_lead_from_its_copy_to_the_same_place(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    for link in re.findall(r"""(?:\]\(|src=["'])([^)#"']+)""", text):
        if not link.startswith(("https://", "data:")):
            target = (path.parent / link).resolve()
            is_lesson = target.parent == path.parent and target.suffix == ".ipynb"
            # only lessons have copies; workbook/ lies beside notebooks/, so all else is found from above both
            assert target.exists() and (is_lesson or link.startswith("../")), link


@pytest.mark.thorough
def test_a_copy_runs_from_top_to_bottom(project):
    shutil.rmtree(project.notebooks)
    shutil.copytree(ROOT / "notebooks", project.notebooks)
    assert run(project, "workbook")[0] == 0
    notebook = nbformat.read(min(project.workbook.glob("*.ipynb")), as_version=4)
    # raises the error of the first cell that fails
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(project.workbook)}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


MINE = """
from ours import word

def worker(connection):
    from later import last_word
    connection.send([word, last_word])
"""

WITH_MY_WORKER = """
from multiprocessing import get_all_start_methods, get_context
from helpers.recording import record
from mine import worker

def ask(ctx):
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=worker, args=(theirs,))
    child.start()
    said.append([ctx.get_start_method(), *ours.recv()] if ours.poll(30) else "nothing")
    child.join(30)

said = []
for method in get_all_start_methods():
    ask(get_context(method))
    with record():
        ask(get_context(method))
said
"""

ANSWERS = [[method, "hello", "bye"] for method in get_all_start_methods() for _ in range(2)]


@pytest.fixture
def with_modules(learner):
    """A notebook of her own, beside the copies, and three modules: hers, one it imports, one it imports in a child."""
    workbook.lay()
    (learner.workbook / "mine.py").write_text(MINE)
    (learner.workbook / "ours.py").write_text("word = 'hello'\n")
    (learner.workbook / "later.py").write_text("last_word = 'bye'\n")
    write(learner.workbook / "my own.ipynb", WITH_MY_WORKER)
    return learner


def test_children_of_a_notebook_run_without_a_browser_find_her_modules(with_modules):
    notebook = nbformat.read(with_modules.workbook / "my own.ipynb", as_version=4)
    where = {"metadata": {"path": str(with_modules.workbook)}}
    NotebookClient(notebook, timeout=PATIENCE, resources=where).execute()
    assert ast.literal_eval(notebook.cells[1].outputs[0].data["text/plain"]) == ANSWERS


def test_children_find_her_modules_when_the_server_was_started_elsewhere(with_modules, tmp_path):
    """A hub starts the server in the home folder; the browser then asks for a kernel for a notebook, by its path."""
    (elsewhere := tmp_path / "elsewhere").mkdir()
    command = ["-m", "jupyterlab", f"--ServerApp.root_dir={tmp_path}"]
    with lab_server(command, cwd=elsewhere, own=tmp_path) as address:
        kernel = kernel_for("workbook/my own.ipynb", address)
        assert said_in(tmp_path / "runtime" / f"kernel-{kernel}.json") == ANSWERS


def kernel_for(notebook, address):
    """Ask the server for a kernel, as JupyterLab does when a notebook is opened; return its id."""
    session = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    sessions = address.replace("/lab?", "/api/sessions?")
    request = urllib.request.Request(sessions, json.dumps(session).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)["kernel"]["id"]


def said_in(connection_file):
    """Run the notebook's cell in a kernel that somebody else has started; return what `said` is then."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    # the answer comes with the reply, so that nothing is lost however late the other channels would be up
    client.start_channels(iopub=False, stdin=False, hb=False, control=False)
    try:
        asked = {"user_expressions": {"said": "said"}, "allow_stdin": False}
        reply = client.execute(WITH_MY_WORKER, reply=True, timeout=PATIENCE, **asked)["content"]
    finally:
        client.stop_channels()
    assert reply["status"] == "ok", reply
    return ast.literal_eval(reply["user_expressions"]["said"]["data"]["text/plain"])
