"""Run notebooks and keep their outputs: the only way in which the outputs in this project change.

    python -m tools.execute_notebooks notebooks/10_pipe.ipynb ...

A notebook runs in a fresh kernel, from top to bottom. Kept is what a reader of the saved page can use; widgets,
which need a kernel, and what differs from machine to machine without meaning anything are left out.
"""

import copy
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

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
    slow: list[str] = []
    began: dict[int, float] = {}

    def start_clock(cell: nbformat.NotebookNode, cell_index: int) -> None:
        began[cell_index] = time.perf_counter()

    def stop_clock(cell: nbformat.NotebookNode, cell_index: int, **_: object) -> None:
        took = time.perf_counter() - began.get(cell_index, time.perf_counter())
        if took > CELL_LIMIT:
            slow.append(f"{path.name}, cell {cell_index}: {took:.1f} s, at most {CELL_LIMIT:g} s are allowed")

    client = NotebookClient(
        notebook,
        timeout=60,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=start_clock,
        on_cell_executed=stop_clock,
    )
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    if slow:
        raise RuntimeError("\n".join(slow))
    nbformat.write(cleaned(notebook), path)
    return seconds


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook without widgets, execution metadata and the versions of this machine."""
    notebook.metadata = copy.deepcopy(METADATA)
    for cell in notebook.cells:
        cell.metadata = {name: cell.metadata[name] for name in KEPT if cell.metadata.get(name)}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_readable(output)]
    return notebook


def _is_readable(output: nbformat.NotebookNode) -> bool:
    """Take the widget out of an output; False when nothing to read is left."""
    data = output.get("data", {})
    return data.pop(WIDGET, None) is None or set(data) != {"text/plain"}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name}: {execute(Path(name)):.1f} s", flush=True)
