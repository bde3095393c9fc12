"""A bar that shows how far a measurement has come."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import ipywidgets
from IPython.display import display

from helpers import validate

T = TypeVar("T")


def progress(total: int, what: str = "runs") -> Callable[[int], None]:
    """Show a bar, and return the function that moves it: it takes the number of those done.

    Raises TypeError or ValueError for a total that is not a whole number from 1 to 100,000, or for no text.
    """
    bar = ipywidgets.IntProgress(value=0, max=validate.whole_number("total", total, 1, 100_000))
    words = ipywidgets.Label(f"0 of {total:,} {validate.text('what', what)}")
    display(ipywidgets.HBox([bar, words]))

    def advance(done: int) -> None:
        # a hundred steps are enough to see, and leave the runs alone
        if done == total or done % max(1, total // 100) == 0:
            bar.value, words.value = done, f"{done:,} of {total:,} {what}"

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
