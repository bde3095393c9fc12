"""Show the listing of a worker beside its use, since it stands in a module and not in the notebook."""

import inspect
from collections.abc import Callable
from pathlib import Path

from IPython.display import Markdown

from helpers import validate

ROOT = Path(__file__).parents[2]
# said of each listing: pages that nbconvert writes give those in outputs the font of the text around
FIXED_WIDTH = "font-family: monospace"


def show_source(*workers: Callable[..., object] | type) -> Markdown:
    """Return the source of functions or classes, with the files in which they stand.

    Raises TypeError for anything that is not written in Python, ValueError for nothing at all.
    """
    if not workers:
        raise ValueError("workers must be one or more, not none")
    return Markdown("\n\n".join(map(_source, workers)))


def _source(worker: Callable[..., object] | type) -> str:
    try:
        source, path = inspect.getsource(worker).rstrip(), Path(inspect.getfile(worker))
    except (TypeError, OSError):
        source = ""
    if not source or inspect.ismodule(worker):
        validate.refuse(TypeError, "workers", "functions or classes written in a module", worker)
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    return f'<div style="{FIXED_WIDTH}">\n\n`{name}`\n\n```python\n{source}\n```\n\n</div>'
