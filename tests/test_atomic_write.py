"""A file is written whole or not at all: all that is written outside the recorder's logs goes this way."""

import os
from pathlib import Path

import pytest

from helpers import workbook
from helpers.atomic_write import write_atomically


def test_content_is_on_the_disk_before_it_gets_the_name(monkeypatch):
    """Else a power cut leaves an empty file where the old one was."""
    done = []
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: done.append("on the disk"))
    monkeypatch.setattr(Path, "replace", lambda part, whole: done.append("named") or replace(part, whole))
    workbook.write("mine.py", "text")
    assert done == ["on the disk", "named"]
    assert (workbook.WORKBOOK / "mine.py").read_bytes() == b"text"


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_what_stops_it_leaves_the_old_file_and_no_part(error, tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def stop(number):
        raise error

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
