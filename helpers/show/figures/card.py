"""The card of a lesson: the mechanism in one picture, five lines of code, three warnings."""

from collections.abc import Mapping
from html import escape
from types import ModuleType

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from helpers import cards, validate
from helpers.cards import Card, Place
from helpers.show.theme import FAINT, INK, PAPER, Picture, canvas, colour_of, pale
from helpers.show.widgets.predict import html_of

WIDTH = 5.4  # inches
ROW = 0.9  # inches
BOX = (0.62, 0.5)  # width and height of a box, of the 1.0 between two columns or rows
BEND = 0.28  # of an arrow whose way back is drawn too
BESIDE = 0.13  # between a bent arrow's middle and its label, of a row


class DrawnCard:
    """A card as it is shown: its picture, and its code and warnings as text that can be read aloud and copied."""

    def __init__(self, card: Card) -> None:
        self.card = cards.valid(card)
        self.picture = _mechanism(card)

    def html(self, image: str = "") -> str:
        """Return the card as HTML; `image` is the picture as HTML, where it is not to be the usual one."""
        given = ", ".join(f"<code>{escape(line)}</code>" for line in self.card.above)
        warnings = "".join(f"<li>⚠ {html_of(warning)}</li>" for warning in self.card.warnings)
        return (
            f'<section class="card">{image or self.picture.html()}<pre><code>{escape(self.card.code)}</code></pre>'
            f"<p><small>Above these lines: {given}.</small></p><ul>{warnings}</ul></section>"
        )

    def __repr__(self) -> str:
        return "\n".join([repr(self.picture), self.card.code, *(f"⚠ {warning}" for warning in self.card.warnings)])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}


def card(lesson: ModuleType) -> DrawnCard:
    """Draw the card of a lesson: `CARD` in its module. Its `picture` is there by itself, too.

    Raises TypeError for a module that has none, and TypeError or ValueError for one that cannot be drawn.
    """
    drawn = getattr(lesson, "CARD", None)
    if not isinstance(lesson, ModuleType) or not isinstance(drawn, Card):
        validate.refuse(TypeError, "lesson", "a module with a CARD, such as helpers.lessons.pipe", lesson)
    return DrawnCard(drawn)


def _mechanism(card: Card) -> Picture:
    places = {**card.processes, **card.things}
    columns, rows = (1 + max(place[axis] for place in places.values()) for axis in (0, 1))
    figure, (axes,) = canvas(card.title, height=0.8 + ROW * rows, width=WIDTH)
    axes.set_axis_off()
    axes.set_xlim(-0.36, columns - 0.64)
    boxes = _boxes(axes, card.processes, is_process=True) | _boxes(axes, card.things, is_process=False)
    ways = {(first, second) for first, second, _ in card.arrows}
    heights = [-0.5 + BESIDE, rows - 0.5 - BESIDE]
    for first, second, label in card.arrows:
        bend = BEND if (second, first) in ways else 0.0
        axes.add_patch(FancyArrowPatch(places[first], places[second], patchA=boxes[first], patchB=boxes[second],
                                       arrowstyle="-|>", mutation_scale=13, color=INK, lw=1.6, shrinkA=2, shrinkB=2,
                                       connectionstyle=f"arc3,rad={bend}", clip_on=False))  # fmt: skip
        heights.append(_label(axes, places[first], places[second], label, bend * WIDTH / columns / ROW))
    axes.set_ylim(max(heights) + BESIDE, min(heights) - BESIDE)
    named = [("Round boxes", card.processes), ("Square boxes", card.things)]
    words = [f"{what}: {', '.join(map(_flat, names))}." for what, names in named if names]
    words += [f"{_flat(first)} to {_flat(second)}: {_flat(label)}." for first, second, label in card.arrows]
    return Picture(figure, card.title, " ".join(words))


def _boxes(axes: Axes, places: Mapping[str, Place], is_process: bool) -> dict[str, FancyBboxPatch]:
    """Draw boxes, round and coloured for processes, square and grey for things."""
    boxes = {}
    width, height = BOX
    for number, (name, (column, row)) in enumerate(places.items()):
        colour = colour_of(number) if is_process else FAINT
        style = "round,pad=0,rounding_size=0.1" if is_process else "square,pad=0"
        corner = column - width / 2, row - height / 2
        boxes[name] = FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=pale(colour), edgecolor=colour,
                                     lw=2)  # fmt: skip
        axes.add_patch(boxes[name])
        axes.text(column, row, name, ha="center", va="center", fontsize=11, linespacing=1.1)
    return boxes


def _label(axes: Axes, start: Place, end: Place, label: str, bend: float) -> float:
    """Write above a straight arrow, outside a bent one, to the right of one that goes down; return at which height."""
    across, down = end[0] - start[0], end[1] - start[1]
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    if not across:
        axes.text(x + 0.04, y, label, ha="left", va="center", fontsize=10)
        return y
    y += bend * across / 2  # an arc leaves its line by half its bend
    if abs(down) < abs(across):
        y += BESIDE if bend * across > 0 else -BESIDE
    axes.text(x, y, label, ha="center", va="center", fontsize=10, zorder=5,
              bbox={"facecolor": PAPER, "lw": 0, "pad": 1, "alpha": 0.85})  # fmt: skip
    return y


def _flat(name: str) -> str:
    return " ".join(name.split())
