"""Figures of cost: the titles are computed, the words say every point."""

from dataclasses import replace

import pytest

from helpers.measuring.placement import Placement
from helpers.measuring.timing import Measurement, Point
from helpers.show import latency, throughput


def measurement(name="pipe", fixed=20_000, per_byte=1):
    sizes = [10, 1_000, 100_000]
    points = tuple(Point(size, (fixed + per_byte * size, fixed + per_byte * size)) for size in sizes)
    return Measurement(name, "round trip", "spawn", 3, points, Point(0, (300,)))


def test_the_title_of_latency_is_what_was_measured():
    assert latency(measurement()).title == "pipe: 20 µs with 10 bytes, 120 µs with 100,000 bytes"


def test_the_title_of_several_latencies_compares_them():
    title = latency(*(measurement(name, fixed) for name, fixed in [("a", 20_000), ("b", 60_000), ("c", 40_000)])).title
    assert title == "A round trip of 10 bytes. b: 3 times as long as a"


def test_the_title_of_throughput_is_the_best():
    assert throughput(measurement()).title == "pipe: 833 MB/s at best, with 100,000 bytes a message"


def test_the_words_say_every_point_of_every_mechanism():
    words = latency(measurement(), measurement("queue", fixed=100_000)).words
    assert words == (
        "pipe: 10 bytes 20 µs, 1,000 bytes 21 µs, 100,000 bytes 120 µs. "
        "queue: 10 bytes 100 µs, 1,000 bytes 101 µs, 100,000 bytes 200 µs."
    )


def test_where_it_was_measured_is_said_when_it_is_known():
    measured = replace(measurement(), placement=Placement(on_two=5))
    picture = latency(measured)
    assert picture.words.startswith("pipe, on two cores: 10 bytes 20 µs")
    first, *_ = picture.figure.axes[0].get_legend().get_texts()
    assert first.get_text() == "pipe, on two cores"


def test_two_humps_are_shown_and_said_and_not_averaged_away():
    both = tuple([18_000] * 60 + [60_000] * 40)
    measured = replace(measurement(), points=(Point(10, both), Point(100_000, (90_000,) * 100)))
    picture = latency(measured)
    assert "10 bytes 18 µs (60 %) or 60 µs (40 %)" in picture.words
    drawn = {line.get_label(): list(line.get_ydata()) for line in picture.figure.axes[0].lines}
    assert drawn["pipe"] == pytest.approx([18e-6, 90e-6])
    assert drawn["pipe, at other times"] == pytest.approx([60e-6])
    assert measured.fit.at(10) == pytest.approx(18e-6, rel=0.01)


@pytest.mark.parametrize("picture", [latency, throughput])
def test_figures_can_be_drawn(picture):
    assert picture(measurement(), measurement("queue")).png().startswith(b"\x89PNG")


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="one or more"):
        latency()
    with pytest.raises(TypeError, match="measurements must be what round_trips or one_way returns, not"):
        throughput([1, 2])
