"""How pictures are saved: small, and in exactly the colours that were chosen to be told apart."""

import io

import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from helpers.show.theme import FAILURE, PROCESS_COLOURS, Picture, canvas


def colours_of(picture):
    image = Image.open(io.BytesIO(picture.png())).convert("RGB")
    return {colour for _, colour in image.getcolors(image.width * image.height)}


@pytest.mark.parametrize("colour", [*PROCESS_COLOURS, FAILURE])
def test_a_thin_line_keeps_its_colour_among_all_others(colour):
    figure, (axes,) = canvas("Every colour at once", height=4)
    for number, other in enumerate([*PROCESS_COLOURS, FAILURE]):
        axes.plot([0, 1, 2], [number, number + 1, number / 2], color=other, linewidth=0.8)
        axes.bar(number, number + 1, color=other, alpha=0.3)
    kept = colours_of(Picture(figure, "Every colour at once", "Eight lines and eight bars."))
    assert tuple(round(255 * channel) for channel in to_rgb(colour)) in kept
