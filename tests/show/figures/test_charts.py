"""Small figures: the title is computed from the data, and the words say what the picture shows."""

import pytest

from helpers.lessons.start_here import Check
from helpers.show import bars, checklist, model, steps


def test_a_model_names_processes_and_what_connects_them():
    picture = model(["parent", "child"], [("parent", "child", "pipe")])
    assert picture.title == "2 processes, each with a memory of its own"
    assert "parent and child are connected: pipe." in picture.words


def test_bars_compare_the_longest_with_the_shortest():
    picture = bars({"slow": 0.3, "quick": 0.1})
    assert picture.title == "slow: 3 times as long as quick"
    assert picture.words == "quick: 100 ms, slow: 300 ms."


@pytest.mark.parametrize(("longest", "unit"), [(3.0, "s"), (3e-3, "ms"), (3e-6, "µs"), (3e-9, "ns")])
def test_the_axis_is_in_the_unit_of_the_longest(longest, unit):
    seconds = {"quick": longest / 2, "slow": longest}
    [across] = bars(seconds, "one use").figure.axes
    [up] = steps([10, 20], {name: [value] * 2 for name, value in seconds.items()}, "one use").figure.axes
    assert (across.get_xlabel(), up.get_ylabel()) == (f"one use in {unit}", f"one use in {unit}")
    assert across.patches[-1].get_width() == pytest.approx(3) and max(up.lines[-1].get_ydata()) == pytest.approx(3)


@pytest.mark.parametrize("seconds", [{}, {"alone": 1.0}])
def test_bars_need_two_durations(seconds):
    with pytest.raises(ValueError, match="seconds must be a dict of two durations or more by name, not"):
        bars(seconds)


def test_a_duration_that_cannot_be_is_named_with_its_bar():
    with pytest.raises(ValueError, match=r"seconds\['b'\] must be above 0 and at most 1e\+06 seconds, not 0.0"):
        bars({"a": 1.0, "b": 0.0})


def test_steps_tell_between_which_sizes_the_duration_jumps():
    picture = steps([10, 20, 40], {"one way": [0.001, 0.05, 0.05], "duplex": [0.05, 0.05, 0.05]}, "time")
    assert picture.title == "time jumps: one way between 10 and 20 bytes, duplex nowhere in this range"


def test_a_checklist_shows_what_is_to_repair_and_folds_what_is_in_order():
    table = checklist([Check("Python", "3.9", False, "make <lab>"), Check("cores", "<2>", True)]).data
    shown, folded = table.split("<details>")
    assert "✘ to repair" in shown and "make &lt;lab&gt;" in shown and "cores" not in shown
    assert "✔ 1 of 2 in order" in folded and "&lt;2&gt;" in folded and "Python" not in folded


def test_a_checklist_of_a_machine_in_order_is_one_line_to_open():
    assert checklist([Check("cores", "2", True)]).data.startswith("<details><summary>✔ 1 of 1 in order</summary>")


def test_a_picture_carries_its_words_as_alternative_text():
    picture = bars({"slow": 0.3, "quick": 0.1})
    shown = picture._repr_mimebundle_()
    assert f'alt="{picture.title}. {picture.words}"' in shown["text/html"]
    assert shown["text/plain"] == repr(picture)
