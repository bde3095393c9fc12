"""The panel of a lesson's Play section: knobs, a button, a picture and a verdict in words."""

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets

from helpers import validate
from helpers.show.theme import Picture
from helpers.show.widgets.kernel import in_main_thread

Knob = tuple[float, float, float] | Sequence[str] | Mapping[str, Any] | bool
Experiment = Callable[..., tuple[Mapping[str, Any], str]]
Draw = Callable[..., Picture]


class Panel(ipywidgets.VBox):
    """Knobs and a button that runs an experiment with them; `verdict` and `picture` hold its last result.

    One run at a time. On a page without a kernel the first picture and its verdict show.
    """

    def __init__(self, experiment: Experiment, draw: Draw, knobs: dict[str, ipywidgets.Widget]) -> None:
        self.experiment = experiment
        self.draw = draw
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
            data, verdict = _result(self.experiment(**{name: knob.value for name, knob in self.knobs.items()}))
            self.picture, self.verdict = self.draw(**data), verdict
            self._shown.value = self.picture.html()
        except Exception as error:
            # without the picture of an earlier run, which shows something else
            self.picture, self._shown.value, self.verdict = None, "", f"{type(error).__name__}: {error}"
        except BaseException:
            self.picture, self._shown.value, self.verdict = None, "", "Interrupted. Press Run to begin again."
            raise
        finally:
            self._button.disabled, self._button.description = False, "Run"
            # announced by screen readers when it changes
            self._said.value = f'<p role="status" style="white-space: pre-wrap"><b>{escape(self.verdict)}</b></p>'
            self._busy.release()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        plain = f"{self.verdict} {self.picture or ''}".rstrip()
        return {
            **super()._repr_mimebundle_(**kwargs),
            "text/html": self._said.value + self._shown.value,
            "text/plain": plain,
        }


def panel(experiment: Experiment, draw: Draw, **knobs: Knob) -> Panel:
    """Return a panel that calls `experiment` with the value of each knob, and shows what comes of it.

    The experiment returns the arguments of `draw` by name, and a verdict in words. A knob is (lowest, highest, first
    value) for a slider, whole numbers or not; True or False; a list of words to choose from; or a dict of words and the
    values that they stand for. Raises TypeError for a knob of any other form or an experiment that does not take these
    knobs, ValueError for a first value out of range.
    """
    widgets = {name: _widget(name, knob) for name, knob in knobs.items()}
    _check_takes(experiment, knobs)
    if not callable(draw):
        validate.refuse(TypeError, "draw", "a function that returns a picture, such as lanes", draw)
    return Panel(experiment, draw, widgets)


def _check_takes(experiment: Experiment, knobs: dict[str, Knob]) -> None:
    allowed = f"a function of {', '.join(knobs) or 'nothing'} that returns (what is drawn, verdict)"
    if not callable(experiment):
        validate.refuse(TypeError, "experiment", allowed, experiment)
    try:
        inspect.signature(experiment).bind(**knobs)
    except TypeError as error:
        validate.refuse(TypeError, "experiment", f"{allowed} ({error})", experiment)


def _result(returned: object) -> tuple[Mapping[str, Any], str]:
    match returned:
        case (Mapping() as data, str() as verdict):
            return data, verdict
    allowed = "(the arguments of draw, verdict), such as ({'run': run}, 'it took 2 s')"
    validate.refuse(TypeError, "what experiment returns", allowed, returned)


def _widget(name: str, knob: Knob) -> ipywidgets.Widget:
    look = {"description": name.replace("_", " "), "style": {"description_width": "10em"}, "layout": {"width": "34em"}}
    if isinstance(knob, bool):
        # on the line of the other knobs' values, with its name before it
        return ipywidgets.Checkbox(knob, indent=True, **look)
    if isinstance(knob, Mapping) and knob:
        return ipywidgets.Dropdown(options=list(knob.items()), **look)
    allowed = "words to choose from, a dict of words and values, True or False, or (lowest, highest, first value)"
    validate.sequence(name, knob, allowed, least=0)
    if knob and all(isinstance(each, str) for each in knob):
        return ipywidgets.Dropdown(options=list(knob), **look)
    if len(knob) != 3 or not all(isinstance(each, int | float) for each in knob):
        validate.refuse(TypeError, name, f"a list of {allowed}", knob)
    low, high, first = knob
    if not low <= first <= high:
        raise ValueError(f"{name} must start between {low} and {high}, not at {first}")
    if all(isinstance(each, int) for each in knob):
        return ipywidgets.IntSlider(first, low, high, continuous_update=False, **look)
    return ipywidgets.FloatSlider(first, min=low, max=high, step=(high - low) / 100, continuous_update=False, **look)
