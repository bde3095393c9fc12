"""What is shared with a class: nothing unless chosen, all of it shown, and all of it gone after one word."""

import errno
import json
import platform
from pathlib import Path

import pytest

from helpers import progress, workbook
from helpers.classroom import join, leave, published, read_class, share, sharing, status, tell

DONE = {"lesson": "pipe", "name": "who", "answer": "both"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give the class a folder that all may write."""
    place = tmp_path / "class"
    place.mkdir()
    monkeypatch.setenv(sharing.FOLDER, str(place))
    return place


def written():
    return [path for path in workbook.WORKBOOK.glob("*-*.jsonl")] if workbook.WORKBOOK.exists() else []


def test_nothing_is_shared_unless_chosen(folder):
    tell("answer", **DONE)
    assert list(folder.iterdir()) == written() == []
    assert "You share nothing." in status()


def test_what_is_shared_is_shown_and_can_be_read_at_once(folder):
    join("Ada")
    tell("answer", **DONE)
    tell("exercise", "pipe", "hang_up", "wrong", mistake="Not so.")
    (person,) = read_class(folder).people
    assert person.nickname == "Ada"
    assert [(line.kind, line.answer, line.mistake) for line in person.lines] == [
        ("answer", "both", ""),
        ("exercise", "wrong", "Not so."),
    ]
    (file,) = folder.iterdir()
    assert all(line in status() for line in file.read_text().splitlines()) and str(file) in status()


def test_no_name_but_the_nickname_is_written(folder, monkeypatch):
    monkeypatch.setenv("USER", "countess")
    monkeypatch.setenv("LOGNAME", "countess")
    join("Ada")
    share()
    (file,) = folder.iterdir()
    text = file.name + file.read_text()
    assert "countess" not in text and str(Path.home()) not in text and platform.node() not in text


def test_measurements_are_shared_only_when_wished(folder):
    join("Ada")
    tell("duration", "round_trips", "Pipe", value=1e-5)
    assert read_class(folder).people[0].lines == ()
    leave()
    join("Ada", measurements=True)
    tell("duration", "round_trips", "Pipe", value=1e-5)
    tell("share", "races", "4 workers", count=0, runs=20)
    assert [line.value for line in read_class(folder).people[0].lines] == [1e-5, 0.0]


def test_one_word_takes_all_back(folder):
    join("Ada")
    tell("answer", **DONE)
    assert leave().count("Ada-") == 2
    tell("answer", **DONE)
    assert list(folder.iterdir()) == written() == []
    assert leave() == "You share nothing."


def test_who_removes_her_file_by_hand_has_left(folder):
    join("Ada")
    written()[0].unlink()
    tell("answer", **DONE)
    assert written() == [] and "You share nothing." in status()


def test_without_a_folder_one_file_is_written_with_all_that_was_done():
    progress.note("pipe", "prediction", "who", "both", True)
    progress.note("pipe", "exercise", "hang_up", "right", True)
    # what she answers in a review is hers alone
    progress.note("pipe", "review", "who", "nobody", False, "both")
    file = share("Ada")
    assert [(line.kind, line.name, line.right) for line in alone(file).lines] == [
        ("verdict", "who", True),
        ("exercise", "hang_up", True),
    ]
    # once more, it is the same file, with nothing twice
    before = file.read_bytes()
    assert share() == file and file.read_bytes() == before


def alone(file):
    """Read one file as if it lay in a folder by itself."""
    place = file.parent / "sent"
    place.mkdir()
    (place / file.name).write_bytes(file.read_bytes())
    (person,) = read_class(place).people
    return person


def test_who_shares_without_a_nickname_is_asked_for_one():
    with pytest.raises(ValueError, match="nickname must be text that is not empty"):
        share()


@pytest.mark.parametrize("name", ["../x", "a/b", "-x", "x" * 31, " Ada", "1st", "Ada.", "A\nB", "C:"])
def test_a_nickname_is_part_of_a_file_s_name(name):
    with pytest.raises(ValueError, match="nickname must be 1 to 30 letters, digits, blanks or hyphens"):
        join(name)


def test_who_has_joined_does_not_join_twice(folder):
    join("Ada")
    assert "You are Ada already." in join("Grace")
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_is_away_gets_everything_when_it_is_back(folder):
    join("Ada")
    away = folder.with_name("away")
    folder.rename(away)
    tell("answer", **DONE)
    assert "cannot be written" in status()
    away.rename(folder)
    tell("answer", **DONE | {"answer": "nobody"})
    assert [line.answer for line in read_class(folder).people[0].lines] == ["both", "nobody"]


def test_a_full_disk_stops_no_lesson_and_spoils_no_line(folder, monkeypatch):
    join("Ada")
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, *_: (_ for _ in ()).throw(full))
        tell("answer", **DONE)  # neither file can be written
    tell("answer", **DONE | {"answer": "nobody"})
    (file,) = folder.iterdir()
    # a line that was cut by the disk is completed by the next
    file.write_bytes(file.read_bytes()[:-9])
    tell("answer", **DONE | {"answer": "all"})
    assert [line.answer for line in read_class(folder).people[0].lines] == ["nobody", "all"]
    assert read_class(folder).problems == ()


def test_a_file_that_is_not_as_hers_is_written_anew(folder):
    join("Ada")
    tell("answer", **DONE)
    target = published()
    target.write_text("spoilt\n" * 50)
    published()
    assert target.read_bytes() == written()[0].read_bytes()


def test_a_choice_that_cannot_be_read_shares_nothing(folder):
    join("Ada")
    (workbook.WORKBOOK / sharing.CHOICE).write_text(json.dumps({"nickname": "../Ada", "key": "0" * 8}))
    tell("answer", **DONE)
    assert "You share nothing." in status()
