"""The matrix: each Python gets an environment and runs under each method; what cannot be run is said."""

import sys
from pathlib import Path

import pytest

from helpers.experiments import read_sets
from tools import matrix

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("version", "why"),
    [("3.9", "3.9: Python 3.11 or newer is needed"), ("3.99", "3.99: no such Python was found"), ("new", "like 3.12")],
)
def test_what_is_not_there_is_left_out_with_a_reason(version, why):
    with pytest.raises(matrix.LeftOut, match=why):
        matrix.find(version)


def test_two_versions_are_run_and_the_rest_is_named(monkeypatch, tmp_path, capfd):
    # both by this Python, whose environment has all that is needed; making one is for those who run the matrix
    monkeypatch.setattr(matrix, "find", _find)
    monkeypatch.setattr(matrix, "environment", lambda version, interpreter: interpreter.path)
    left_out = matrix.run(["3.12", "3.99", "3.13"], ["spawn", "thread"], ["start_up", "-p", "rows=1"], tmp_path)
    assert left_out == [
        "3.12-thread: here there are spawn",
        "3.99: no such Python was found",
        "3.13-thread: here there are spawn",
    ]
    sets = read_sets([tmp_path])
    assert list(sets) == ["3.12-spawn", "3.13-spawn"]
    assert {each["start_up"].settings["method"] for each in sets.values()} == {"spawn"}


def _find(version):
    if version == "3.99":
        raise matrix.LeftOut("3.99: no such Python was found")
    return matrix.Interpreter(Path(sys.executable), ["spawn"])


def test_experiments_that_fail_are_left_out_with_their_exit_code(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(matrix, "environment", lambda version, interpreter: interpreter.path)
    assert matrix.run([HERE], ["spawn"], ["x"], tmp_path) == [f"{HERE}-spawn: the experiments ended with exit code 2"]
    assert "name must be one of" in capfd.readouterr().err


def test_another_python_gets_an_environment_of_its_own(tmp_path, capfd):
    other = next(
        (version for version in ("3.13", "3.12", "3.11", "3.14") if version != HERE and _is_here(version)), None
    )
    if other is None:
        pytest.skip("there is no other Python here")
    assert matrix.run([HERE, other], ["spawn"], ["start_up", "-p", "rows=1", "-p", "starts=1"], tmp_path) == []
    versions = [each["start_up"].machine["python_version"] for each in read_sets([tmp_path]).values()]
    assert {".".join(version.split(".")[:2]) for version in versions} == {HERE, other}


def _is_here(version):
    try:
        return bool(matrix.find(version))
    except matrix.LeftOut:
        return False


def test_this_python_is_found_with_its_start_methods():
    found = matrix.find(HERE)
    assert found.path == Path(sys.executable) and "spawn" in found.methods
