"""Which cell of a lesson begins a slide: one rule for all lessons, kept with their outputs.

    make slides NB=10_pipe        editions/slides/10_pipe.html, one file that needs no network

JupyterLab and nbconvert read the kind of a slide in the metadata of a cell: "slide" goes right, "subslide" down,
"fragment" comes with the next key on the same slide, "-" belongs to what stands above, "skip" is left out.
"""

import re
import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

from tools.lessons import EDITIONS, lessons

PAGES = Path(__file__).with_name("pages")
LONG = 8  # lines of a cell that needs a slide of its own
HEADING = re.compile("^##? ", re.MULTILINE)


def slide_type(cell: nbformat.NotebookNode) -> str:
    """Return which kind of slide a cell is; only its source counts, so that it stays when outputs change."""
    if cell.cell_type == "markdown":
        return "slide" if HEADING.search(cell.source) else "subslide"
    if is_folded(cell):
        return "-"  # imports, and the picture that belongs to the title
    if "progress(" in cell.source and len(cell.source.splitlines()) == 1:
        return "skip"  # what a learner has done
    # the verdict comes when all have answered
    if ".verdict(" in cell.source:
        return "fragment"
    is_long = len(cell.source.splitlines()) > LONG
    return "subslide" if is_long or " = question(" in cell.source else "fragment"


def is_folded(cell: nbformat.NotebookNode) -> bool:
    """Tell whether only the outputs of a cell are to be seen."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def without_source(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Let a page show only the outputs of a cell, and return the cell."""
    cell.metadata["transient"] = {"remove_source": True}
    return cell


def tagged(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Give each cell of a notebook its kind of slide, and return the notebook."""
    for cell in notebook.cells:
        cell.metadata["slideshow"] = {"slide_type": slide_type(cell)}
    return notebook


def slides(path: Path) -> str:
    """Return a lesson, with the outputs that it was saved with, as one page of slides."""
    notebook = tagged(nbformat.read(path, as_version=4))
    notebook.cells = [without_source(cell) if is_folded(cell) else cell for cell in notebook.cells]
    exporter = SlidesExporter(template_name="slides", extra_template_basedirs=[str(PAGES)])
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": path.stem}})
    return page


if __name__ == "__main__":
    try:
        for lesson in lessons(sys.argv[1:]):
            page = EDITIONS / "slides" / f"{lesson.stem}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(slides(lesson), encoding="utf-8")
            print(page)
    except ValueError as refusal:
        sys.exit(str(refusal))
