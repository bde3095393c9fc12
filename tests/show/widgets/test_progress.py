"""The bar of a measurement."""

import pytest

from helpers.show.widgets.progress import progress, tracked


@pytest.fixture
def shown(monkeypatch) -> list[dict[str, str]]:
    """What the bar shows, one entry each time it changes."""
    entries = []
    for name in ("display", "update_display"):
        monkeypatch.setattr(f"helpers.show.widgets.progress.{name}", lambda data, **_: entries.append(data))
    return entries


def test_progress_shows_a_bar_and_moves_it(shown):
    advance = progress(3, "<runs>")
    advance(2)
    assert [each["text/plain"] for each in shown] == ["0 of 3 <runs>", "2 of 3 <runs>"]
    assert shown[1]["text/html"] == (
        '<progress value="2" max="3" aria-label="&lt;runs&gt;"></progress> 2 of 3 &lt;runs&gt;'
    )


def test_progress_of_many_runs_moves_in_a_hundred_steps(shown):
    advance = progress(1_000)
    for done in range(1, 1_001):
        advance(done)
    assert len(shown) == 101 and shown[-1]["text/plain"] == "1,000 of 1,000 runs"


def test_each_bar_moves_itself(monkeypatch):
    keys = []
    for name in ("display", "update_display"):
        monkeypatch.setattr(
            f"helpers.show.widgets.progress.{name}", lambda _, *, raw, display_id: keys.append(display_id)
        )
    first, second = progress(3), progress(3)
    second(1)
    first(1)
    assert keys[0] == keys[3] != keys[1] == keys[2]


@pytest.mark.parametrize(("total", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("two", TypeError)])
def test_a_bad_total_is_refused(total, error):
    with pytest.raises(error, match=f"total must be .* not {total!r}"):
        progress(total)


def test_things_are_tracked_one_after_the_other(shown):
    seen = [(item, shown[-1]["text/plain"]) for item in tracked(["pipe", "queue"], "ways")]
    assert seen == [("pipe", "0 of 2 ways"), ("queue", "1 of 2 ways")]
    assert shown[-1]["text/plain"] == "2 of 2 ways"


@pytest.mark.parametrize("items", [5, None, "text", []])
def test_what_is_no_list_is_refused_before_anything_shows(items):
    with pytest.raises((TypeError, ValueError), match="items must be a list of things to go through"):
        tracked(items)
