"""A bar that shows how far a measurement has come."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TypeVar

from IPython.display import display, update_display

from helpers import validate

T = TypeVar("T")


def progress(total: int, what: str = "runs") -> Callable[[int], None]:
    """Show a bar, and return the function that moves it: it takes the number of those done.

    It is plain HTML, which each client shows and keeps; of a widget the saved page would say that it is not found.
    Raises TypeError or ValueError for a total that is not a whole number from 1 to 100,000, or for no text.
    """
    validate.whole_number("total", total, 1, 100_000)
    validate.text("what", what)
    key = secrets.token_hex(8)
    display(_bar(0, total, what), raw=True, display_id=key)

    def advance(done: int) -> None:
        # a hundred steps are enough to see, and leave the runs alone
        if done == total or done % max(1, total // 100) == 0:
            update_display(_bar(done, total, what), raw=True, display_id=key)

    return advance


def tracked(items: Sequence[T], what: str = "mechanisms") -> Iterator[T]:
    """Show a bar, and return the items one after the other; the bar shows how many are done.

    Raises TypeError or ValueError for what is no list of things, or as `progress` does.
    """
    validate.sequence("items", items, "things to go through")
    return _tracked(items, progress(len(items), what))


def _tracked(items: Sequence[T], advance: Callable[[int], None]) -> Iterator[T]:
    for done, item in enumerate(items, 1):
        yield item
        advance(done)


def _bar(done: int, total: int, what: str) -> dict[str, str]:
    words = f"{done:,} of {total:,} {what}"
    bar = f'<progress value="{done}" max="{total}" aria-label="{escape(what)}"></progress>'
    return {"text/html": f"{bar} {escape(words)}", "text/plain": words}
