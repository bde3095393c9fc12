"""The cost map and the bars of the advice say in words what they show."""

import pytest

from helpers.measuring.advice import Survey, Task, advise
from helpers.measuring.timing import Measurement, Point
from helpers.show.figures.choices import cost_map, rates


def measured(name, microseconds):
    points = tuple(Point(size, (1000 * microseconds + size,)) for size in (100, 1_000_000))
    return Measurement(name, "round trip", "spawn", 1, points, Point(0, (10,)))


@pytest.fixture
def survey():
    runs = {"Pipe": measured("Pipe", 20), "shared memory": measured("shared memory", 5)}
    return Survey(runs, runs, {"Pipe": 0.0001, "shared memory": 0.001}, {}, {})


def test_the_map_compares_the_quickest_with_the_slowest(survey):
    picture = cost_map(survey)
    assert picture.title == "A round trip of 100 bytes. Pipe: 3.9 times as long as shared memory"
    assert "Pipe: round trip 20.1 µs, at best 980 MB/s, ready in 100 µs." in picture.words


def test_the_map_needs_a_survey():
    with pytest.raises(TypeError, match="survey must be a Survey"):
        cost_map("everything")


def test_the_bars_mark_what_is_advised_by_a_word_too(survey):
    picture = rates(advise(Task(2, 100, 10), survey))
    assert picture.title == "Pipe for 2 parties: about 50,000 messages of 100 bytes a second, 10 needed"
    labels = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert labels == ["Pipe (advised)", "shared memory"]
