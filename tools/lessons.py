"""Which lessons there are, and where what is made of them goes."""

from collections.abc import Sequence
from pathlib import Path

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
