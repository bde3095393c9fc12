"""Widgets that are pages too: live where a kernel answers, readable where none does, and saved as they were.

JupyterLab saves of a widget no more than its number, and says "model not found" the next day. So there a cell shows
plain HTML, into which the widget's script moves a live view (see live.js), and which is kept up to date. Other clients
that know widgets are given one; those that only run notebooks are given the HTML alone.
"""

import re
import secrets
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display, update_display

from helpers.show.widgets.frontend import Client, client, in_main_thread

_FOLDER = Path(__file__).parent
BASE = (_FOLDER / "base.css").read_text("utf-8")  # what the style of each widget begins with
_IMPORT = re.compile(r'^import [^;]* from "(\.[^"]*)";\n', re.MULTILINE)


def module(path: Path) -> str:
    """Return a JavaScript module and all files that it imports as one module, as a saved page has no second file."""
    return "".join(_files(path.resolve(), set()))


def _files(path: Path, done: set[Path]) -> list[str]:
    if path in done:
        return []
    done.add(path)
    text = path.read_text("utf-8")
    imported = [file for name in _IMPORT.findall(text) for file in _files((path.parent / name).resolve(), done)]
    return [*imported, _IMPORT.sub("", text)]


class Live(anywidget.AnyWidget):
    """A widget that also is a page. Subclasses say what it shows (`page`, `words`), and what it does (`perform`)."""

    key = traitlets.Unicode().tag(sync=True)  # marks its places on the page

    def __init__(self, **values: Any) -> None:
        super().__init__(key=secrets.token_hex(8), **values)
        self._is_kept = False
        self.on_msg(self._hear)

    def page(self) -> str:
        """Return as HTML what the widget shows now, to be read without a kernel."""
        raise NotImplementedError

    def words(self) -> str:
        """Return the same as plain text."""
        raise NotImplementedError

    def perform(self, task: str, content: dict[str, Any]) -> None:
        """Do what the page asks for, in the main thread; `content` comes from the browser."""

    def bundle(self) -> dict[str, str]:
        """Return what is shown without a kernel, by MIME type."""
        place = f'<div data-talking-processes="{self.key}">{self.page()}</div>'
        return {"text/html": place, "text/plain": self.words()}

    def keep(self) -> None:
        """Let the saved page show what the widget shows now."""
        if self._is_kept:
            update_display(self.bundle(), raw=True, display_id=self.key)

    def open(self) -> None:
        """Open the line to the client, save where nobody is at its other end."""
        if client() is not Client.RUNNER:
            super().open()

    def _hear(self, _: object, content: dict[str, Any], __: object) -> None:
        task = content["task"]
        # at once, so that the page can tell a kernel that works from one that is not there
        self.send({"kind": "started", "task": task})
        in_main_thread(lambda: self._perform(task, content))

    def _perform(self, task: str, content: dict[str, Any]) -> None:
        try:
            self.perform(task, content)
        finally:
            # first what is saved, so that whoever waits for the end may save it
            self.keep()
            self.send({"kind": "done", "task": task})

    def _ipython_display_(self) -> None:
        self._is_kept = client() is Client.LAB
        data, metadata = self._repr_mimebundle_()
        display(data, raw=True, metadata=metadata, display_id=self.key)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if client() is not Client.WIDGETS:
            return self.bundle(), {}
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, **self.bundle()}, metadata
