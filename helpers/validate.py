"""Bad input gets a clear error, that names the parameter, its value and what is allowed, before anything starts.

Each check returns the value when it is allowed. It raises TypeError for a value of the wrong kind, and ValueError for
one of the right kind that is out of range: "<name> must be <what is allowed>, not <value>".
"""

import math
import os
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from typing import Any, NoReturn, TypeVar, cast

from helpers.contexts import Context

T = TypeVar("T")
K = TypeVar("K")

LONGEST = 80  # characters of a value that an error shows


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """Check for a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(TypeError, name, f"a whole number from {low:,} to {high:,}", value)
    if not low <= value <= high:
        refuse(ValueError, name, f"from {low:,} to {high:,}", value)
    return value


def number(name: str, value: object, low: float, high: float, unit: str = "") -> float:
    """Check for a number from `low` to `high`."""
    allowed = f"from {low:g} to {high:g} {unit}".strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(TypeError, name, f"a number {allowed}", value)
    if not low <= value <= high:
        refuse(ValueError, name, allowed, value)
    return value


def seconds(name: str, value: object, high: float) -> float:
    """Check for a number of seconds above 0, `high` at most."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(TypeError, name, "a number of seconds", value)
    if not 0 < value <= high:
        refuse(ValueError, name, f"above 0 and at most {high:g} seconds", value)
    return value


def flag(name: str, value: bool) -> bool:
    """Check for True or False."""
    if not isinstance(value, bool):
        refuse(TypeError, name, "True or False", value)
    return value


def text(name: str, value: str, may_be_empty: bool = False) -> str:
    """Check for text."""
    if not isinstance(value, str):
        refuse(TypeError, name, "text", value)
    if not value and not may_be_empty:
        refuse(ValueError, name, "text that is not empty", value)
    return value


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Check for one of the words allowed."""
    words = f"one of {', '.join(allowed)}"
    if not isinstance(value, str):
        refuse(TypeError, name, words, value)
    if value not in allowed:
        refuse(ValueError, name, words, value)
    return value


def start_method(method: str) -> str:
    """Check for a start method of this machine."""
    return one_of("method", method, get_all_start_methods())


def context_of(method: str) -> Context:
    """Check for a start method of this machine, and return its context."""
    return cast(Context, get_context(start_method(method)))


def context(ctx: Context) -> Context:
    """Check for a context of multiprocessing."""
    instance("ctx", ctx, BaseContext, "a context, such as get_context('spawn')")
    return ctx


def instance(name: str, value: T, kind: type[T], allowed: str) -> T:
    """Check for an object of a class; `allowed` says what that is, and where one comes from."""
    if not isinstance(value, kind):
        refuse(TypeError, name, allowed, value)
    return value


def function(name: str, value: Callable[..., Any], allowed: str, arguments: int) -> Callable[..., Any]:
    """Check for something that can be called with so many arguments, which `allowed` describes."""
    if not callable(value):
        refuse(TypeError, name, allowed, value)
    # here, since children seldom ask for a function, and inspect takes time to load
    import inspect

    try:
        inspect.signature(value).bind(*range(arguments))
    except ValueError:
        pass  # some functions written in C do not tell what they take
    except TypeError:
        refuse(TypeError, name, f"{allowed} ({arguments} argument{'' if arguments == 1 else 's'})", value)
    return value


def hashable(name: str, value: Hashable, allowed: str) -> Hashable:
    """Check for what can be counted, which lists, dicts and sets cannot."""
    try:
        hash(value)
    except (TypeError, RecursionError):
        refuse(TypeError, name, f"{allowed} that can be counted, such as a number, text or a tuple", value)
    return value


def sequence(name: str, value: Sequence[T], allowed: str, least: int = 1, most: float = math.inf) -> Sequence[T]:
    """Check for a list (or another sequence, but text) of `least` to `most` things, which `allowed` describes."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        refuse(TypeError, name, f"a list of {allowed}", value)
    if not least <= len(value) <= most:
        refuse(ValueError, name, f"a list of {allowed}", value)
    return value


def texts(name: str, value: Sequence[str], allowed: str, least: int = 1, most: float = math.inf) -> Sequence[str]:
    """Check for a list of `least` to `most` texts, which `allowed` describes."""
    for number, each in enumerate(sequence(name, value, allowed, least, most)):
        text(f"{name}[{number}]", each)
    return value


def mapping(name: str, value: Mapping[K, T], allowed: str, least: int = 1) -> Mapping[K, T]:
    """Check for a dict of `least` things or more, which `allowed` describes."""
    if not isinstance(value, Mapping):
        refuse(TypeError, name, f"a dict of {allowed}", value)
    if len(value) < least:
        refuse(ValueError, name, f"a dict of {allowed}", value)
    return value


def path(name: str, value: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Check for the path of a file."""
    if not isinstance(value, str | os.PathLike):
        refuse(TypeError, name, "the path of a file", value)
    if not os.fspath(value):
        refuse(ValueError, name, "the path of a file", value)
    return value


def shown(value: object) -> str:
    """Return a value as an error shows it: long ones shortened in their middle."""
    try:
        words = repr(value)
    except Exception as error:  # whatever a class does there, and lists that are nested too deeply
        words = f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 20]}...{words[-10:]}"


def refuse(kind: type[Exception], name: str, allowed: str, value: object) -> NoReturn:
    """Raise an error of this kind, in the words of all others."""
    raise kind(f"{name} must be {allowed}, not {shown(value)}")
