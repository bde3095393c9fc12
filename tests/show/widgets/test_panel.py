"""The panel: one run at a time, a verdict in words, errors as one message."""

import re

import pytest

from helpers.show import bars, panel


def compare(slow):
    return {"seconds": {"quick": 1.0, "slow": float(slow)}}, f"slow is {slow} times as slow"


def test_it_runs_once_when_shown_and_again_when_pressed():
    shown = panel(compare, bars, slow=(2, 9, 4))
    assert shown.verdict == "slow is 4 times as slow"
    shown.knobs["slow"].value = 9
    assert shown.verdict == "slow is 4 times as slow"
    shown._button.click()
    assert shown.verdict == "slow is 9 times as slow"
    assert 'role="status"' in shown._said.value and "9 times" in shown._said.value


def test_a_second_run_does_not_start_while_one_is_going():
    runs = []

    def run(size):
        runs.append(shown._button.disabled if len(runs) else True)
        if len(runs) == 2:
            shown.press()
        return compare(3)

    shown = panel(run, bars, size=(1, 2, 1))
    shown.press()
    assert runs == [True, True]
    assert not shown._button.disabled


def test_an_error_is_one_message_and_the_panel_goes_on():
    def run(size):
        if size > 1:
            raise ValueError(f"size must be 1, not {size}")
        return compare(2)

    shown = panel(run, bars, size=(1, 5, 1))
    shown.knobs["size"].value = 5
    shown.press()
    assert shown.verdict == "ValueError: size must be 1, not 5"
    shown.knobs["size"].value = 1
    shown.press()
    assert shown.verdict == "slow is 2 times as slow"


def test_without_a_kernel_picture_and_verdict_show():
    html = panel(compare, bars, slow=(2, 9, 4))._repr_mimebundle_()["text/html"]
    assert "slow is 4 times as slow" in html and "<img alt=" in html


def test_knobs_are_sliders_and_choices():
    shown = panel(lambda **knobs: compare(2), bars, whole=(1, 9, 3), part=(0.0, 1.0, 0.5), word=["spawn", "fork"])
    assert [type(knob).__name__ for knob in shown.knobs.values()] == ["IntSlider", "FloatSlider", "Dropdown"]


def test_true_or_false_is_a_box_to_tick_and_words_may_stand_for_values():
    seen = []

    def note(**knobs):
        seen.append(knobs)
        return compare(2)

    shown = panel(note, bars, lock=False, size={"100 bytes": 100, "10,000 bytes": 10_000})
    shown.knobs["lock"].value, shown.knobs["size"].label = True, "10,000 bytes"
    shown.press()
    assert seen == [{"lock": False, "size": 100}, {"lock": True, "size": 10_000}]


def test_what_does_not_draw_is_refused():
    with pytest.raises(TypeError, match="draw must be a function that returns a picture, such as lanes, not 'lanes'"):
        panel(compare, "lanes", slow=(2, 9, 4))


@pytest.mark.parametrize("knob", [(1, 2), (1, 2, "x"), (), 5, None, "spawn", {}])
def test_a_knob_of_another_form_is_refused(knob):
    form = r"slow must be a list of words to choose from, .* or \(lowest, highest, first value\), not "
    with pytest.raises(TypeError, match=form + re.escape(repr(knob))):
        panel(compare, bars, slow=knob)


@pytest.mark.parametrize("run", [5, None, lambda: compare(2), lambda fast: compare(2), lambda slow, fast: compare(2)])
def test_a_function_that_does_not_take_the_knobs_is_refused_before_it_runs(run):
    with pytest.raises(
        TypeError, match=r"experiment must be a function of slow that returns \(what is drawn, verdict\).*, not "
    ):
        panel(run, bars, slow=(1, 3, 2))


def test_a_function_that_returns_something_else_is_told_what_to_return():
    shown = panel(lambda slow: None, bars, slow=(1, 3, 2))
    assert shown.verdict.startswith(
        "TypeError: what experiment returns must be (the arguments of draw, verdict), such as"
    )
    assert shown.verdict.endswith("not None")


def test_after_an_error_no_older_picture_shows():
    shown = panel(lambda part: compare(1 / part), bars, part=(0, 1, 1))
    assert shown.picture is not None
    shown.knobs["part"].value = 0
    shown.press()
    assert shown.picture is None and "<img" not in shown._repr_mimebundle_()["text/html"]
    assert shown._repr_mimebundle_()["text/plain"] == "ZeroDivisionError: division by zero"


def test_a_first_value_out_of_range_is_refused():
    with pytest.raises(ValueError, match="slow must start between 1 and 2, not at 3"):
        panel(compare, bars, slow=(1, 2, 3))


def test_a_run_that_is_interrupted_says_so_and_the_panel_goes_on():
    def run(size):
        if size > 1:
            raise KeyboardInterrupt
        return compare(2)

    shown = panel(run, bars, size=(1, 5, 1))
    shown.knobs["size"].value = 5
    with pytest.raises(KeyboardInterrupt):
        shown.press()
    assert shown.verdict == "Interrupted. Press Run to begin again."
    shown.knobs["size"].value = 1
    shown.press()
    assert shown.verdict == "slow is 2 times as slow"
