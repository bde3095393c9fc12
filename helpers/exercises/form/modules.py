"""The learner's own modules in her workbook: written by a cell, read by a check, imported by her children."""

from helpers import workbook
from helpers.exercises.form.exercise import Exercise


def text_of(exercise: Exercise) -> str:
    """Return what stands in her workbook, or the skeleton where nothing does."""
    try:
        return (workbook.WORKBOOK / f"{exercise.name}.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return exercise.skeleton


def write(exercise: Exercise, text: str) -> str:
    """Write her module, and return a sentence that says so; a skeleton never takes the place of her own work.

    Raises OSError where the workbook cannot be written.
    """
    path = workbook.WORKBOOK / f"{exercise.name}.py"
    if exercise.is_untouched(text) and path.exists() and not exercise.is_untouched(text_of(exercise)):
        return f"Your own version is kept in workbook/{path.name}. To begin anew, press Start over."
    _write(exercise, text)
    return f"Kept as workbook/{path.name}."


def begin_anew(exercise: Exercise) -> str:
    """Write the skeleton, keep what was there beside it, and return a sentence that says so."""
    if exercise.is_untouched(text_of(exercise)):
        return "It is as new already."
    kept = workbook.keep(f"{exercise.name}.py")
    _write(exercise, exercise.skeleton)
    return f"workbook/{exercise.name}.py is as new; what you had is kept: {kept}."


def _write(exercise: Exercise, text: str) -> None:
    # a line for the magic, so that lines have the same numbers here and in the cell
    workbook.write(f"{exercise.name}.py", f"# %%mine {exercise.name}\n{text}")
