"""Bad input gets a clear error, that names the parameter, its value and what is allowed, before anything starts."""

from collections.abc import Collection
from multiprocessing import get_all_start_methods


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """Return `value` if it is a whole number from `low` to `high`; raise TypeError or ValueError if it is not."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number from {low:,} to {high:,}, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low:,} to {high:,}, not {value!r}")
    return value


def number(name: str, value: float, low: float, high: float, unit: str = "") -> float:
    """Return `value` if it is a number from `low` to `high`; raise TypeError or ValueError if it is not."""
    allowed = f"from {low:g} to {high:g} {unit}".strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number {allowed}, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return value


def seconds(name: str, value: float, high: float) -> float:
    """Return `value` if it is a number of seconds above 0, `high` at most; raise TypeError or ValueError if not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 < value <= high:
        raise ValueError(f"{name} must be above 0 and at most {high:g} seconds, not {value!r}")
    return value


def one_of(name: str, value: str, allowed: Collection[str]) -> str:
    """Return `value` if it is one of those allowed; raise TypeError or ValueError if it is not."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def start_method(value: str) -> str:
    """Return `value` if it is a start method of this machine; raise TypeError or ValueError if it is not."""
    return one_of("method", value, get_all_start_methods())
