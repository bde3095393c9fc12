"""Files of results: what is written is read again, others read it too, and what cannot be read is named."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace

import pyperf
import pytest

from helpers.experiments.card import card
from helpers.experiments.files import UnusableFile, read_result, read_results, write_result
from helpers.measuring.results import Case, Outcomes, Timings

SERIES = {"round trip, Pipe": ((1e-5, 1.5e-5), (2e-5, 1.2e-5)), "round trip, Queue": ((3e-5, 3.5e-5), (4e-5, 3.2e-5))}
TIMINGS = Timings("round_trips", {"method": "spawn", "sizes": [100]}, {"cpu_count": 2}, SERIES)
CASES = {"5 processes": Case({"5": 19, "4": 1}, "lost an update", 1), "schön": Case({"1": 2}, "lost an update", 0)}
OUTCOMES = Outcomes("textbook_counter", {"method": "fork", "runs": 20}, {"gil": "enabled"}, CASES)
each_kind = pytest.mark.parametrize("result", [TIMINGS, OUTCOMES], ids=["durations", "outcomes"])


def lines(path):
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


@each_kind
def test_what_is_written_is_read_again(result, tmp_path):
    path = write_result(result, tmp_path / "new" / "folder")
    assert read_result(path) == result
    assert read_results(path.parent) == {result.experiment: result}
    assert list(path.parent.iterdir()) == [path]


def test_one_series_of_one_run_comes_back_whole(tmp_path):
    alone = replace(TIMINGS, series={"start-up": ((0.1,),)})
    assert read_result(write_result(alone, tmp_path)) == alone


@pytest.mark.parametrize(
    ("command", "words"),
    [(["compare_to", "--table"], "Geometric mean"), (["hist"], "round trip, Queue"), (["metadata"], "tp_experiment")],
)
def test_pyperf_reads_the_durations(command, words, tmp_path):
    slower = {name: tuple(tuple(3 * value for value in row) for row in rows) for name, rows in SERIES.items()}
    paths = [write_result(TIMINGS, tmp_path), write_result(replace(TIMINGS, series=slower), tmp_path / "slower")]
    files = map(str, paths if command[0] == "compare_to" else paths[:1])
    said = subprocess.run(
        [sys.executable, "-m", "pyperf", *command, *files], capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 0, said.stderr
    assert words in said.stdout


def test_the_card_knows_what_pyperf_knows_and_more():
    known = card()
    assert {"cpu_count", "python_version", "gil", "clock", "processors_allowed"} <= set(known)
    # pyperf itself takes each fact
    assert pyperf.Run((1.0,), metadata=known, collect_metadata=False).get_metadata() == known


def test_the_card_names_host_and_paths_only_when_asked(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "ada-laptop")
    monkeypatch.setattr("sys.executable", "/home/ada/bin/python")
    assert card(with_names=True)["hostname"] == "ada-laptop"
    assert "ada" not in json.dumps(card())


@pytest.mark.parametrize("secret", ["/home/ada", "a /srv/ada", "--prefix=/home/ada", "C:\\Users\\ada", "'~/ada'"])
def test_a_new_fact_that_holds_a_path_is_left_out(secret, monkeypatch):
    monkeypatch.setattr("helpers.experiments.card.facts", lambda: {"new": secret, "harmless": "7/8 of both"})
    known = card()
    assert "new" not in known and known["harmless"] == "7/8 of both"


# -- what cannot be read -----------------------------------------------------------------------------------------------


@each_kind
def test_half_a_file_is_damaged(result, tmp_path):
    path = write_result(result, tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnusableFile, match=f"{path.name} is damaged"):
        read_result(path)


def test_a_line_that_is_missing_is_noticed(tmp_path):
    path = write_result(OUTCOMES, tmp_path)
    path.write_text("".join(lines(path)[:-1]), encoding="utf-8")
    with pytest.raises(UnusableFile, match="jsonl is damaged: 1 of 2 cases are there"):
        read_result(path)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"5": 19', '"5": -19', "damaged: ValueError: counts"),
        ('"5": 19', '"5": "many"', "damaged: TypeError: counts"),
        ('"hits": 1', '"hits": 21', "damaged: ValueError: hits"),
        ('"what"', '"why"', "damaged: KeyError"),
        ('"version": 1', '"version": 2', "newer Talking Processes, in version 2 .* Update first"),
        ('"version": 1', '"version": null', "damaged: its format has the version None"),
        ("talking-processes outcomes", "a diary", "holds something else: its first line"),
    ],
)
def test_lines_that_say_something_else(old, new, why, tmp_path):
    path = write_result(OUTCOMES, tmp_path)
    path.write_text("".join(lines(path)).replace(old, new), encoding="utf-8")
    with pytest.raises(UnusableFile, match=f"textbook_counter.jsonl .*{why}"):
        read_result(path)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"tp_version":1', '"tp_version":2', "newer Talking Processes, in version 2 .* Update first"),
        ('"tp_version":1', '"x":1', "holds something else: a file of pyperf"),
        ('"version":"1.0"', '"version":"2.0"', "of pyperf of version '2.0'; here 1.0 can be read"),
        ('"version":"1.0"', '"kind":"1.0"', "holds something else: it is no file of pyperf"),
        ("1e-05", "-1e-05", "damaged: ValueError"),
        ("1e-05", "NaN", "damaged: ValueError"),
        ("1e-05", "Infinity", "damaged: ValueError"),
        ("1e-05", '"1"', "damaged"),
        ("round_trips", "", "damaged"),
    ],
)
def test_a_suite_that_says_something_else(old, new, why, tmp_path):
    path = write_result(TIMINGS, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UnusableFile, match=f"round_trips.json .*{why}"):
        read_result(path)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2]", b"[" * 100_000, b"\x80\x04\x95", b"null"])
def test_a_file_of_something_else_is_named(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnusableFile, match=f"{name} (is damaged|holds something else)") as error:
        read_result(path)
    assert len(str(error.value)) < 300 + len(str(path))


def test_a_file_that_is_not_there_and_a_folder_without_any(tmp_path):
    with pytest.raises(UnusableFile, match="crash.json cannot be read: No such file"):
        read_result(tmp_path / "crash.json")
    with pytest.raises(UnusableFile, match="holds no results"):
        read_results(tmp_path)


# -- whole or not at all -----------------------------------------------------------------------------------------------


def test_whoever_reads_while_two_write_sees_one_result_or_the_other(tmp_path):
    write_result(TIMINGS, tmp_path)
    both = [TIMINGS, replace(TIMINGS, settings={"method": "fork"})]
    stop = threading.Event()

    def write_often(result):
        while not stop.is_set():
            write_result(result, tmp_path)

    writers = [threading.Thread(target=write_often, args=(result,)) for result in both]
    for writer in writers:
        writer.start()
    try:
        seen = [read_result(tmp_path / "round_trips.json") for _ in range(100)]
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert all(result in both for result in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["round_trips.json"]


@pytest.mark.skipif(os.name == "nt", reason="no limit for the size of files")
@each_kind
def test_a_disk_without_room_leaves_what_was_there(result, tmp_path):
    import resource

    path = write_result(result, tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # whatever this process writes to a file from now on ends after 100 bytes, as on a disk that is full
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError):
            write_result(replace(result, settings={"method": "forkserver"}), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_result(path) == result
    assert list(tmp_path.iterdir()) == [path]
