"""Show a worker's source beside its use, since it lives in a module and not in the notebook."""

import inspect
from collections.abc import Callable
from pathlib import Path

from IPython.display import Markdown

ROOT = Path(__file__).parents[2]


def show_source(worker: Callable[..., object] | type) -> Markdown:
    """Return the source of a function or class, with the file in which it stands.

    Raises TypeError for anything that is not written in Python.
    """
    try:
        source, path = inspect.getsource(worker).rstrip(), Path(inspect.getfile(worker))
    except (TypeError, OSError):
        raise TypeError(f"worker must be a function or class written in a module, not {worker!r}") from None
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    return Markdown(f"`{name}`\n\n```python\n{source}\n```")
