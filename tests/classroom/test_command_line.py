"""What a learner and a teacher type: join, status, share, leave, and a page that follows the class."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from helpers import __main__ as program
from helpers import workbook
from helpers.classroom import read_class, sharing
from helpers.experiments import write_result
from helpers.measuring.results import Case, Outcomes, Timings
from tests.classroom.simulated import file_of, write_class

PATIENCE = 30  # s until a process has come so far, on a busy machine


@pytest.fixture
def said(monkeypatch, capsys):
    """Return a function that types a command and returns what is said."""

    def say(*words):
        monkeypatch.setattr(sys, "argv", ["helpers", *words])
        program.main()
        return capsys.readouterr().out

    return say


def test_a_class_is_joined_seen_and_left(said, tmp_path, monkeypatch):
    folder = tmp_path / "class"
    folder.mkdir()
    monkeypatch.setenv(sharing.FOLDER, str(folder))
    assert "You are Ada." in said("class", "join", "Ada")
    assert '"nickname": "Ada"' in said("class", "status")
    (file,) = folder.iterdir()
    assert str(file) in said("class", "leave") and not file.exists()


def test_one_file_is_written_to_be_sent(said):
    told = said("share", "Ada")
    assert told.startswith("Send this file: ") and "TALKING_PROCESSES_CLASS names no folder" in told


def test_results_of_experiments_are_shared_when_wished(said, tmp_path, monkeypatch):
    monkeypatch.setenv(sharing.FOLDER, str(tmp_path))
    results = tmp_path / "results"
    write_result(Timings("round_trips", {}, {}, {"Pipe, 100 bytes": ((1e-5, 3e-5, 2e-5),)}), results)
    write_result(Outcomes("races", {}, {}, {"4 workers": Case({"4": 15, "3": 5}, "lost an update", 5)}), results)
    said("class", "join", "Ada", "--measurements")
    assert "Read: " in said("class", "measured", str(results))
    durations, shares = (read_class(tmp_path).measured[name]["Ada"] for name in
                         ("round_trips: Pipe, 100 bytes", "races: 4 workers, lost an update"))  # fmt: skip
    assert durations.value == 2e-5 and (shares.count, shares.runs) == (5, 20)


def test_a_folder_without_results_is_told(said, tmp_path):
    with pytest.raises(SystemExit, match="holds no results"):
        said("class", "measured", str(tmp_path))


def test_the_page_of_a_class_is_written_once(said, tmp_path):
    write_class(tmp_path, 3)
    told = said("class", "page", str(tmp_path), "--once")
    assert "3 people in this class." in told and (workbook.WORKBOOK / program.PAGE).as_uri() in told


@pytest.mark.parametrize(
    ("words", "error"), [(["page"], "Name the folder"), (["page", "none"], "There is no folder none")]
)
def test_a_page_of_no_folder_is_refused(words, error, said, tmp_path, monkeypatch):
    monkeypatch.delenv(sharing.FOLDER, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=error):
        said("class", *words)


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="there a process in the background hears no Ctrl-C")
def test_the_page_follows_the_class_until_ctrl_c(tmp_path):
    folder, page = tmp_path / "class", tmp_path / "workbook" / program.PAGE
    folder.mkdir()
    write_class(folder, 2)
    # what a shell starts in the background ignores Ctrl-C; this must hear it
    command = "import signal, runpy, sys; signal.signal(signal.SIGINT, signal.default_int_handler);" \
              "sys.argv[0] = 'helpers'; runpy.run_module('helpers', run_name='__main__')"  # fmt: skip
    environment = {**os.environ, "TALKING_PROCESSES_WORKBOOK": str(page.parent)}
    follower = subprocess.Popen([sys.executable, "-c", command, "class", "page", str(folder)], env=environment,
                                stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        wait_for(lambda: page.exists() and "2 people" in page.read_text(encoding="utf-8"))
        (folder / "Eva.jsonl").write_text(file_of("Eva", "f" * 8, random.Random(2)), encoding="utf-8")
        wait_for(lambda: "3 people" in page.read_text(encoding="utf-8"))
        follower.send_signal(signal.SIGINT)
        said, _ = follower.communicate(timeout=PATIENCE)
    finally:
        follower.kill()
        follower.wait()
    assert "It follows the class until you press Ctrl-C." in said and "The page stays as it is" in said
    assert follower.returncode == 0


def wait_for(condition):
    """Wait until something is so; it has to be, sooner or later."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
