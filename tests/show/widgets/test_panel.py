"""The panel: one run at a time, a verdict in words, errors as one message."""

import pytest

from helpers.show import bars, panel


def compare(slow):
    return bars({"quick": 1.0, "slow": float(slow)}), f"slow is {slow} times as slow"


def test_it_runs_once_when_shown_and_again_when_pressed():
    shown = panel(compare, slow=(2, 9, 4))
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

    shown = panel(run, size=(1, 2, 1))
    shown.press()
    assert runs == [True, True]
    assert not shown._button.disabled


def test_an_error_is_one_message_and_the_panel_goes_on():
    def run(size):
        if size > 1:
            raise ValueError(f"size must be 1, not {size}")
        return compare(2)

    shown = panel(run, size=(1, 5, 1))
    shown.knobs["size"].value = 5
    shown.press()
    assert shown.verdict == "ValueError: size must be 1, not 5"
    shown.knobs["size"].value = 1
    shown.press()
    assert shown.verdict == "slow is 2 times as slow"


def test_without_a_kernel_picture_and_verdict_show():
    html = panel(compare, slow=(2, 9, 4))._repr_mimebundle_()["text/html"]
    assert "slow is 4 times as slow" in html and "<img alt=" in html


def test_knobs_are_sliders_and_choices():
    shown = panel(lambda **knobs: compare(2), whole=(1, 9, 3), part=(0.0, 1.0, 0.5), word=["spawn", "fork"])
    assert [type(knob).__name__ for knob in shown.knobs.values()] == ["IntSlider", "FloatSlider", "Dropdown"]


@pytest.mark.parametrize("knob", [(1, 2), (1, 2, "x"), ()])
def test_a_knob_of_another_form_is_refused(knob):
    with pytest.raises(TypeError, match="slow must be"):
        panel(compare, slow=knob)


def test_a_first_value_out_of_range_is_refused():
    with pytest.raises(ValueError, match="slow must start between 1 and 2, not at 3"):
        panel(compare, slow=(1, 2, 3))
