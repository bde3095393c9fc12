"""The explorer: the graph that travels to the browser, what is saved with a page, and the answers of the kernel."""

import base64
import json
import re
import threading
import zlib
from multiprocessing import active_children

import pytest

from helpers.lessons.interleavings import (
    additions,
    check_then_act,
    increments,
    locked_increments,
)
from helpers.lessons.synchronisation import philosophers
from helpers.scheduling import deadlock, ends_with, explore, violation
from helpers.scheduling.model import export
from helpers.scheduling.model.worker_graph import CannotExplore
from helpers.show.explorer.explorer import MAX_LIVE, explorer, ready_workers
from helpers.show.explorer.page import SCRIPT, STYLE
from helpers.show.theme import PROCESS_COLOURS
from helpers.show.widgets import frontend
from helpers.show.widgets.frontend import in_main_thread
from helpers.supervision.supervisor import current_supervisor


@pytest.fixture(autouse=True)
def nothing_kept():
    """End the processes that explorers keep for the next click."""
    yield
    ready_workers.close()


ONE = {"end with 1 although three processes added one": 1}


def html_of(shown):
    return shown._repr_mimebundle_()[0]["text/html"]


def heard(shown, task, **content):
    """Ask as the browser does; return what the kernel sends back."""
    sent = []
    shown.send = lambda message, buffers=None: sent.append(message)
    shown._hear(shown, {"task": task, **content}, [])
    return sent


def test_the_graph_is_plain_and_every_process_has_a_colour():
    graph = explorer(increments(3)).graph
    assert json.loads(json.dumps(graph)) == graph
    assert [process["colour"] for process in graph["processes"]] == list(PROCESS_COLOURS[:3])


def test_goals_are_the_states_in_which_they_are_reached():
    explored = explore(increments(3))
    (goal,) = explorer(increments(3), ONE).graph["goals"]
    assert goal["task"] == "end with 1 although three processes added one"
    assert goal["states"] == [number for number in range(len(explored)) if ends_with(1)(explored[number])]
    assert goal["states"]


@pytest.mark.parametrize(
    ("goal", "task"),
    [
        (deadlock, "make the processes wait for ever"),
        (violation, "break the invariant"),
        (1, "end with 1"),
        ((1, 2), "end with (1, 2)"),
    ],
)
def test_a_goal_without_words_gets_them(goal, task):
    assert [one["task"] for one in explorer(philosophers(), goal).graph["goals"]] == [task]


def test_a_goal_that_cannot_be_reached_has_no_states():
    assert explorer(locked_increments(2), 1).graph["goals"][0]["states"] == []


def test_a_statement_can_be_expanded_where_that_makes_a_difference():
    assert explorer(additions(2)).grain == "access"
    assert explorer(increments(2)).grain == "step"
    assert explorer(additions(2), grain="step").grain == "step"
    places = explorer(additions(2)).graph["locations"]
    assert {(place["depth"], place["doing"]) for place in places} == {
        (0, "read counter"),
        (1, "write counter"),
        (0, ""),
    }


def test_steps_say_which_variables_they_read_and_write():
    steps = explorer(check_then_act()).graph["steps"]
    touched = {step["label"]: step["touches"] for step in steps}
    assert touched["sees 1"] == [[0, True, False]]
    assert touched["takes one of 1"] == [[0, False, True]]
    assert all(variable != 0 for variable, _, _ in touched["sells it"])


def test_the_saved_page_holds_the_script_and_the_graph():
    shown = explorer(philosophers(), {"make both wait": deadlock})
    shown.schedule = [0]
    packed = re.search('data-talking-processes-explorer="([^"]+)"', html_of(shown)).group(1)
    content = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert content == {
        "script": SCRIPT,
        "style": STYLE,
        "values": {"graph": shown.graph, "schedule": [0], "replayed": {}, "observed": {}},
    }
    # with the colon, which packed data never has
    assert not re.search("https?:", html_of(shown))


def test_without_scripts_the_page_tells_the_task_the_code_and_the_outcomes():
    page = html_of(explorer(philosophers(), {"make both <wait>": deadlock}))
    assert "<li>make both &lt;wait&gt;</li>" in page
    assert "yield first.acquire()" in page
    assert "At the start: fork 0 = False, fork 1 = False, meals 0 = 0, meals 1 = 0." in page
    assert "<td>2</td><td>4 schedules</td><td>50.0%</td>" in page
    assert "<td>deadlock</td><td>2 schedules</td><td>50.0%</td>" in page


def test_the_page_tells_how_many_schedules_matter():
    assert "<p>6 schedules, 4 that matter: those that differ only in the order" in html_of(explorer(increments(2)))
    assert "<p>2,430,842,120 schedules, 31 that matter:" in html_of(explorer(philosophers(5)))


def test_the_page_says_nothing_of_what_takes_too_long_to_count(monkeypatch):
    monkeypatch.setattr(export, "MAX_ORDER_CASES", 5)
    shown = explorer(increments(2))
    assert shown.graph["orders"] == {"schedules": "6", "distinct": None}
    assert "that matter" not in html_of(shown)


def test_a_page_stays_small():
    assert len(html_of(explorer(increments(3), ONE))) < 40_000


def test_more_states_than_are_saved_work_with_a_kernel_only():
    shown = explorer(increments(2, 8))
    assert 5_000 < len(shown.graph["states"]) <= MAX_LIVE
    page = html_of(shown)
    assert f"Its {len(shown.graph['states']):,} states are too many to be saved with the page." in page
    assert "<script>" not in page and len(page) < 5_000


def test_too_many_states_are_refused_with_the_bound():
    with pytest.raises(CannotExplore, match="more than max_states=25,000 states"):
        explorer(increments(7))


def test_a_replay_comes_back_as_a_picture_with_words():
    shown = explorer(increments(2))
    assert heard(shown, "replay", schedule=[0, 1, 0, 1]) == [
        {"kind": "started", "task": "replay"},
        {"kind": "done", "task": "replay"},
    ]
    assert shown.replayed["words"] == "4 steps on real processes: the outcome is 1, 1 update lost"
    assert shown.replayed["schedule"] == [0, 1, 0, 1]
    assert 'alt="4 steps on real processes' in shown.replayed["html"]


def test_atomic_steps_of_a_statement_are_replayed():
    shown = explorer(additions(2))
    heard(shown, "replay", schedule=[0, 1, 0, 1])
    assert shown.replayed["words"] == "4 steps on real processes: the outcome is 1, 1 update lost"


def test_free_runs_come_back_with_their_intervals():
    shown = explorer(locked_increments(2), runs=5)
    heard(shown, "observe")
    assert shown.observed["runs"] == 5
    count, share, low, high = shown.observed["outcomes"]["2"]
    assert (count, share, high) == (5, 1.0, 1.0) and 0.5 < low < 1
    assert shown.observed["deadlock"][0] == shown.observed["never"][0] == 0


def test_the_next_click_starts_no_process():
    shown = explorer(increments(2), runs=5)
    heard(shown, "replay", schedule=[0, 1])
    kept = set(active_children())
    assert len(kept) == 2 and current_supervisor() is None
    heard(shown, "replay", schedule=[0, 1, 0, 1])
    heard(shown, "observe")
    assert set(active_children()) == kept
    assert shown.replayed["words"] == "4 steps on real processes: the outcome is 1, 1 update lost"


def test_processes_that_are_kept_end_with_the_explorer():
    shown = explorer(increments(2))
    heard(shown, "replay", schedule=[0, 1])
    shown.close()
    assert active_children() == []


def test_only_the_explorer_that_was_asked_last_keeps_processes():
    one, other = explorer(increments(3)), explorer(philosophers(2))
    heard(one, "replay", schedule=[0, 1])
    heard(other, "replay", schedule=[0, 1])
    one.close()
    assert {process.name for process in active_children()} == {"dine 0", "dine 1"}


def test_an_error_comes_back_in_words_and_the_explorer_goes_on():
    shown = explorer(increments(2))
    assert heard(shown, "replay", schedule=[0, 0, 0])[-1] == {"kind": "done", "task": "replay"}
    assert "schedule[2] is not possible: increment 0 has ended" in shown.replayed["error"]
    heard(shown, "replay", schedule=[0])
    assert shown.replayed["words"] == "1 step on real processes: stopped before the end"


def test_processes_start_in_the_main_thread_whichever_thread_hears_the_browser(monkeypatch):
    called = []

    class Loop:
        add_callback = staticmethod(lambda run, call: called.append(call))

    class Shell:
        kernel = type("Kernel", (), {"io_loop": Loop})

    monkeypatch.setattr(frontend, "get_ipython", Shell)
    in_main_thread(lambda: called.append("at once"))
    assert called == ["at once"]
    later = threading.Thread(target=in_main_thread, args=(print,))
    later.start()
    later.join(5)
    assert called == ["at once", print]


@pytest.mark.parametrize("runs", [0, -1, 10**6])
def test_bad_runs_are_refused(runs):
    with pytest.raises(ValueError, match=f"runs must be .* not {runs}"):
        explorer(increments(2), runs=runs)


@pytest.mark.parametrize("runs", [1.5, "two", None])
def test_runs_that_are_no_whole_number_are_refused(runs):
    with pytest.raises(TypeError, match="runs must be"):
        explorer(increments(2), runs=runs)


def test_other_bad_input_is_refused():
    with pytest.raises(ValueError, match="grain must be one of step, access, not 'line'"):
        explorer(increments(2), grain="line")
    with pytest.raises(ValueError, match="method must be"):
        explorer(increments(2), method="clone")
    with pytest.raises(TypeError, match="scenario must be"):
        explorer(5)
    with pytest.raises(TypeError, match=r"goal must be an outcome .*, not \[1\]"):
        explorer(increments(2), [1])
    with pytest.raises(TypeError, match="goal must be .* not {}"):
        explorer(increments(2), {})
    with pytest.raises(TypeError, match="goal must be"):
        explorer(increments(2), {1: deadlock})
