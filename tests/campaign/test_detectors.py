"""The campaign finds what was done wrong on purpose, and nothing where all is well."""

import os
import threading
from collections import Counter

import pytest

from helpers.recording.probes import calls
from tests.campaign import __main__ as campaign
from tests.campaign import events, witness
from tests.campaign.events import COLUMNS, Subject
from tests.campaign.kernels import SHARED_MEMORY, Kernel, Scratch
from tests.campaign.misdeeds import MOMENT

SEMAPHORES = {"semaphores"} if SHARED_MEMORY.exists() else set()  # elsewhere they cannot be listed
MISDEEDS = "tests.campaign.misdeeds"


def test_every_kind_of_block_runs():
    scratch = Scratch()
    kernel = Kernel(scratch)
    try:
        run_all = "from tests.campaign.blocks import BLOCKS\nfor block in BLOCKS.values():\n    block()"
        assert kernel.execute(run_all, within=60) == ""
    finally:
        kernel.close()
        scratch.close()


@pytest.fixture(scope="module")
def shared_subject():
    subject = Subject("well_behaved", MISDEEDS)
    yield subject
    subject.close()


@pytest.fixture
def subject(shared_subject, monkeypatch):
    # nobody need wait long for what is known to stay
    monkeypatch.setattr(events, "GONE_WITHIN", 0.3)
    monkeypatch.setattr(events, "STRIKES_WITHIN", 0.1)
    shared_subject.block = "well_behaved"
    return shared_subject


def test_nothing_is_found_where_all_is_well(subject):
    assert subject.interrupt_after(MOMENT / 2) == {}


def test_an_interrupt_that_comes_too_late_is_no_event(subject):
    assert subject.interrupt_after(3600) is None


@pytest.mark.parametrize("block", ["hide_it", "turn_it_into_an_error"])
def test_a_lost_interrupt_is_found(subject, block):
    subject.block = block
    assert set(subject.interrupt_after(MOMENT / 2)) == {"lost"}


@pytest.mark.parametrize(
    ("misdeed", "column"),
    [
        ("repeat_it", "twice"),
        ("show_a_traceback", "tracebacks"),
        ("end_the_kernel", "dead"),
    ],
)
def test_what_an_interrupt_must_not_do_is_found(subject, misdeed, column):
    subject.block = f"on_interrupt({misdeed})"
    assert set(subject.interrupt_after(MOMENT / 2)) == {column}


def test_a_kernel_that_lives_but_does_not_answer_is_found(subject, monkeypatch):
    monkeypatch.setattr(events, "ANSWERS_WITHIN", 1.0)
    subject.block = "on_interrupt(go_deaf)"
    assert set(subject.interrupt_after(MOMENT / 2)) == {"dead"}


def test_whatever_is_not_as_before_is_named(subject):
    subject.block = "on_interrupt(change_the_library)"
    found = subject.interrupt_after(MOMENT / 2)
    assert set(found) == {"library"}
    for name in (
        "multiprocessing.process.BaseProcess.start",
        "connection.wait",
        "handler of SIGTERM",
        "waiting",
        "forgotten",
    ):
        assert name in found["library"]


def test_a_thread_that_was_about_to_end_is_no_change(monkeypatch):
    about_to_end = threading.Thread()
    before = {**witness._state(), "threads": {*threading.enumerate(), about_to_end}}
    monkeypatch.setattr(witness, "_before", before, raising=False)
    assert witness._changes() == []


def test_what_is_made_anew_for_each_block_is_no_change(monkeypatch):
    monkeypatch.setattr(witness, "_before", witness._state(), raising=False)
    calls.local.thread = calls.Thread()
    assert witness._changes() == []
    calls.local.thread.name = "another"
    changed = witness._changes()
    calls.local.thread = calls.Thread()
    assert [name for name in changed if "another" in name] == changed != []


def test_whatever_is_left_is_found_and_the_next_event_starts_afresh(subject):
    subject.block = "on_interrupt(leave_everything)"
    assert set(subject.interrupt_after(MOMENT / 2)) == {"processes", "folders", "files", *SEMAPHORES}
    subject.block = "well_behaved"
    assert subject.interrupt_after(MOMENT / 2) == {}


def test_what_is_wrong_after_an_interrupted_first_block_is_found(subject):
    subject.block = "on_interrupt(leave_everything)"
    # files and folders only if they outlive the kernel, since a first block opens some for those that come after it
    assert set(subject.interrupt_first_after(MOMENT / 2)) == {"processes", "folders", *SEMAPHORES}


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_what_outlives_a_killed_kernel_is_found(subject, monkeypatch):
    monkeypatch.setattr(events, "ANSWERS_WITHIN", 1.0)
    subject.block = "leave_everything_and_stay"
    assert set(subject.kill_after(MOMENT / 2, group=True)) == {"processes", "folders", *SEMAPHORES}


def test_what_outlives_an_orderly_end_is_found(subject):
    subject.block = "leave_everything_and_stay"
    assert set(subject.end()) == {"processes", "folders", *SEMAPHORES}


def test_a_block_is_interrupted_at_the_line_that_is_named(subject):
    lines = [line for line in subject.lines() if campaign.is_instrument(line)]
    # the first lines come before anything is open, so that an interrupt there has nothing to break
    assert subject.interrupt_at(lines[0]) == {}
    assert subject.interrupt_at((lines[0][0], 1)) is None


@pytest.mark.parametrize(("found", "code"), [({}, 0), ({"lost": "the cell went on"}, 1)])
def test_the_exit_code_and_the_table_tell_what_was_found(monkeypatch, capsys, found, code):
    monkeypatch.setattr("sys.argv", ["campaign", "--only", "empty blocks"])
    monkeypatch.setattr(campaign, "_events", lambda *_: [("interrupted", "after 1 s", {}), ("interrupted", "", found)])
    assert campaign.main() == code
    row = next(line for line in capsys.readouterr().out.splitlines() if "empty blocks" in line)
    counts = Counter({"events": 2, **dict.fromkeys(found, 1)})
    assert row.split()[2:] == [str(counts[name]) for name in ("events", *COLUMNS)]


def test_the_shares_of_the_kinds_make_the_whole():
    assert sum(campaign._share(100, number, 27) for number in range(27)) == 100
