"""Numbers as words: how many, how often, how long. Instruments, lessons and figures all say them."""

import math
from collections.abc import Mapping
from decimal import Decimal

from helpers import validate

_ROUNDING = 1e-14  # of a share that is 0 or 1
LONGEST = 10**6  # s, of durations that are compared
A_DIFFERENCE = 1.3  # times as long; of what is closer, nobody can tell which is longer


def plural(count: int, noun: str, ending: str = "s") -> str:
    """Say how many there are: "1 process", "2,000 processes" (with the ending "es")."""
    validate.whole_number("count", count, 0, 10**18)
    validate.text("noun", noun)
    validate.text("ending", ending, may_be_empty=True)
    return f"{count:,} {noun}{'' if count == 1 else ending}"


def percent(share: float, digits: int = 3) -> str:
    """Say a share from 0 to 1 in percent, with digits enough to tell it from 0 and from 100 %."""
    validate.number("share", share, 0, 1 + _ROUNDING)
    validate.whole_number("digits", digits, 1, 15)
    if share < _ROUNDING:
        return "0 %"
    if 0.99 < share < 1 - _ROUNDING:
        return f"{100 * share:.{1 - math.floor(math.log10(100 * (1 - share)))}f} %"
    return f"{_significant(100 * share, digits if share >= 0.1 else min(digits, 2))} %"


def rounded(number: float) -> str:
    """Say a number with two digits, and never with an exponent: "0.25", "7.1", "160", "12,000"."""
    return _significant(validate.number("number", number, -1e15, 1e15), 2)


def times_as_long(seconds: Mapping[str, float]) -> str:
    """Compare the longest of several durations with the shortest: "spawn: 600 times as long as a thread".

    Durations that are less than A_DIFFERENCE times apart are not told apart. Raises TypeError or ValueError for fewer
    than two durations, or one that is not above 0.
    """
    for name, value in validate.mapping("seconds", seconds, "two durations or more by name", 2).items():
        validate.seconds(f"seconds[{name!r}]", value, LONGEST)
    shortest, longest = min(seconds, key=seconds.__getitem__), max(seconds, key=seconds.__getitem__)
    ratio = seconds[longest] / seconds[shortest]
    if ratio < A_DIFFERENCE:
        return f"No difference: all are less than {A_DIFFERENCE} times apart"
    return f"{longest}: {rounded(ratio)} times as long as {shortest}"


def duration(seconds: float) -> str:
    """Say a duration in the unit that suits it, with three digits: "2.5 s", "35 µs"."""
    unit, factor = unit_of(seconds)
    return f"{_significant(seconds * factor, 3) if seconds * factor < 999.5 else f'{seconds * factor:,.0f}'} {unit}"


def unit_of(seconds: float) -> tuple[str, float]:
    """Return the unit that suits a duration, and how many of it a second has: ("ms", 1000.0)."""
    validate.number("seconds", seconds, 0, 1e12, "seconds")
    return next((each for each in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)) if seconds * each[1] >= 1), ("ns", 1e9))


def _significant(number: float, digits: int) -> str:
    # formatted as a Decimal, since a float may be written with an exponent
    return f"{Decimal(f'{number:.{digits}g}'):,f}"
