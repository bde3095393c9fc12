"""Labels that lie on each other in a figure, or run out of it, measured where they are drawn."""

from itertools import combinations
from unittest.mock import patch

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

TOUCH = 1.5  # px by which the boxes of two labels may meet: a box is a little larger than its letters


def drawn_labels(figure: Figure) -> list[tuple[str, Bbox]]:
    """Draw a figure; return each label that is really drawn, and its box in px."""
    drawn: list[Text] = []
    draw = Text.draw

    def note_and_draw(text: Text, renderer: object, *args: object, **kwargs: object) -> None:
        if text.get_visible() and text.get_text().strip():
            drawn.append(text)
        draw(text, renderer, *args, **kwargs)

    with patch.object(Text, "draw", note_and_draw):
        figure.draw_without_rendering()
    # measured after the drawing, which settles the layout
    return [(text.get_text(), Text.get_window_extent(text)) for text in drawn]


def overlapping(figure: Figure) -> list[str]:
    """Say which labels lie on each other, and which run out of the figure."""
    labels = drawn_labels(figure)
    found = [
        f"{first!r} and {second!r}"
        for (first, one), (second, other) in combinations(labels, 2)
        if (common := Bbox.intersection(one, other)) and min(common.width, common.height) > TOUCH
    ]
    page = figure.bbox.padded(TOUCH)
    outside = [
        f"{text!r} leaves the figure"
        for text, box in labels
        if not (page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1)
    ]
    return found + outside
