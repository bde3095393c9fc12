"""Labels that keep out of each other's way: a less important one gives way, or moves to where there is room."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

MARK = 10  # points from the middle of a mark to where its label may be
NEAR = 14  # points from the middle of a mark to its label
LEVEL = 15  # points between two levels at which a label is tried
LEVELS = 9


def give_way(figure: Figure, labels: Sequence[Text]) -> None:
    """Take away each label that lies on one before it; `labels` from the most to the least important."""
    figure.draw_without_rendering()  # which settles where things are
    kept: list[Bbox] = []
    for label in labels:
        box = Text.get_window_extent(label)
        if any(box.overlaps(other) for other in kept):
            label.remove()
        else:
            kept.append(box)


def move_apart(figure: Figure, labels: Sequence[Annotation]) -> None:
    """Move each label to the first free place: right of its mark, left of it, then ever higher and lower.

    They must be annotations of the figure's only axes, with offsets in points. The layout leaves them out of account.
    """
    for label in labels:
        label.set_in_layout(False)
    figure.draw_without_rendering()
    point = figure.dpi / 72  # px
    in_px = figure.axes[0].transData.transform
    marks = [Bbox([at, at]).padded(MARK * point) for at in (in_px(label.xy) for label in labels)]
    taken: list[Bbox] = []
    for label in labels:
        for level in sorted(range(-LEVELS, LEVELS + 1), key=abs):
            if _fits(label, NEAR, level, [*marks, *taken]) or _fits(label, -NEAR, level, [*marks, *taken]):
                break
        taken.append(Text.get_window_extent(label))


def _fits(label: Annotation, aside: int, level: int, taken: Sequence[Bbox]) -> bool:
    """Move a label, and tell whether it is free there of all else, and inside of the figure."""
    label.xyann = (aside, level * LEVEL)
    label.set_horizontalalignment("left" if aside > 0 else "right")
    box, page = Text.get_window_extent(label), label.figure.bbox
    is_inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
    return is_inside and not any(box.overlaps(other) for other in taken)
