"""How a probe stands in front of a method."""

import functools
from collections.abc import Callable
from typing import Any

from helpers.control.participant import Operation, current, here

__tracebackhide__ = True  # an instrument: never the place where somebody waits

MOST_WORDS = 40  # characters of a value in a story


def whole(
    owner: Any, method: str, kind: str, thing_of: Callable[[Any], str], detail: Callable[..., str] | None = None,
    in_parts: bool = False, stops: bool = False, data_of: Callable[[Any], tuple] | None = None,
) -> None:  # fmt: skip
    """Make the calls of a method one operation, though it is made of smaller ones.

    `detail` gets the result and the arguments, and returns words for the story. With `stops` the method itself stops,
    because nothing that it calls does. `data_of` returns what each step of it accesses beside its calls.
    """
    plain = vars(owner)[method]

    @functools.wraps(plain)
    def controlled(self: Any, *args: Any, **kwargs: Any) -> Any:
        participant = current()
        if participant is None or participant.operation is not None:
            return plain(self, *args, **kwargs)
        data = data_of(self) if data_of else ()
        participant.operation = Operation(kind, thing_of(self), in_parts, data)
        try:
            if stops:
                participant.before(kind, thing_of(self))
            result = plain(self, *args, **kwargs)
            if detail:
                participant.add_detail(detail(result, *args, **kwargs))
            return result
        finally:
            participant.operation = None
            if data:
                participant.accessed(*data)

    setattr(owner, method, controlled)


def exempt(owner: Any, method: str) -> None:
    """Control nothing of what a method does inside."""
    kept = vars(owner)[method]
    plain = getattr(kept, "__func__", kept)

    @functools.wraps(plain)
    def free(*args: Any, **kwargs: Any) -> Any:
        participant = here()
        if participant is None:
            return plain(*args, **kwargs)
        participant.exemptions += 1
        try:
            return plain(*args, **kwargs)
        finally:
            participant.exemptions -= 1

    setattr(owner, method, type(kept)(free) if isinstance(kept, staticmethod | classmethod) else free)


def own_copy(owner: Any, method: str) -> None:
    """Give a class a method of its own for one that it inherits."""
    plain = getattr(owner, method)

    @functools.wraps(plain)
    def inherited(self: Any, *args: Any, **kwargs: Any) -> Any:
        return plain(self, *args, **kwargs)

    setattr(owner, method, inherited)


def in_words(value: Any) -> str:
    """Return a value as Python writes it, shortened."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 3] + "..."
