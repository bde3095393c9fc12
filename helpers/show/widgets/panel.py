"""The panel of a lesson's Play section: knobs, a button, a picture and a verdict in words."""

import threading
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets

from helpers.show.theme import Picture
from helpers.show.widgets.kernel import in_main_thread

Knob = tuple[float, float, float] | Sequence[str]
Run = Callable[..., tuple[Picture, str]]


class Panel(ipywidgets.VBox):
    """Knobs and a button that runs an experiment with them; `verdict` and `picture` hold its last result.

    One run at a time. On a page without a kernel the first picture and its verdict show.
    """

    def __init__(self, run: Run, knobs: dict[str, ipywidgets.Widget]) -> None:
        self.run = run
        self.knobs = knobs
        self.picture: Picture | None = None
        self.verdict = ""
        self._busy = threading.Lock()
        self._button = ipywidgets.Button(description="Run", button_style="primary")
        self._shown = ipywidgets.HTML()
        self._said = ipywidgets.HTML()
        self._button.on_click(self.press)
        super().__init__([*knobs.values(), self._button, self._said, self._shown])
        self.press()

    def press(self, _: ipywidgets.Button | None = None) -> None:
        """Run the experiment once with the knobs as they are, unless a run is going on."""
        in_main_thread(self._run_once)

    def _run_once(self) -> None:
        if not self._busy.acquire(blocking=False):
            return
        self._button.disabled, self._button.description = True, "running …"
        try:
            self.picture, self.verdict = self.run(**{name: knob.value for name, knob in self.knobs.items()})
            self._shown.value = self.picture.html()
        except Exception as error:
            self.verdict = f"{type(error).__name__}: {error}"
        finally:
            self._button.disabled, self._button.description = False, "Run"
            self._busy.release()
        # announced by screen readers when it changes
        self._said.value = f'<p role="status" style="white-space: pre-wrap"><b>{escape(self.verdict)}</b></p>'

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        plain = f"{self.verdict} {self.picture}"
        return {
            **super()._repr_mimebundle_(**kwargs),
            "text/html": self._said.value + self._shown.value,
            "text/plain": plain,
        }


def panel(run: Run, **knobs: Knob) -> Panel:
    """Return a panel that calls `run` with the value of each knob, and shows the (picture, verdict) it returns.

    A knob is (lowest, highest, first value) for a slider, whole numbers or not, or a list of words to choose from.
    Raises TypeError for a knob of any other form, ValueError for a first value out of range.
    """
    return Panel(run, {name: _widget(name, knob) for name, knob in knobs.items()})


def _widget(name: str, knob: Knob) -> ipywidgets.Widget:
    look = {"description": name.replace("_", " "), "style": {"description_width": "10em"}, "layout": {"width": "34em"}}
    if all(isinstance(each, str) for each in knob) and knob:
        return ipywidgets.Dropdown(options=list(knob), **look)
    if len(knob) != 3 or not all(isinstance(each, int | float) for each in knob):
        raise TypeError(f"{name} must be (lowest, highest, first value) or a list of words, not {knob!r}")
    low, high, first = knob
    if not low <= first <= high:
        raise ValueError(f"{name} must start between {low} and {high}, not at {first}")
    if all(isinstance(each, int) for each in knob):
        return ipywidgets.IntSlider(first, low, high, continuous_update=False, **look)
    return ipywidgets.FloatSlider(first, min=low, max=high, step=(high - low) / 100, continuous_update=False, **look)
