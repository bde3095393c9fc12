"""What the instruments share when they are used from the command line: whom to run, and where the pictures go."""

import html
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import validate
from helpers.recording.trace import Trace


class Unusable(ValueError):
    """There is no such program; the message says what to write instead."""


def program_at(program: str) -> Callable[[], Any]:
    """Return the function that `path/to/program.py:function` names, in a module that child processes can import.

    Raises TypeError for anything but text, Unusable where there is no such function.
    """
    path, colon, name = validate.text("program", program).rpartition(":")
    file = Path(path).resolve()
    if not colon or not name.isidentifier() or file.suffix != ".py":
        raise Unusable(f"program must be written as path/to/program.py:function, not {program!r}")
    if not file.is_file():
        raise Unusable(f"there is no file {path}")
    if not file.stem.isidentifier():
        raise Unusable(f"a file that processes can import has a name like a variable, not {file.name!r}; rename it")
    # as if it were run as a script: what lies beside it can be imported
    sys.path.insert(0, str(file.parent))
    module = importlib.import_module(file.stem)
    if Path(module.__file__ or "").resolve() != file:
        raise Unusable(f"another module is called {file.stem!r} too ({module.__file__}); rename the file")
    found = getattr(module, name, None)
    if not callable(found):
        functions = [each for each, value in vars(module).items() if getattr(value, "__module__", "") == file.stem]
        raise Unusable(f"{file.name} has no function {name!r}; it has {', '.join(sorted(functions)) or 'none'}")
    return found


def write_page(folder: Path, title: str, words: str, trace: Trace) -> list[Path]:
    """Write a page with the lanes and the words, and a Chrome trace, which Perfetto opens; return both files.

    Without Matplotlib the page has the words only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, chrome = folder / f"{title}.html", folder / f"{title}.json"
    trace.to_chrome(chrome)
    page.write_text(
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f"<h1>{html.escape(title)}</h1>\n{_picture(trace)}\n<pre>{html.escape(words)}</pre>\n</html>\n",
        encoding="utf-8",
    )
    return [page, chrome]


def _picture(trace: Trace) -> str:
    try:
        from helpers.show import lanes
    except ImportError as missing:
        return f"<p>There is no picture, because {html.escape(str(missing.name))} is not installed.</p>"
    return lanes(trace).html()
