"""Which lessons there are, and where what is made of them goes."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from helpers.questions import Question

ROOT = Path(__file__).parents[1]
EDITIONS = ROOT / "editions"


def lessons(chosen: Sequence[str] = ()) -> list[Path]:
    """Return the notebooks of these lessons, such as "12_shared_memory", or of all.

    Raises ValueError for what is no lesson.
    """
    found = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    names = [Path(name).name.removesuffix(".ipynb") for name in chosen] or list(found)
    if unknown := [name for name in names if name not in found]:
        raise ValueError(f"NB must be one of {', '.join(found)}, not {unknown[0]!r}")
    return [found[name] for name in names]


def questions_of(path: Path) -> Mapping[str, Question]:
    """Return what a lesson asks, by key; nothing for one that has no module, or asks nothing of its own."""
    module = f"helpers.lessons.{path.stem[3:]}"
    return getattr(import_module(module), "QUESTIONS", {}) if find_spec(module) else {}
