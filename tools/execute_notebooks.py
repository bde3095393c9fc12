"""Run notebooks and keep their outputs: the only way in which the outputs in this project change.

    python -m tools.execute_notebooks notebooks/10_pipe.ipynb ...

A notebook runs in a fresh kernel, from top to bottom. Kept is what a reader of the saved page can use; widgets,
which need a kernel, and what differs from machine to machine without meaning anything are left out.
"""

import copy
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tools.slides import tagged

CELL_LIMIT = 15.0  # seconds; a learner does not wait longer, even with a bar to look at
# no versions: they differ from machine to machine; the language makes `jupyter nbconvert --to script` write a .py
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        # it writes the magics of a notebook as Python
        "nbconvert_exporter": "python",
    },
}
KEPT = ("tags", "jupyter")  # of the metadata of a cell: what tests look for, and whether its source is folded
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(path: Path) -> float:
    """Run one notebook in place and return how long it took, in seconds.

    Raises nbclient's CellExecutionError when a cell fails, and RuntimeError when one takes longer than CELL_LIMIT.
    The file is written only when all went well.
    """
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    took = run(notebook, path.parent)
    seconds = time.perf_counter() - start
    allowed = f"at most {CELL_LIMIT:g} s are allowed"
    slow = [
        f"{path.name}, cell {number}: {taken:.1f} s, {allowed}" for number, taken in took.items() if taken > CELL_LIMIT
    ]
    if slow:
        raise RuntimeError("\n".join(slow))
    nbformat.write(cleaned(notebook), path)
    return seconds


def run(
    notebook: nbformat.NotebookNode, folder: Path, environment: Mapping[str, str] | None = None
) -> dict[int, float]:
    """Run all cells as if they stood in that folder; return how long each took, in seconds, by its number.

    The outputs are added to the notebook. The kernel gets this environment, or that of this process.
    Raises nbclient's CellExecutionError when a cell fails.
    """
    began: dict[int, float] = {}
    took: dict[int, float] = {}

    def start_clock(cell: nbformat.NotebookNode, cell_index: int) -> None:
        began[cell_index] = time.perf_counter()

    def stop_clock(cell: nbformat.NotebookNode, cell_index: int, **_: object) -> None:
        if cell_index in began:
            took[cell_index] = time.perf_counter() - began[cell_index]

    client = NotebookClient(
        notebook,
        timeout=60,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=start_clock,
        on_cell_executed=stop_clock,
    )
    client.execute(env={**os.environ, **(environment or {})})
    return took


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook tagged for slides, without widgets, execution metadata and the versions of this machine."""
    notebook.metadata = copy.deepcopy(METADATA)
    for cell in notebook.cells:
        cell.metadata = {name: cell.metadata[name] for name in KEPT if cell.metadata.get(name)}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_readable(output)]
    return tagged(notebook)


def _is_readable(output: nbformat.NotebookNode) -> bool:
    """Take the widget out of an output; False when nothing to read is left."""
    data = output.get("data", {})
    return data.pop(WIDGET, None) is None or set(data) != {"text/plain"}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name}: {execute(Path(name)):.1f} s", flush=True)
