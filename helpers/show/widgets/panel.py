"""The panel of a lesson's Play section: knobs, a button, a picture and a verdict in words."""

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import traitlets

from helpers import validate
from helpers.show.theme import Picture
from helpers.show.widgets.live import BASE, Live, module

Knob = tuple[float, float, float] | Sequence[str] | Mapping[str, Any] | bool
Experiment = Callable[..., tuple[Mapping[str, Any], str]]
Draw = Callable[..., Picture]

_FOLDER = Path(__file__).parent
_ALLOWED = "words to choose from, a dict of words and values, True or False, or (lowest, highest, first value)"
_STEPS = 100  # of a slider that is not for whole numbers


@dataclass
class _Choice:
    """One of several values, each under a label."""

    options: dict[str, Any]

    def look(self) -> dict[str, Any]:
        return {"kind": "choice", "options": list(self.options)}

    @property
    def first(self) -> int:
        return 0

    def value(self, shown: int) -> Any:
        """Return the value that the run gets for what the page says: the number of an option."""
        return list(self.options.values())[shown]

    def words(self, shown: int) -> str:
        return list(self.options)[shown]


@dataclass
class _Slider:
    """A number from low to high; a whole one where all three are."""

    low: float
    high: float
    first: float

    def look(self) -> dict[str, Any]:
        step = 1 if self._is_whole else (self.high - self.low) / _STEPS
        return {"kind": "range", "low": self.low, "high": self.high, "step": step}

    @property
    def _is_whole(self) -> bool:
        return all(isinstance(each, int) for each in (self.low, self.high, self.first))

    def value(self, shown: float) -> float:
        return round(shown) if self._is_whole else float(shown)

    def words(self, shown: float) -> str:
        return f"{shown:g}"


@dataclass
class _Flag:
    """Yes or no."""

    first: bool

    def look(self) -> dict[str, Any]:
        return {"kind": "flag"}

    def value(self, shown: bool) -> bool:
        return shown

    def words(self, shown: bool) -> str:
        return "yes" if shown else "no"


class Panel(Live):
    """Knobs and a button that runs an experiment with them; `verdict` and `picture` hold its last result.

    `values` holds what the knobs say, a choice by the number of its option. One run at a time. On a page without a
    kernel the last picture and its verdict show.
    """

    _esm = module(_FOLDER / "panel.js")
    _css = BASE + (_FOLDER / "panel.css").read_text("utf-8")
    knobs: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)  # number of the run, its verdict, its picture as HTML

    def __init__(self, experiment: Experiment, draw: Draw, knobs: "Mapping[str, _Choice | _Slider | _Flag]") -> None:
        self.experiment = experiment
        self.draw = draw
        self.picture: Picture | None = None
        self.verdict = ""
        self._knobs = dict(knobs)
        self._busy = threading.Lock()
        self._number = 0
        super().__init__(
            knobs=[{"name": name, "label": _label(name), **knob.look()} for name, knob in knobs.items()],
            values={name: knob.first for name, knob in knobs.items()},
            shown={"number": 0, "verdict": "", "html": ""},
        )
        self.press()

    def press(self) -> None:
        """Run the experiment once with the knobs as they are, unless a run is going on."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            values = {name: knob.value(self.values[name]) for name, knob in self._knobs.items()}
            data, verdict = _result(self.experiment(**values))
            self.picture, self.verdict = self.draw(**data), verdict
        except Exception as error:
            # without the picture of an earlier run, which shows something else
            self.picture, self.verdict = None, f"{type(error).__name__}: {error}"
        except BaseException:
            self.picture, self.verdict = None, "Interrupted. Press Run to begin again."
            raise
        finally:
            self._number += 1
            html = self.picture.html() if self.picture else ""
            self.shown = {"number": self._number, "verdict": self.verdict, "html": html}
            self._busy.release()

    def perform(self, task: str, content: dict[str, Any]) -> None:
        """Run with the values that the page sends."""
        if task == "run":
            self.values = content["values"]
            self.press()

    def page(self) -> str:
        """Return the last result, and with which values it was reached, as HTML."""
        settings = "".join(
            f"<li>{escape(_label(name))}: <b>{escape(knob.words(self.values[name]))}</b></li>"
            for name, knob in self._knobs.items()
        )
        return (
            f"<ul>{settings}</ul><p style='white-space: pre-wrap'><b>{escape(self.verdict)}</b></p>"
            f"{self.shown['html']}<p><i>Run this cell to turn the knobs yourself.</i></p>"
        )

    def words(self) -> str:
        """Return the last result in words."""
        return f"{self.verdict} {self.picture or ''}".rstrip()


def panel(experiment: Experiment, draw: Draw, **knobs: Knob) -> Panel:
    """Return a panel that calls `experiment` with the value of each knob, and shows what comes of it.

    The experiment returns the arguments of `draw` by name, and a verdict in words. A knob is (lowest, highest, first
    value) for a slider, whole numbers or not; True or False; a list of words to choose from; or a dict of words and the
    values that they stand for. Raises TypeError for a knob of any other form or an experiment that does not take these
    knobs, ValueError for a first value out of range.
    """
    made = {name: _knob(name, knob) for name, knob in knobs.items()}
    _check_takes(experiment, knobs)
    if not callable(draw):
        validate.refuse(TypeError, "draw", "a function that returns a picture, such as lanes", draw)
    return Panel(experiment, draw, made)


def _label(name: str) -> str:
    return name.replace("_", " ")


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


def _knob(name: str, knob: Any) -> _Choice | _Slider | _Flag:
    if isinstance(knob, bool):
        return _Flag(knob)
    if isinstance(knob, Mapping) and knob:
        return _Choice(dict(knob))
    validate.sequence(name, knob, _ALLOWED, least=0)
    if knob and all(isinstance(each, str) for each in knob):
        return _Choice({word: word for word in knob})
    if len(knob) != 3 or not all(isinstance(each, int | float) for each in knob):
        validate.refuse(TypeError, name, f"a list of {_ALLOWED}", knob)
    low, high, first = knob
    if not low <= first <= high:
        raise ValueError(f"{name} must start between {low} and {high}, not at {first}")
    return _Slider(low, high, first)
