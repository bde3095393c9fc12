"""Figures of cost: the titles are computed, the words say every point."""

import pytest

from helpers.measuring.timing import Measurement, Point
from helpers.show import latency, throughput


def measurement(name="pipe", fixed=20_000, per_byte=1):
    sizes = [10, 1_000, 100_000]
    points = tuple(Point(size, (fixed + per_byte * size, fixed + per_byte * size)) for size in sizes)
    return Measurement(name, "round trip", "spawn", 3, points, Point(0, (300,)))


def test_the_title_of_latency_is_the_fit():
    assert latency(measurement()).title == "pipe: 20 µs plus 1 ms per MB"


def test_the_title_of_throughput_is_the_best():
    assert throughput(measurement()).title == "pipe: 833 MB/s at best, with 100,000 bytes a message"


def test_the_words_say_every_point_of_every_mechanism():
    words = latency(measurement(), measurement("queue", fixed=100_000)).words
    assert words == (
        "pipe: 10 bytes 20 µs, 1,000 bytes 21 µs, 100,000 bytes 120 µs. "
        "queue: 10 bytes 100 µs, 1,000 bytes 101 µs, 100,000 bytes 200 µs."
    )


@pytest.mark.parametrize("picture", [latency, throughput])
def test_figures_can_be_drawn(picture):
    assert picture(measurement(), measurement("queue")).png().startswith(b"\x89PNG")


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="one or more"):
        latency()
    with pytest.raises(TypeError, match="measurements must be what round_trips or one_way returns, not"):
        throughput([1, 2])
