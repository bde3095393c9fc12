"""What a learner has predicted and solved so far: of one lesson, at its end, and of all, as a map in the first one."""

import pkgutil
from collections.abc import Callable
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import traitlets
from IPython.display import Markdown

import helpers.exercises
from helpers import progress, validate, workbook
from helpers.exercises.form import magic
from helpers.exercises.form.exercise import Exercise, all_known
from helpers.show.widgets.frontend import progress_shown
from helpers.show.widgets.live import BASE, Live, module
from helpers.words import plural

_FOLDER = Path(__file__).parent


class Overview(Live):
    """A table of what has been done, with a button to start over where it is of all lessons."""

    _esm = module(_FOLDER / "overview.js")
    _css = BASE + (_FOLDER / "overview.css").read_text("utf-8")
    html = traitlets.Unicode().tag(sync=True)
    may_start_over = traitlets.Bool(False).tag(sync=True)

    def __init__(self, tell: Callable[[progress.Progress], tuple[str, str]], may_start_over: bool) -> None:
        self._tell = tell
        self._words = ""
        super().__init__(may_start_over=may_start_over)
        self._show()

    def perform(self, task: str, content: dict[str, Any]) -> None:
        """Begin with nothing noted."""
        if task == "start over" and self.may_start_over:
            self._show(progress.start_over())

    def page(self) -> str:
        """Return the table as HTML."""
        return self.html

    def words(self) -> str:
        """Return the same in words."""
        return self._words

    def _show(self, said: str = "") -> None:
        noted = progress_shown()
        damaged = f"{plural(noted.damaged, 'damaged line')} of workbook/{progress.FILE} left out."
        words, table = self._tell(noted)
        said = " ".join(filter(None, (said, damaged if noted.damaged else "")))
        self._words = " ".join(filter(None, (words, said)))
        self.html = f"<p><b>{escape(words)}</b></p>{table}<p>{escape(said)}</p>"
        self.keep()


def lesson_progress(lesson: str) -> Overview:
    """Return what was predicted and solved in one lesson, such as "shared_memory".

    Raises TypeError or ValueError for what is no lesson.
    """
    _validate(lesson)
    return Overview(lambda noted: _of_lesson(lesson, noted), may_start_over=False)


def your_turn(lesson: str) -> Markdown:
    """Make the exercises of a lesson ready, and return what they are and what to do with them.

    Raises TypeError or ValueError for what is no lesson.
    """
    _validate(lesson)
    magic.offer()
    rows = [f"{number}. `{each.name}`: {each.kind}" for number, each in enumerate(exercises_of(lesson), 1)]
    return Markdown("\n".join(rows))


def all_progress() -> Overview:
    """Return a map of all lessons, with a button to start over."""
    return Overview(_of_all, may_start_over=True)


def _of_lesson(lesson: str, noted: progress.Progress) -> tuple[str, str]:
    asked, tried, exercises = noted.predictions(lesson), noted.exercises(), exercises_of(lesson)
    solved = [each for each in exercises if tried.get(each.name)]
    words = (
        f"{len(solved)} of {plural(len(exercises), 'exercise')} solved; "
        f"{plural(len(asked), 'prediction')} made, {sum(asked.values())} right at the first try."
    )
    rows = [
        f"<li>{_state(tried.get(each.name))} <code>{escape(each.name)}</code>, {escape(each.kind)}</li>"
        for each in exercises
    ]
    return words, f"<ul>{''.join(rows)}</ul>"


def _of_all(noted: progress.Progress) -> tuple[str, str]:
    solved, made, rows, tried = 0, 0, [], noted.exercises()
    for notebook, lesson in _lessons().items():
        asked, exercises = noted.predictions(lesson), exercises_of(lesson)
        done = sum(tried.get(each.name, False) for each in exercises)
        solved, made = solved + done, made + len(asked)
        squares = "".join(_state(tried.get(each.name)) for each in exercises)
        rows.append(
            f'<tr><td><a href="{notebook}.ipynb">{notebook.replace("_", " ")}</a></td><td>{squares}</td>'
            f"<td>{done} of {len(exercises)}</td><td>{sum(asked.values())} of {len(asked)}</td></tr>"
        )
    head = "<tr><th>lesson</th><th>exercises</th><th>solved</th><th>predictions right at the first try</th></tr>"
    words = f"{plural(solved, 'exercise')} solved, {plural(made, 'prediction')} made."
    return words, f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def exercises_of(lesson: str) -> list[Exercise]:
    """Return the exercises of a lesson, in their order: those of this project, and others that were imported."""
    if any(found.name == lesson for found in pkgutil.iter_modules(helpers.exercises.__path__)):
        import_module(f"helpers.exercises.{lesson}")
    return [each for each in all_known() if each.lesson == lesson]


def _lessons() -> dict[str, str]:
    """Return the lessons by the names of their notebooks."""
    return {path.stem: path.stem[3:] for path in sorted(workbook.NOTEBOOKS.glob("*.ipynb"))}


def _validate(lesson: str) -> None:
    validate.one_of("lesson", lesson, list(_lessons().values()))


def _state(was_solved: bool | None) -> str:
    """Return a sign that can be told without its colour, and its name for those who do not see it."""
    sign, name = {True: ("✔", "solved"), False: ("✘", "tried, not solved"), None: ("·", "not tried")}[was_solved]
    return f'<span role="img" aria-label="{name}" title="{name}">{sign}</span> '
