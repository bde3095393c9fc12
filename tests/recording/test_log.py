"""The files of a recording: what one process has written, another one reads, all of it and in order."""

import os

import pytest

from helpers.recording import log as log_module
from helpers.recording.kinds import Outcome
from helpers.recording.log import IN_CHUNK, Log, read_calls
from helpers.recording.probes.calls import Call

WORDS = ("put", "ok", "MainThread", "1.0\tQueue\t0", "")
END = 10**9  # ns


def write(log, count, first=0):
    """Write calls that begin at first, first + 1, ... ns and last 1 ns each."""
    for begin in range(first, first + count):
        log.write(Call(begin), begin + 1, *WORDS)


def read(folder, chunks=10**6):
    """Return the calls, and how many are left out, when there is time for so many files of entries."""
    time = iter(range(chunks))
    return read_calls(folder, END, lambda: next(time, None) is not None)


def begins(folder, chunks=10**6):
    (calls,), _ = read(folder, chunks)
    return [row[0] for row in calls.rows]


def test_two_threads_that_meet_the_same_words_first_get_the_number_of_one_line(tmp_path):
    log = Log(tmp_path)
    # both have looked in vain before either holds the lock
    assert [log._new_number(words) for words in (("a", "é"), ("a", "é"), ("b",))] == [1, 1, 2]
    assert (tmp_path / f"{os.getpid()}.words").read_text(encoding="utf-8") == "a\té\nb\n"


@pytest.mark.parametrize("count", [1, IN_CHUNK - 1, IN_CHUNK, IN_CHUNK + 1, 3 * IN_CHUNK])
def test_every_entry_is_read_however_many_files_they_fill(tmp_path, count):
    write(Log(tmp_path), count)
    assert begins(tmp_path) == list(range(count))
    assert read(tmp_path)[1] == 0


def test_an_entry_that_a_killed_process_has_not_finished_is_none(tmp_path):
    log = Log(tmp_path)
    write(log, 1)
    log_module.NUMBER.pack_into(log._entries, log_module.ENTRY.size, 5)
    assert begins(tmp_path) == [0]


@pytest.mark.parametrize("size", [0, 1, 1_000])
def test_a_file_that_a_killed_process_has_only_begun_holds_nothing(tmp_path, size):
    write(Log(tmp_path), 1)
    (tmp_path / f"{os.getpid()}.1.entries").write_bytes(bytes(size))
    assert begins(tmp_path) == [0]


def test_a_call_under_way_is_read_until_it_has_returned(tmp_path):
    log = Log(tmp_path)
    write(log, 1)
    log.wait(7, "get", "never returned", *WORDS[2:])
    (_, waiting), _ = read(tmp_path)
    assert (waiting.kind, waiting.outcome, waiting.is_entering) == ("get", Outcome.NEVER_RETURNED, False)
    assert waiting.rows[0][:3] == (7, END, 7)
    log.enter(8)
    (_, waiting), _ = read(tmp_path)
    assert (waiting.is_entering, waiting.rows[0][:3]) == (True, (7, END, 8))
    log.go_on()
    assert begins(tmp_path) == [0]


def test_a_process_that_was_killed_just_before_it_could_say_that_a_call_is_over_made_that_call_once(tmp_path):
    log = Log(tmp_path)
    log.wait(0, *WORDS)
    write(log, 1)
    assert begins(tmp_path) == [0]


def test_when_time_is_up_later_calls_of_all_processes_are_left_out_and_counted(tmp_path, monkeypatch):
    write(Log(tmp_path), 2 * IN_CHUNK)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    # 5 before the other's second file begins, 10 after
    write(Log(tmp_path), 15, first=IN_CHUNK - 5)
    calls, left_out = read(tmp_path, chunks=2)
    assert {each.pid: len(each.rows) for each in calls if each.pid == 1} == {1: 5}
    assert sorted(len(each.rows) for each in calls) == [5, IN_CHUNK]
    assert left_out == IN_CHUNK + 10


def test_when_processes_were_started_is_never_left_out(tmp_path):
    log = Log(tmp_path)
    log.write_life(Call(0), 1, "start", "ok", "MainThread", "77\tchild\t0", "")
    write(log, 1)
    (start,), left_out = read(tmp_path, chunks=0)
    assert (start.kind, start.identity, left_out) == ("start", "77", 1)


def test_a_full_log_counts_what_comes_after(tmp_path, monkeypatch):
    monkeypatch.setattr(log_module, "MOST_CHUNKS", 1)
    write(Log(tmp_path), IN_CHUNK + 3)
    assert begins(tmp_path) == list(range(IN_CHUNK))
    assert read(tmp_path)[1] == 3


def test_a_full_disk_does_not_stop_the_program_that_is_recorded(tmp_path, monkeypatch):
    log = Log(tmp_path)

    def no_room(path, size):
        raise OSError("No space left on device")

    monkeypatch.setattr(log_module, "_mapped", no_room)
    write(log, 2)
    assert read(tmp_path) == ([], 2)
