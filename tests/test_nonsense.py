"""Whoever calls a public function with nonsense is told which parameter, which value and what is allowed, at once.

The functions are found, not listed: all public ones in the lessons, in `show`, in `measuring` and in the modules beside
them, and whatever the front doors of the other instruments offer. Each parameter gets each kind of nonsense, while the
others get the valid arguments of `valid_arguments`. A worker that takes live objects runs in a child, and is left out.
"""

import contextlib
import importlib
import inspect
import io
import math
import pkgutil
import re
import subprocess
import threading
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from multiprocessing import process, util
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import helpers
from tests.valid_arguments import EXEMPT, INSTANCES, MAKES_SENSE, VALID

OPEN = ("helpers.measuring", "helpers.show")  # packages in which all is public, not only what their door offers
LONGEST = 10  # s for one call, on a busy machine: more is a hang
LONGEST_MESSAGE = 600  # characters
LIVE = ("multiprocessing.", "ctypes", "_ctypes", "helpers.scheduling.program.handles")  # where live objects come from


class Nobody:
    """A class of no use."""


@cache
def deep_list() -> list:
    """Return a list that is deeper than any Python pickles."""
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    return deep


def nonsense() -> dict[str, Any]:
    """Return one value of each kind, fresh, save the deep list, which takes long to make."""
    return {
        "none": None, "true": True, "minus": -1, "zero": 0, "half": 1.5, "nan": math.nan, "inf": math.inf,
        "huge": 10**30, "blank": "", "text": "x", "bytes": b"x", "list": [], "tuple": (), "dict": {}, "set": set(),
        "object": object(), "function": lambda a, b, c, d, e, f, g: None, "class": Nobody,
        "generator": (_ for _ in ()), "module": math, "ellipsis": ..., "deep": deep_list(),
    }  # fmt: skip


@dataclass(frozen=True)
class Target:
    """Something public that can be called."""

    module: str
    name: str  # "function", "Class" or "Class.method"
    callable: Callable[..., Any]

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """What a caller gives."""
        given = list(inspect.signature(self.callable).parameters.values())
        is_method = "." in self.name and given and given[0].name in ("self", "cls")
        return given[1:] if is_method else given

    @property
    def asked(self) -> list[inspect.Parameter]:
        """Those that get nonsense: of a validator only the value, since the rest stands in our own sources."""
        if self.module == "helpers.validate":
            return [each for each in self.parameters if each.name in ("value", "ctx", "method")]
        return self.parameters

    def bound(self) -> Callable[..., Any]:
        """Return what is to be called: a method belongs to an object of its class."""
        owner, _, method = self.name.rpartition(".")
        return getattr(INSTANCES[owner](), method) if owner else self.callable


# -- what is public ----------------------------------------------------------------------------------------------------


@cache
def public_things() -> list[tuple[str, str, Any]]:
    """Return module, name and object of each public function and class."""
    found, behind_doors = {}, []
    for info in pkgutil.walk_packages(helpers.__path__, "helpers."):
        if info.name.startswith(tuple(behind_doors)):
            continue
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            found[thing.__module__, name] = thing
        if hasattr(module, "__all__") and not info.name.startswith(OPEN):
            behind_doors.append(f"{info.name}.")
        own = {name: thing for name, thing in vars(module).items() if not name.startswith("_")}
        found |= {(info.name, n): o for n, o in own.items() if getattr(o, "__module__", None) == info.name}
    return [(module, name, thing) for (module, name), thing in found.items()]


@cache
def every_target() -> list[Target]:
    every: list[Target] = []
    for module, name, thing in public_things():
        if inspect.isclass(thing):
            every += _of_class(module, thing)
        elif isinstance(inspect.unwrap(thing), FunctionType) and not runs_in_a_child(thing):
            every.append(Target(module, name, thing))
    return [target for target in every if target.parameters]


def targets() -> list[Target]:
    return [target for target in every_target() if target.name not in exempt()]


def exempt() -> set[str]:
    return {name for names in EXEMPT.values() for name in names.split()}


def _of_class(module: str, kind: type) -> Iterator[Target]:
    is_pythons = issubclass(kind, BaseException | Enum)
    has_own_init = not is_pythons and ("__init__" in vars(kind) or "__new__" in vars(kind))
    if has_own_init:
        yield Target(module, kind.__name__, kind)
    for name, value in vars(kind).items():
        method = getattr(value, "__func__", value)  # of a class method or a static one
        is_own = isinstance(method, FunctionType) and method.__module__ == module
        if is_own and (name == "__getitem__" or not name.startswith("_")):
            yield Target(module, f"{kind.__name__}.{name}", method)


def runs_in_a_child(function: FunctionType) -> bool:
    """Tell whether it is a worker: a generator of a scenario, or what takes live objects and returns nothing."""
    hints = inspect.get_annotations(function)
    is_live = any(str(getattr(hint, "__module__", "")).startswith(LIVE) for name, hint in hints.items() if hint)
    return inspect.isgeneratorfunction(function) or (is_live and hints.get("return", ...) is None)


# -- one call ----------------------------------------------------------------------------------------------------------


class Started(BaseException):
    """Raised where a process would have been started."""


def looked_up(table: dict[str, Any], target: Target, parameter: str, otherwise: Any) -> Any:
    return table.get(f"{target.name}.{parameter}", table.get(parameter, otherwise))


def arguments(target: Target, chosen: inspect.Parameter, value: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call: nonsense for the chosen parameter, something valid for what has no default."""
    positional, named = [], {}
    for parameter in target.parameters:
        kind, name = parameter.kind, parameter.name
        if kind is parameter.VAR_POSITIONAL:
            positional += [value] if name == chosen.name else []
        elif kind is parameter.VAR_KEYWORD:
            named |= {"n": value} if name == chosen.name else looked_up(VALID, target, name, dict)()
        elif name == chosen.name:
            named[name] = value
        elif parameter.default is parameter.empty or f"{target.name}.{name}" in VALID:
            make = looked_up(VALID, target, name, None)
            assert make, f"tests/valid_arguments.py needs a valid {target.name}.{name}"
            named[name] = make()
    if positional:
        ahead = [p.name for p in target.parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        positional = [named.pop(name) for name in ahead if name in named] + positional
    return positional, named


def complaint(target: Target, parameter: inspect.Parameter, kind: str, value: Any) -> str | None:
    """Call with one piece of nonsense; return what is wrong with the answer, None if it is clear."""
    makes_sense = kind in looked_up(MAKES_SENSE, target, parameter.name, "").split()
    named = "n" if parameter.kind is parameter.VAR_KEYWORD else parameter.name
    positional, keywords = arguments(target, parameter, value)
    try:
        with no_longer_than(LONGEST):
            target.bound()(*positional, **keywords)
    except (TypeError, ValueError) as error:
        if makes_sense and re.search(rf"\b{named}\b", str(error)):
            return f"is refused, though it makes sense: {error}"
        return None if makes_sense else unclear(error, named, value)
    except Started:
        return None if makes_sense else "a process was started"
    except KeyboardInterrupt:
        return f"nothing happened within {LONGEST} s"
    except Exception as error:
        return None if makes_sense else f"{type(error).__name__}: {str(error)[:200]}"
    return None if makes_sense else "accepted without a word"


def unclear(error: Exception, name: str, value: Any) -> str | None:
    message = str(error)
    missing = [] if re.search(rf"\b{name}\b", message) else ["the parameter"]
    missing += [] if f"not {beginning(value)}" in message else ["the value"]
    missing += [] if len(message) <= LONGEST_MESSAGE else ["brevity"]
    return f"lacks {' and '.join(missing)}: {type(error).__name__}: {message[:200]}" if missing else None


def beginning(value: Any) -> str:
    """Return how a value's text begins, since long ones may be shortened, or its type where it has no text."""
    try:
        return repr(value)[:20]
    except RecursionError:
        return f"<{type(value).__name__}"


@contextlib.contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Interrupt the block when it hangs."""
    alarm = threading.Timer(seconds, interrupt_main)
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def unclear_calls(module: str) -> Iterator[str]:
    """Yield a line for each call of a module's functions that is not answered clearly."""
    for target in targets():
        if target.module != module:
            continue
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            for parameter in target.asked:
                for kind, value in nonsense().items():
                    if word := complaint(target, parameter, kind, value):
                        yield f"{target.module}.{target.name}({parameter.name}={kind}): {word}"
        if said.getvalue():
            yield f"{target.module}.{target.name} prints: {said.getvalue()[:200]}"


# -- the tests ---------------------------------------------------------------------------------------------------------

MODULES = sorted({target.module for target in targets()})


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # where a file may be written, should that make sense
    monkeypatch.chdir(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise Started

    monkeypatch.setattr(process.BaseProcess, "start", refuse)
    monkeypatch.setattr(util, "spawnv_passfds", refuse)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    # a bar is shown, which without a notebook is printed
    monkeypatch.setattr("helpers.show.widgets.progress.display", lambda shown: None)


@pytest.mark.parametrize("module", MODULES)
def test_nonsense_is_answered_clearly_before_anything_starts(module):
    assert list(unclear_calls(module)) == []


def strict(value):
    if value != 1:
        raise ValueError(f"value must be 1, not {value!r}")


def lenient(value):
    return value


def obscure(value):
    return value.real + 1


def hasty(value):
    process.BaseProcess.start(None)
    strict(value)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (strict, None),
        (lenient, "accepted without a word"),
        (obscure, "AttributeError: 'NoneType' object has no attribute 'real'"),
        (hasty, "a process was started"),
    ],
)
def test_an_unclear_answer_is_noticed(function, words):
    target = Target("tests", function.__name__, function)
    assert complaint(target, target.parameters[0], "none", None) == words


def test_the_tables_name_only_what_exists():
    callables = {target.name for target in every_target()}
    known = {p.name for target in targets() for p in target.parameters}
    known |= {f"{target.name}.{p.name}" for target in targets() for p in target.parameters}
    assert {*VALID, *MAKES_SENSE} - known == set()
    assert exempt() - callables - known == set()
    assert set(INSTANCES) - {name.split(".")[0] for name in callables if "." in name} == set()
