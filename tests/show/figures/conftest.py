"""Whatever a test in this folder draws, no label in it lies on another one."""

from collections.abc import Iterator

import pytest

from helpers.show.theme import Picture
from tests.show.figures.overlaps import overlapping


@pytest.fixture(autouse=True)
def labels_lie_side_by_side(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measure the labels of all pictures that the test has made."""
    drawn: list[Picture] = []
    make = Picture.__init__

    def make_and_note(picture: Picture, *args: object, **kwargs: object) -> None:
        make(picture, *args, **kwargs)
        drawn.append(picture)

    monkeypatch.setattr(Picture, "__init__", make_and_note)
    yield
    assert {picture.title: found for picture in drawn if (found := overlapping(picture.figure))} == {}
