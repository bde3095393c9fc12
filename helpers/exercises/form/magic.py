"""The cell magic `%%mine NAME`: what stands in the cell becomes the learner's module of that name."""

from IPython import get_ipython

from helpers.exercises.form import desk
from helpers.exercises.form.exercise import named


def offer() -> None:
    """Make the magic known to the notebook, if there is one."""
    if shell := get_ipython():
        shell.register_magic_function(mine, "cell")


def mine(name: str, text: str) -> desk.Desk:
    """Keep a cell as the learner's module, and return the desk at which it is judged.

    The exercise gets its name in the notebook too, for cells such as `till.check()`. Raises ValueError for a name that
    no exercise has.
    """
    exercise = named(name.strip())
    if shell := get_ipython():
        shell.push({exercise.name: exercise})
    at = desk.of(exercise)
    at.keep_module(text)
    return at
