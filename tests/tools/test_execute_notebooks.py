"""Executing a notebook keeps what a reader can use, and nothing of the machine."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbconvert import ScriptExporter
from nbformat.v4 import new_code_cell, new_notebook

from tools import execute_notebooks


def written(path, *sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Execute a notebook that prints, shows a widget and has a result."""
    path = tmp_path_factory.mktemp("executed") / "a.ipynb"
    written(path, "print('seen')", "import ipywidgets\nipywidgets.IntSlider()", "1 + 1")
    assert execute_notebooks.execute(path) > 0
    return nbformat.read(path, as_version=4)


def test_outputs_are_kept_and_widgets_are_not(executed):
    first, second, third = executed.cells
    assert first.outputs[0].text == "seen\n"
    assert second.outputs == []
    assert third.outputs[0].data == {"text/plain": "2"}
    assert [first.execution_count, third.execution_count] == [1, 3]


def test_a_saved_notebook_says_nothing_of_the_machine(executed):
    assert executed.metadata == execute_notebooks.METADATA
    assert "version" not in str(executed.metadata)
    # nothing but how it is shown as slides
    assert [list(cell.metadata) for cell in executed.cells] == [["slideshow"]] * 3


def test_as_a_script_a_saved_notebook_is_a_python_file(executed):
    script, resources = ScriptExporter().from_notebook_node(executed)
    assert resources["output_extension"] == ".py"
    compile(script, "a.py", "exec")


def test_a_notebook_that_fails_is_left_as_it_was(tmp_path):
    path = written(tmp_path / "a.ipynb", "print('new')", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute_notebooks.execute(path)
    assert path.read_bytes() == before


def test_a_cell_that_takes_too_long_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(execute_notebooks, "CELL_LIMIT", 0.2)
    path = written(tmp_path / "a.ipynb", "import time", "time.sleep(0.4)")
    with pytest.raises(RuntimeError, match=r"a.ipynb, cell 1: 0\.\d s, at most 0\.2 s"):
        execute_notebooks.execute(path)
