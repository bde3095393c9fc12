"""How every picture looks: colours, sizes, and how a figure reaches the notebook together with words for it.

Colours are from Okabe and Ito, "Color Universal Design" (2008), told apart by nearly everybody; none carries a meaning
alone. Vermilion is kept for failures and lost updates.
"""

import base64
import html
import io
import re
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like, to_rgb
from matplotlib.figure import Figure
from PIL import Image

from helpers import validate

INK = "#1a1a1a"
FAINT = "#8a8a8a"
GRID = "#dddddd"
PAPER = "#ffffff"  # opaque, so that a figure reads the same in the light and the dark theme
FAILURE = "#D55E00"  # vermilion
PROCESS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#B8A800", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":")
WIDTH = 9.0  # inches
DOTS = 80  # per inch
COLOURS = 128  # kept in a saved picture

_NUMBER_AND_UNIT = re.compile(r"(\d) (%|n?s\b|[mµ]s\b|[kMG]?B\b|bytes?\b)")

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
}


class Picture:
    """A figure, its title, and the same in words for those who do not see it.

    In a notebook it shows as an image that carries the words as alternative text.
    """

    def __init__(self, figure: Figure, title: str, words: str) -> None:
        self.figure = figure
        self.title = title
        self.words = words

    def png(self) -> bytes:
        """Return the picture as a PNG file with its most frequent colours, which is a third of the size."""
        dots, buffer, small = DOTS * 1.5, io.BytesIO(), io.BytesIO()
        # as plain bytes: to pack them into a file and to unpack it again takes as long as to draw
        self.figure.savefig(buffer, format="rgba", dpi=dots, facecolor=PAPER)
        width, height = (int(inches * dots) for inches in self.figure.get_size_inches())
        drawn = Image.frombuffer("RGBA", (width, height), buffer.getvalue(), "raw", "RGBA", 0, 1)
        _with_fewer_colours(drawn.convert("RGB")).save(small, format="png", optimize=True)
        return small.getvalue()

    def __repr__(self) -> str:
        stop = "" if self.title.endswith(("?", ".", "!")) else "."
        return f"{self.title}{stop} {self.words}"

    def html(self) -> str:
        """Return the picture as an HTML image with its words."""
        # JupyterLab shows no alternative text for image/png, so the image travels inside HTML
        data = base64.b64encode(self.png()).decode()
        style = f"max-width: 100%; width: {self.figure.get_figwidth() * DOTS:.0f}px"
        return f'<img alt="{html.escape(repr(self))}" style="{style}" src="data:image/png;base64,{data}">'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}


def _with_fewer_colours(picture: Image.Image) -> Image.Image:
    """Keep the frequent colours as they are: what is averaged away is only the blur at the edges of letters."""
    # never None, which stands for more colours than asked for: there are no more than pixels
    counts: Any = picture.getcolors(picture.width * picture.height)
    frequent = [colour for _, colour in sorted(counts, reverse=True)[:COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in frequent for channel in colour])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def canvas(title: str, height: float, panels: int = 1, width: float = WIDTH) -> tuple[Figure, list[Axes]]:
    """Return an empty figure, so many inches high and wide, and its panels from top to bottom; pyplot is not involved.

    Raises TypeError or ValueError for no title, a height or width not from 0.1 to 100, or panels not from 1 to 10.
    """
    validate.text("title", title)
    validate.number("height", height, 0.1, 100, "inches")
    validate.number("width", width, 0.1, 100, "inches")
    validate.whole_number("panels", panels, 1, 10)
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
        axes = list(figure.subplots(panels, 1, squeeze=False)[:, 0])
        # a number stays with its unit, wherever the line ends
        together = _NUMBER_AND_UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", title)
        figure.suptitle(together, x=0.01, ha="left", fontsize=14, fontweight="bold", wrap=True)
        for panel in axes:
            panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def colour_of(process: int) -> str:
    """Return the colour of the n-th process of a notebook; TypeError or ValueError for what is not its number."""
    validate.whole_number("process", process, 0, 10**6)
    return PROCESS_COLOURS[process % len(PROCESS_COLOURS)]


def pale(colour: str) -> tuple[float, float, float]:
    """Return a pale tint of a colour, for waiting; TypeError or ValueError for what is none."""
    if not is_color_like(validate.text("colour", colour)):
        validate.refuse(ValueError, "colour", "a colour, such as '#0072B2' or 'red'", colour)
    red, green, blue = (1 - (1 - channel) * 0.25 for channel in to_rgb(colour))
    return red, green, blue
