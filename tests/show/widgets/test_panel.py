"""The panel: one run at a time, a verdict in words, errors as one message."""

import json
import re

import pytest

from helpers.show import bars, panel


def compare(slow):
    return {"seconds": {"quick": 1.0, "slow": float(slow)}}, f"slow is {slow} times as slow"


def run_with(shown, **values):
    """Press Run in the browser, with these values."""
    shown._hear(shown, {"task": "run", "values": {**shown.values, **values}}, [])


def test_it_runs_once_when_shown_and_again_when_pressed():
    shown = panel(compare, bars, slow=(2, 9, 4))
    assert shown.verdict == "slow is 4 times as slow"
    run_with(shown, slow=9)
    assert shown.verdict == "slow is 9 times as slow"
    assert shown.shown["verdict"] == shown.verdict and "<img" in shown.shown["html"]


def test_the_same_result_once_more_is_a_new_run():
    shown = panel(compare, bars, slow=(2, 9, 4))
    before = dict(shown.shown)
    run_with(shown)
    assert shown.shown["verdict"] == before["verdict"]
    assert (before["number"], shown.shown["number"]) == (1, 2)


def test_a_second_run_does_not_start_while_one_is_going():
    runs = []

    def run(size):
        runs.append(size)
        if len(runs) == 2:
            shown.press()
        return compare(3)

    shown = panel(run, bars, size=(1, 2, 1))
    shown.press()
    assert runs == [1, 1]
    assert shown.shown["number"] == 2


def test_the_browser_hears_that_a_run_begins_and_ends():
    sent = []
    shown = panel(compare, bars, slow=(2, 9, 4))
    shown.send = lambda message, buffers=None: sent.append(message)
    run_with(shown, slow=3)
    assert sent == [{"kind": "started", "task": "run"}, {"kind": "done", "task": "run"}]


def test_an_error_is_one_message_and_the_panel_goes_on():
    def run(size):
        if size > 1:
            raise ValueError(f"size must be 1, not {size}")
        return compare(2)

    shown = panel(run, bars, size=(1, 5, 1))
    run_with(shown, size=5)
    assert shown.verdict == "ValueError: size must be 1, not 5"
    assert shown.picture is None and shown.shown["html"] == ""
    run_with(shown, size=1)
    assert shown.verdict == "slow is 2 times as slow"


def test_without_a_kernel_settings_verdict_and_picture_show():
    shown = panel(compare, bars, slow=(2, 9, 4))
    run_with(shown, slow=7)
    html = shown._repr_mimebundle_()[0]["text/html"]
    assert "slow: <b>7</b>" in html and "slow is 7 times as slow" in html and "<img alt=" in html
    assert "Run this cell" in html


def test_knobs_are_sliders_choices_and_boxes():
    got = {}

    def run(**values):
        got.update(values)
        return compare(2)

    shown = panel(
        run, bars, whole=(1, 9, 3), part=(0.0, 1.0, 0.5), word=["spawn", "fork"], size={"10 kB": 10_000}, safe=True
    )
    assert got == {"whole": 3, "part": 0.5, "word": "spawn", "size": 10_000, "safe": True}
    assert [knob["kind"] for knob in shown.knobs] == ["range", "range", "choice", "choice", "flag"]
    assert json.loads(json.dumps(shown.knobs)) == shown.knobs
    run_with(shown, whole=4, part=1, word=1, safe=False)
    assert got == {"whole": 4, "part": 1.0, "word": "fork", "size": 10_000, "safe": False}
    assert [type(got[name]) for name in ("whole", "part")] == [int, float]
    assert re.findall(r"<b>(.*?)</b>", shown.page())[:5] == ["4", "1", "fork", "10 kB", "no"]


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
    run_with(shown, part=0)
    assert shown.picture is None and "<img" not in shown.page()
    assert shown.words() == "ZeroDivisionError: division by zero"


def test_a_first_value_out_of_range_is_refused():
    with pytest.raises(ValueError, match="slow must start between 1 and 2, not at 3"):
        panel(compare, bars, slow=(1, 2, 3))


def test_a_run_that_is_interrupted_says_so_and_the_panel_goes_on():
    def run(size):
        if size > 1:
            raise KeyboardInterrupt
        return compare(2)

    shown = panel(run, bars, size=(1, 5, 1))
    with pytest.raises(KeyboardInterrupt):
        run_with(shown, size=5)
    assert shown.shown["verdict"] == "Interrupted. Press Run to begin again."
    run_with(shown, size=1)
    assert shown.verdict == "slow is 2 times as slow"
