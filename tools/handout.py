"""Print a lesson with room for answers: questions to tick, lines for reasons, skeletons with space beside the task.

make handout NB=10_pipe        editions/handouts/10_pipe.html, and a PDF where there is Chromium or Chrome
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell

from helpers.questions import Question
from helpers.show.widgets.predict import questions_of
from tools.editions import ASKED, MINE
from tools.lessons import EDITIONS, lessons
from tools.slides import PAGES, is_folded, without_source

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
ROOM = '<div class="room"></div>'  # a line to write on
LINES_FOR_A_REASON = 2
LINES_FOR_A_PROGRAM = 12
PATIENCE = 60  # s for the browser


def handout(path: Path) -> str:
    """Return a lesson as a page to be printed, with no outputs but the sources of workers and the mental model."""
    questions = questions_of(path.stem[3:])
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [each for cell in notebook.cells for each in _on_paper(cell, questions)]
    exporter = HTMLExporter(template_name="handout", extra_template_basedirs=[str(PAGES)])
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": path.stem}})
    return page


def print_to_pdf(page: Path) -> Path | None:
    """Print a page as PDF beside it, and return that; None where there is no browser.

    Raises subprocess.CalledProcessError or TimeoutExpired where the browser fails.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return None
    pdf = page.with_suffix(".pdf")
    with TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer",
                   f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.as_uri()]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return pdf


def _on_paper(cell: nbformat.NotebookNode, questions: Mapping[str, Question]) -> list[nbformat.NotebookNode]:
    """Return what stands on paper in place of a cell."""
    if cell.cell_type == "markdown":
        return [cell]
    if asked := ASKED.findall(cell.source):
        return [new_markdown_cell(_to_tick(questions[key])) for _, _, key in asked]
    if is_folded(cell) or cell.source.startswith("show_source("):
        return [without_source(cell)]
    cell.outputs = []
    if MINE.match(cell.source):
        return [cell, new_markdown_cell("Your program:\n\n" + ROOM * LINES_FOR_A_PROGRAM)]
    if ".verdict(" in cell.source:
        return [cell, new_markdown_cell("What happened, and why:\n\n" + ROOM * LINES_FOR_A_REASON)]
    # nobody presses buttons on paper
    return [] if "progress(" in cell.source.partition("\n")[0] else [cell]


def _to_tick(question: Question) -> str:
    answers = [f"- ☐ {answer}" for answer in question.answers.values()] or [f"- ________ {question.unit}"]
    return "\n".join([f"**Predict.** {question.asks}\n", *answers, "\nBecause:\n", ROOM * LINES_FOR_A_REASON])


if __name__ == "__main__":
    try:
        for lesson in lessons(sys.argv[1:]):
            page = EDITIONS / "handouts" / f"{lesson.stem}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(handout(lesson), encoding="utf-8")
            print(page, print_to_pdf(page) or "(no PDF: there is no Chromium and no Chrome)")
    except ValueError as refusal:
        sys.exit(str(refusal))
