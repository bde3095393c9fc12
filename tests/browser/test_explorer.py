"""The explorer as a learner uses it: in JupyterLab with the keyboard, and on a saved page without a kernel."""

import base64
import re
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Locator, Page, expect

from helpers.lessons.interleavings import additions, increments
from helpers.lessons.synchronisation import philosophers
from helpers.scheduling import deadlock
from helpers.show.explorer.explorer import explorer
from helpers.show.explorer.page import SCRIPT
from tests import scheduled
from tests.browser.conftest import ROOT, keep_picture, put_into_lab, write_notebook
from tools.execute_notebooks import execute

CELLS = [
    "from helpers.scheduling import deadlock\nfrom helpers.lessons import interleavings, synchronisation\n"
    "from helpers.show.explorer.explorer import explorer",
    'explorer(interleavings.increments(2), {"end with 1 although two processes added one": 1}, runs=20)',
    'explorer(synchronisation.philosophers(2), {"make both philosophers wait for ever": deadlock})',
]
LOSS = re.compile("Lost update: step 4, “write 1” by increment 1, overwrote what increment 0 had written in step 3")
# the time from a click until the page has answered and been laid out anew
CLICK = """(button) => {
    const start = performance.now();
    button.click();
    button.closest('.tp-explorer').getBoundingClientRect();
    return performance.now() - start;
}"""


def verdict(shown: Locator) -> Locator:
    return shown.locator(".tp-verdict")


def notice(shown: Locator) -> Locator:
    return shown.locator(".tp-notice")


def press(shown: Locator, name: str) -> None:
    """Press a button by keyboard."""
    shown.get_by_role("button", name=name, exact=True).first.focus()
    shown.page.keyboard.press("Enter")


def break_by_hand(shown: Locator) -> None:
    """Step to a lost update with the keyboard alone, and undo."""
    shown.focus()
    shown.page.keyboard.type("0101")
    expect(verdict(shown)).to_have_text(LOSS)
    expect(verdict(shown)).to_contain_text("The outcome is 1.")
    expect(shown.get_by_text("reached, in 4 steps")).to_be_visible()
    expect(shown.get_by_role("button", name="Step increment 0")).to_be_disabled()
    shown.page.keyboard.press("u")
    expect(verdict(shown)).to_have_text("Step 3, “write 1” by increment 0.")
    expect(shown.get_by_label("Schedule", exact=False).and_(shown.locator("input"))).to_have_value("0 1 0")
    shown.page.keyboard.press("r")
    expect(verdict(shown)).to_have_text("Nobody has taken a step yet. Who goes first?")


def find_and_play(shown: Locator) -> None:
    press(shown, "Find a breaking schedule")
    expect(notice(shown)).to_contain_text("Found: 4 steps, and no schedule gets there in fewer.")
    expect(shown.locator("input[type=text]")).to_have_value("0 1 0 1")
    press(shown, "Play")
    expect(verdict(shown)).to_have_text(LOSS)


def measure_clicks(shown: Locator) -> list[float]:
    """Click through a schedule with the mouse; return how long each answer took, in ms."""
    shown.page.keyboard.press("Escape")
    names = [
        "Reset",
        "Step increment 0",
        "Step increment 1",
        "Step increment 0",
        "Undo",
        "Find a breaking schedule",
        "All outcomes",
    ]
    times = [shown.get_by_role("button", name=name).first.evaluate(CLICK) for name in names]
    expect(shown.get_by_text("6 schedules in 12 states")).to_be_visible()
    return times


def test_in_jupyterlab_a_schedule_is_broken_found_and_replayed(lab, open_lesson, tmp_path):
    put_into_lab(lab, write_notebook(tmp_path / "explorer_trial.ipynb", CELLS))
    page = open_lesson("explorer_trial", 720)
    shown = page.locator(".tp-explorer").first
    expect(shown).to_be_visible()
    break_by_hand(shown)
    find_and_play(shown)
    fits_a_projector(shown)
    press(shown, "Find a breaking schedule")
    expect(verdict(shown)).to_have_text("Nobody has taken a step yet. Who goes first?")
    press(shown, "Replay on real processes")
    expect(verdict(shown)).to_have_text(LOSS)
    picture = shown.locator(".tp-replay img")
    expect(picture).to_have_attribute("alt", re.compile(r"4 steps on real processes: the outcome is 1, 1 update lost"))
    press(shown, "All outcomes")
    press(shown, "Observe on this machine")
    expect(shown.get_by_text("6 schedules in 12 states, and 20 runs on this machine")).to_be_visible()
    expect(shown.get_by_text("observed here")).to_have_count(2)
    picture.scroll_into_view_if_needed()
    keep_picture(page, "explorer_in_lab")
    press(shown, "All outcomes")
    print("ms per click:", [round(time, 1) for time in measure_clicks(shown)])
    leaves_the_keys_to_the_explorer(page)


def fits_a_projector(shown: Locator) -> None:
    """Board, buttons and the table of four steps are seen together, beside JupyterLab's list of files."""
    top, steps = shown.bounding_box(), shown.get_by_label("Steps so far").bounding_box()
    height = shown.page.locator(".jp-WindowedPanel-outer").bounding_box()["height"]
    keep_picture(shown.page, "explorer_on_projector")
    assert steps["y"] + steps["height"] - top["y"] <= height


def leaves_the_keys_to_the_explorer(page: Page) -> None:
    shown = page.locator(".tp-explorer").nth(1)
    shown.locator(".tp-verdict").click()  # Lab is now in command mode, in which 0 0 restarts the kernel
    page.keyboard.type("00r01")
    expect(verdict(shown)).to_contain_text("Deadlock: nobody can ever go on.")
    shown.get_by_role("textbox").fill("0")
    page.keyboard.press("Enter")
    expect(verdict(shown)).to_have_text("Step 1, “acquire fork 0” by dine 0.")
    expect(page.get_by_role("dialog")).to_have_count(0)


def page_of(*shown) -> str:
    return "<!doctype html><meta charset='utf-8'>" + "".join(one._repr_mimebundle_()[0]["text/html"] for one in shown)


def test_a_saved_page_works_without_a_kernel(offline, tmp_path):
    path = write_notebook(tmp_path / "explorer_saved.ipynb", CELLS)
    execute(path)
    html, _ = HTMLExporter().from_filename(str(path))
    page = offline(html, tmp_path)
    expect(page.locator(".tp-explorer")).to_have_count(2)
    shown = page.locator(".tp-explorer").first
    break_by_hand(shown)
    find_and_play(shown)
    press(shown, "All outcomes")
    expect(shown.get_by_text("66.7 %, 4 schedules")).to_be_visible()
    shown.get_by_role("button", name="Replay on real processes").focus()
    page.keyboard.press("Enter")
    expect(notice(shown)).to_contain_text("Real processes need a running kernel, and this page has none")
    assert not [error for error in page.errors if "require" not in error]
    page.screenshot(path=keep_place("explorer_saved"), full_page=True)


def keep_place(name: str) -> Path:
    (ROOT / "artefacts").mkdir(exist_ok=True)
    return ROOT / "artefacts" / f"{name}.png"


def test_a_blocked_process_says_what_it_waits_for_and_who_holds_it(offline, tmp_path):
    page = offline(page_of(explorer(philosophers(2), deadlock)), tmp_path, color_scheme="dark")
    shown = page.locator(".tp-explorer")
    shown.focus()
    page.keyboard.type("01")
    expect(verdict(shown)).to_contain_text("There was no way out after step 2, “acquire fork 1” by dine 1.")
    expect(verdict(shown)).to_contain_text("Goal reached: Make the processes wait for ever.")
    button = shown.get_by_role("button", name="Step dine 0")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description("Waits for fork 1, held by dine 1.")
    button.focus()
    page.keyboard.press("Enter")
    expect(notice(shown)).to_have_text("dine 0 waits for fork 1, held by dine 1.")
    expect(shown.get_by_label("Shared state")).to_contain_text("held by dine 1")
    page.screenshot(path=keep_place("explorer_dark"), full_page=True)


def test_a_process_that_is_started_and_joined_reads_well(offline, tmp_path):
    shown = offline(page_of(explorer(scheduled.parent_and_child)), tmp_path).locator(".tp-explorer")
    values, child = shown.get_by_label("Shared state"), shown.get_by_role("button", name="Step child")
    expect(values).to_contain_text("child not started yet")
    expect(child).to_have_accessible_description("Waits for child to be started.")
    shown.focus()
    shown.page.keyboard.type("0")
    expect(values).to_contain_text("child running was not started yet")
    parent = shown.get_by_role("button", name="Step start_and_join")
    expect(parent).to_have_accessible_description("Waits for child to end.")
    shown.page.keyboard.type("1110")
    expect(values).to_contain_text("child ended")
    expect(verdict(shown)).to_have_text("✔ All have ended. The outcome is (2, 2).")


def test_a_process_that_is_killed_reads_well(offline, tmp_path):
    shown = offline(page_of(explorer(scheduled.parent_who_kills)), tmp_path).locator(".tp-explorer")
    shown.focus()
    shown.page.keyboard.type("010")
    expect(shown.get_by_label("Shared state")).to_contain_text("child killed")
    expect(verdict(shown)).to_contain_text("kill_and_lock 0 waits for lock, held by child. child was killed.")
    shown.page.screenshot(path=keep_place("explorer_killed"), full_page=True)


def test_a_statement_is_expanded_into_its_atomic_steps_and_folded_again(offline, tmp_path):
    page = offline(page_of(explorer(additions(2))), tmp_path)
    shown = page.locator(".tp-explorer")
    press(shown, "Find a breaking schedule")
    expect(notice(shown)).to_contain_text("But folded statements counted as one step each")
    shown.focus()
    page.keyboard.type("01")
    expect(verdict(shown)).to_have_text("✔ All have ended. The outcome is 2.")
    page.keyboard.press("r")
    expand = shown.get_by_role("button", name="atomic steps of counter.value += 1").first
    expand.focus()
    page.keyboard.press("Enter")
    expect(shown.get_by_role("button", name="as one step counter.value += 1").first).to_be_focused()
    expect(shown.locator("[aria-current=step]").first).to_have_text(re.compile("read counter"))
    press(shown, "Find a breaking schedule")
    expect(notice(shown)).to_contain_text("Found: 4 steps")
    shown.focus()
    page.keyboard.type("0101")
    expect(verdict(shown)).to_contain_text("Lost update: step 4, “counter = 1” by add 1")
    press(shown, "as one step counter.value += 1")
    expect(shown.locator("thead th")).to_have_count(5)  # what was interrupted cannot be folded


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0 1 2", "Step 3: “2” is not the number of a process; they are 0 to 1."),
        ("0 one", "Step 2: “one” is not the number of a process; they are 0 to 1."),
        ("0 0 0", "Step 3: increment 0 cannot take it, it has ended."),
    ],
)
def test_a_pasted_schedule_that_is_wrong_is_refused_in_words(offline, tmp_path, text, complaint):
    shown = offline(page_of(explorer(increments(2))), tmp_path).locator(".tp-explorer")
    shown.locator("input[type=text]").fill(text)
    shown.page.keyboard.press("Enter")
    expect(shown.get_by_role("alert").first).to_have_text(complaint)
    expect(verdict(shown)).to_have_text("Nobody has taken a step yet. Who goes first?")


@pytest.mark.parametrize("text", ["0 1 0 1", "0,1,0,1", "[0, 1, 0, 1]"])
def test_a_schedule_is_pasted_and_copied(offline, tmp_path, text):
    shown = offline(page_of(explorer(increments(2))), tmp_path).locator(".tp-explorer")
    shown.locator("input[type=text]").fill(text)
    press(shown, "Go there")
    expect(verdict(shown)).to_have_text(LOSS)
    press(shown, "Copy")
    expect(notice(shown)).to_contain_text("Copied: 0 1 0 1")


def test_orders_that_cannot_differ_are_merged_on_wish(offline, tmp_path):
    shown = offline(page_of(explorer(philosophers(2), deadlock)), tmp_path).locator(".tp-explorer")
    press(shown, "All outcomes")
    outcomes = shown.get_by_label("All outcomes")
    expect(outcomes.get_by_text("6 schedules in 23 states")).to_be_visible()
    press(shown, "Merge orders that cannot differ")
    expect(outcomes.get_by_text("6 schedules, 3 that matter, in 23 states")).to_be_visible()
    expect(shown.get_by_role("status")).to_have_text("6 schedules, 3 that matter, in 23 states")
    expect(outcomes.get_by_text("66.7 %, 4 schedules, 2 that matter")).to_be_visible()
    expect(outcomes.get_by_text("33.3 %, 2 schedules, 1 that matters")).to_be_visible()
    merging = shown.get_by_role("button", name="Merge orders that cannot differ", pressed=True)
    expect(merging).to_be_focused()
    shown.page.screenshot(path=keep_place("explorer_merged"), full_page=True)
    shown.page.keyboard.press("Enter")
    expect(outcomes.get_by_text("6 schedules in 23 states")).to_be_visible()


def test_orders_are_merged_anew_when_a_statement_is_expanded(offline, tmp_path):
    shown = offline(page_of(explorer(additions(2))), tmp_path).locator(".tp-explorer")
    press(shown, "All outcomes")
    press(shown, "Merge orders that cannot differ")
    outcomes = shown.get_by_label("All outcomes")
    expect(outcomes.get_by_text("2 schedules, 2 that matter, in 4 states")).to_be_visible()
    press(shown, "atomic steps of counter.value += 1")
    expect(outcomes.get_by_text("6 schedules, 4 that matter, in 12 states")).to_be_visible()


SLOWEST = """(button) => new Promise((resolve) => {
    const explorer = button.closest('.tp-explorer');
    let slowest = 0, last = performance.now();
    const look = () => {
        slowest = Math.max(slowest, performance.now() - last);
        last = performance.now();
        if (/that matter, in|too many/.test(explorer.querySelector('.tp-outcomes').textContent)) resolve(slowest);
        else setTimeout(look);
    };
    button.click();
    look();
})"""


def test_merging_many_orders_lets_clicks_through_meanwhile(offline, tmp_path):
    """A task of the page waits no longer than a slice and the drawing of its result take."""
    shown = offline(page_of(explorer(increments(5))), tmp_path).locator(".tp-explorer")
    press(shown, "All outcomes")
    expect(shown.get_by_text("113,400 schedules in 2,027 states")).to_be_visible()
    slowest = shown.get_by_role("button", name="Merge orders that cannot differ").evaluate(SLOWEST)
    expect(
        shown.get_by_label("All outcomes").get_by_text("113,400 schedules, 14,400 that matter, in 2,027 states")
    ).to_be_visible()
    assert slowest < 200, f"a click may have to wait for {slowest:.0f} ms"


def test_too_many_orders_are_not_merged_and_that_is_said(browser):
    page = browser.new_page()
    script = SCRIPT.replace("MOST_MERGED = 200_000", "MOST_MERGED = 5")
    address = "data:text/javascript;base64," + base64.b64encode(script.encode()).decode()
    page.evaluate(LOADED, [address, explorer(increments(2)).graph, []])
    press(page.locator(".tp-explorer"), "All outcomes")
    press(page.locator(".tp-explorer"), "Merge orders that cannot differ")
    expect(page.get_by_text("6 schedules, too many to merge, in 12 states").first).to_be_visible()
    page.close()


LOADED = """async ([script, graph, schedule]) => {
    const { default: { render } } = await import(script);
    const values = { graph, schedule, replayed: {}, observed: {} };
    window.model = { get: (name) => values[name], set: (name, value) => { values[name] = value; },
                     save_changes() {}, on() {}, off() {} };
    render({ model: window.model, el: document.body });
}"""


def test_a_schedule_from_python_goes_as_far_as_it_can_and_says_why(browser):
    page = browser.new_page()
    script = "data:text/javascript;base64," + base64.b64encode(SCRIPT.encode()).decode()
    page.evaluate(LOADED, [script, explorer(increments(2)).graph, [0, 1, 0, 0, 1]])
    expect(verdict(page)).to_have_text("Step 3, “write 1” by increment 0.")
    expect(notice(page)).to_have_text(
        "Step 4: increment 0 cannot take it, it has ended. The steps before it are taken."
    )
    assert page.evaluate("window.model.get('schedule')") == [0, 1, 0]
    page.close()
